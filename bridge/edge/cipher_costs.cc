#include "edge/cipher_costs.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/check.h"
#include "edge/cuda_cipher.h"

namespace viaduct::edge {
namespace {

constexpr size_t PayloadBytes = 1188;  // with the header 1,200
constexpr size_t HeaderBytes = 12;
constexpr size_t RowBytes = 1280;
constexpr size_t Few = 8;
constexpr size_t Many = 256;
constexpr size_t Repetitions = 5;
constexpr size_t Lanes = 4;  // batches under way at a time, in packets of their own

}  // namespace

struct CipherTrial::Room {
  std::vector<uint8_t> payload = std::vector<uint8_t>(PayloadBytes, 0x5a);
  std::vector<uint8_t> packets;
  std::vector<CipherJob> jobs;
};

// Any key does: what is timed does not depend on it.
CipherTrial::CipherTrial(std::unique_ptr<SessionCipher> cipher, srtp::SrtpProfile profile,
                         size_t most_packets, std::function<Timestamp()> clock)
    : room_(std::make_unique<Room>()), cipher_(std::move(cipher)), clock_(std::move(clock)) {
  const std::vector<uint8_t> key(srtp::master_key_bytes(profile), 1);
  const std::vector<uint8_t> salt(srtp::master_salt_bytes(profile), 2);
  const auto slot = cipher_->add_key({profile, key, salt});
  CHECK(slot.ok());
  room_->packets.assign(Lanes * most_packets * RowBytes, 0x80);
  for (size_t i = 0; i < Lanes * most_packets; ++i) {
    room_->jobs.push_back({.slot = *slot,
                           .header_bytes = HeaderBytes,
                           .payload_bytes = PayloadBytes,
                           .ssrc = static_cast<uint32_t>(i),
                           .packet = &room_->packets[i * RowBytes],
                           .payload = room_->payload.data()});
  }
  cipher_->expect_packets_in(room_->packets);
}

CipherTrial::~CipherTrial() = default;

BatchTime CipherTrial::time(size_t packets, size_t repetitions) {
  time_once(packets);  // caches, and what the driver does at first use
  BatchTime best = time_once(packets);
  for (size_t i = 1; i < repetitions; ++i) {
    const BatchTime once = time_once(packets);
    best.thread = std::min(best.thread, once.thread);
    best.latency = std::min(best.latency, once.latency);
  }
  return best;
}

// Polls that find nothing are not the batch's work: in a bridge the thread does something else then.
BatchTime CipherTrial::time_once(size_t packets) {
  CipherBatch batch = batch_of(0, packets);
  const Timestamp start = clock_();
  cipher_->submit(&batch);
  CipherBatch* done = cipher_->poll();
  const Timestamp submitted = clock_();
  Timestamp asked = submitted;
  Timestamp end = submitted;
  while (done == nullptr) {
    asked = clock_();
    done = cipher_->poll();
    end = clock_();
  }
  return {submitted - start + (end - asked), end - start};
}

double CipherTrial::rate(size_t packets, size_t batches) {
  std::array<CipherBatch, Lanes> lanes;
  const Timestamp start = clock_();
  for (size_t submitted = 0, finished = 0; finished < batches;) {
    while (submitted < batches && submitted - finished < Lanes) {
      CipherBatch& lane = lanes[submitted % Lanes];
      lane = batch_of(submitted % Lanes, packets);
      cipher_->submit(&lane);
      ++submitted;
    }
    finished += cipher_->poll() != nullptr;
  }
  return static_cast<double>(packets * batches) / to_seconds(clock_() - start);
}

// Each batch under an index of its own, as in a call.
CipherBatch CipherTrial::batch_of(size_t lane, size_t packets) {
  const size_t most = room_->jobs.size() / Lanes;
  CHECK(packets <= most);
  CipherBatch batch{std::span(room_->jobs).subspan(lane * most, packets)};
  for (CipherJob& job : batch.jobs) job.index = next_index_;
  ++next_index_;
  return batch;
}

Result<CipherCosts> measure_cipher_costs(srtp::SrtpProfile profile,
                                         const std::shared_ptr<kernels::Gpu>& gpu,
                                         const MakeSessionCipher& make_cpu,
                                         const std::function<Timestamp()>& clock) {
  std::string failure;
  auto device = make_cuda_cipher(Direction::Protect, 1, gpu, make_cpu(),
                                 {.use = CudaUse::Always,
                                  .clock = clock,
                                  .on_failure = [&failure](const std::string& why) { failure = why; }});
  if (!device) return device.error();
  CipherTrial on_device(std::move(*device), profile, Many, clock);
  CipherTrial on_cpu(make_cpu(), profile, Many, clock);

  const BatchTime few = on_device.time(Few, Repetitions);
  const BatchTime many = on_device.time(Many, Repetitions);
  if (!failure.empty()) return Error{ErrorCode::Unavailable, failure};
  return CipherCosts{
      .cpu = line_through(Few, on_cpu.time(Few, Repetitions).thread, Many,
                          on_cpu.time(Many, Repetitions).thread),
      .device_thread = line_through(Few, few.thread, Many, many.thread),
      .device_latency = line_through(Few, few.latency, Many, many.latency)};
}

}  // namespace viaduct::edge
