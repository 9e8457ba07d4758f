// SRTP on a GPU, one direction: keys that live on the device, and a ring of batch slots in memory
// that host and device share.
//
// The host fills a slot with jobs and launches it; the kernel reads them where they stand, writes
// packets where they go and at the end the slot's number into a word that the host looks at. Nothing
// here waits. Used from one thread.
//
// Packets in memory that share() has been told of are read and written in place; others go
// through the slot's own room. What a kernel overwrites can always be had back: the slot keeps a copy
// until its jobs have been collected, so a batch that the device has lost can be done again, byte
// for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/device/gpu.h"
#include "kernels/srtp/srtp_job.h"

namespace viaduct::kernels {

// A packet to be sealed or opened. `packet` begins with the header; when it is sealed the prefix stands
// behind that, and the payload anywhere; when it is opened the payload stands behind the header, with
// its trailer behind it.
struct SrtpPacket {
  uint32_t key = 0;
  uint32_t ssrc = 0;
  uint64_t index = 0;
  bool is_gcm = false;
  bool rtcp = false;
  bool encrypted = true;
  uint8_t* packet = nullptr;
  const uint8_t* payload = nullptr;
  uint16_t header_bytes = 0;
  uint16_t prefix_bytes = 0;
  uint16_t payload_bytes = 0;  // without trailer
  uint16_t trailer_bytes = 0;
};

class SrtpDevice {
 public:
  enum class Operation : uint8_t { Protect, Unprotect };
  struct Sizes {
    size_t keys = 0;
    size_t slots = 4;
    size_t slot_jobs = 512;
  };

  static Result<std::unique_ptr<SrtpDevice>> open(std::shared_ptr<Gpu> gpu, Operation operation,
                                                  Sizes sizes);
  // Keys and whatever lies in the slots are wiped.
  ~SrtpDevice() = default;

  const Gpu& gpu() const { return *gpu_; }
  size_t slot_jobs() const { return sizes_.slot_jobs; }

  // Lets the kernels reach memory where packets will stand.
  Result<void> share(std::span<uint8_t> memory);

  // Queued behind what has been launched. ResourceExhausted: too many keys are on their way there.
  Result<void> add_key(const SrtpKeyUpload& upload);
  // Wipes session keys that the device has taken, from where they waited for it.
  void wipe_uploads();
  // Wipes the key, once what has been launched is done.
  Result<void> remove_key(uint32_t key);

  // Whether the kernels can do it: an unusually long header is for the CPU.
  static bool takes(const SrtpPacket& packet);
  // How many jobs the slot that is being filled still has room for: 0 while all are with the device.
  size_t room() const;
  bool has_gathered() const { return filling_ && filling_->job_count > 0; }
  // Jobs are numbered in the order in which they come, from slot to slot. Only where there is room.
  void add(const SrtpPacket& packet);
  // Hands the filled slot to the device.
  Result<void> launch();

  size_t launched() const { return launched_; }  // slots with the device
  // Whether the oldest of these is done. It is then collected job by job: true where the packet is sealed
  // or opened, false where its tag is wrong.
  bool is_done() const;
  size_t jobs_to_collect() const { return slots_[oldest_].job_count; }
  bool collect(size_t job);
  // All jobs of the oldest slot have been collected, or taken back.
  void free_oldest();
  // An error of the device, if it has met one.
  Result<void> check() { return gpu_->check(stream_); }

  // The device has failed: makes the inputs of all jobs what they were, and asks nothing of it again.
  void take_back_all();

 private:
  // Where a job's packet is for the host, beside what the device is told.
  struct Place {
    uint8_t* packet = nullptr;
    uint8_t* staged_input = nullptr;   // a copy of the payload, if the device reads that
    uint8_t* staged_output = nullptr;  // where the device writes, if not to the packet
    bool in_place = false;             // the payload stands where the result goes
    uint16_t trailer_bytes = 0;
  };
  struct Slot {
    SharedMemory memory;
    SrtpJob* jobs = nullptr;
    SrtpGroup* groups = nullptr;
    uint8_t* results = nullptr;
    uint64_t* completion = nullptr;
    uint8_t* rows = nullptr;  // room for packets that the device cannot reach: input, then output
    std::vector<Place> places;
    uint32_t job_count = 0;
    uint32_t group_count = 0;
    uint64_t number = 0;  // of its latest launch
  };
  // Which open group takes a payload's next job.
  struct OpenGroup {
    const uint8_t* payload = nullptr;
    uint32_t group = 0;
    uint64_t slot_number = 0;
  };

  void take_back(const Slot& slot);
  SrtpDevice(std::shared_ptr<Gpu> gpu, Operation operation, Sizes sizes)
      : gpu_(std::move(gpu)), operation_(operation), sizes_(sizes), slots_(sizes.slots) {}
  Result<void> set_up();
  Result<void> set_up_slot(Slot& slot);
  Result<void> set_up_keys();
  const SharedMemory* shared_with(const uint8_t* at, size_t bytes) const;
  uint64_t place_output(const SrtpPacket& packet, Place& place, uint8_t* row) const;
  uint64_t place_input(const SrtpPacket& packet, Place& place, uint8_t* row) const;
  SrtpGroup& group_for(const SrtpPacket& packet);
  uint64_t address_of(const Slot& slot, const void* at) const { return slot.memory.address_of(at); }
  uint64_t finished_blocks(size_t slot) const { return counters_.address() + 4 * slot; }
  Slot& slot_after_oldest(size_t steps) { return slots_[(oldest_ + steps) % slots_.size()]; }

  const std::shared_ptr<Gpu> gpu_;
  const Operation operation_;
  const Sizes sizes_;
  std::vector<std::shared_ptr<const SharedMemory>> packet_memory_;
  DeviceMemory keys_;
  DeviceMemory counters_;  // finished blocks, for each slot and for keys
  std::vector<Slot> slots_;
  size_t oldest_ = 0;
  size_t launched_ = 0;
  Slot* filling_ = nullptr;
  std::vector<OpenGroup> open_groups_;
  uint64_t launches_ = 0;

  // Session keys on their way to the device, wiped when they are there.
  SharedMemory upload_memory_;
  SrtpKeyUpload* uploads_ = nullptr;
  uint64_t* uploads_done_ = nullptr;
  uint64_t uploads_begun_ = 0;
  uint64_t uploads_wiped_ = 0;

  Stream stream_;  // the last to be made and the first to end: no kernel runs when memory goes
};

}  // namespace viaduct::kernels
