#include "kernels/device/srtp_device.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/check.h"

namespace viaduct::kernels {
namespace {

constexpr unsigned BlockThreads = 32 * SrtpGroupJobs;
constexpr unsigned ExpandThreads = 64;
constexpr unsigned BlocksPerMultiprocessor = 2;  // beyond that, blocks take several groups each
constexpr size_t UploadsInFlight = 64;
constexpr size_t OpenGroups = 64;

constexpr size_t InputRowBytes = SrtpBodyBytes + 32;  // with a trailer
constexpr size_t OutputRowBytes = SrtpHeaderRoomBytes + SrtpBodyBytes + 32;
constexpr size_t RowBytes = InputRowBytes + OutputRowBytes;
static_assert(InputRowBytes % 16 == 0 && RowBytes % 16 == 0);

// The kernel's word, with all that it has written before.
uint64_t read_completion(const uint64_t* word) {
  return std::atomic_ref<uint64_t>(*const_cast<uint64_t*>(word)).load(std::memory_order_acquire);
}

}  // namespace

Result<std::unique_ptr<SrtpDevice>> SrtpDevice::open(std::shared_ptr<Gpu> gpu, Operation operation,
                                                     Sizes sizes) {
  CHECK(sizes.keys > 0 && sizes.slots > 0 && sizes.slot_jobs > 0 && sizes.slot_jobs <= 65'536);
  std::unique_ptr<SrtpDevice> device(new SrtpDevice(std::move(gpu), operation, sizes));
  if (const auto done = device->set_up(); !done) return done.error();
  return device;
}

Result<void> SrtpDevice::set_up() {
  auto counters = gpu_->allocate(4 * (sizes_.slots + 1));
  if (!counters) return counters.error();
  counters_ = std::move(*counters);
  for (Slot& slot : slots_) {
    if (const auto done = set_up_slot(slot); !done) return done;
  }
  if (const auto done = set_up_keys(); !done) return done;
  auto stream = gpu_->make_stream();
  if (!stream) return stream.error();
  stream_ = std::move(*stream);
  open_groups_.resize(OpenGroups);
  packet_memory_.reserve(4);
  filling_ = &slots_[0];
  filling_->number = ++launches_;
  return {};
}

Result<void> SrtpDevice::set_up_slot(Slot& slot) {
  const size_t jobs_bytes = sizes_.slot_jobs * sizeof(SrtpJob);
  const size_t groups_bytes = sizes_.slot_jobs * sizeof(SrtpGroup);
  const size_t results_bytes = (sizes_.slot_jobs + 15) / 16 * 16;
  const size_t rows_bytes = sizes_.slot_jobs * RowBytes;
  auto memory = gpu_->allocate_shared(16 + jobs_bytes + groups_bytes + results_bytes + rows_bytes);
  if (!memory) return memory.error();
  slot.memory = std::move(*memory);
  uint8_t* at = slot.memory.host().data();
  slot.completion = reinterpret_cast<uint64_t*>(at);
  slot.jobs = reinterpret_cast<SrtpJob*>(at += 16);
  slot.groups = reinterpret_cast<SrtpGroup*>(at += jobs_bytes);
  slot.results = at += groups_bytes;
  slot.rows = at + results_bytes;
  slot.places.resize(sizes_.slot_jobs);
  return {};
}

Result<void> SrtpDevice::set_up_keys() {
  auto keys = gpu_->allocate(sizes_.keys * sizeof(SrtpKeySlot));
  if (!keys) return keys.error();
  keys_ = std::move(*keys);
  auto uploads = gpu_->allocate_shared(16 + UploadsInFlight * sizeof(SrtpKeyUpload));
  if (!uploads) return uploads.error();
  upload_memory_ = std::move(*uploads);
  uploads_done_ = reinterpret_cast<uint64_t*>(upload_memory_.host().data());
  uploads_ = reinterpret_cast<SrtpKeyUpload*>(upload_memory_.host().data() + 16);
  return {};
}

Result<void> SrtpDevice::share(std::span<uint8_t> memory) {
  auto shared = gpu_->share(memory);
  if (!shared) return shared.error();
  packet_memory_.push_back(std::move(*shared));
  return {};
}

Result<void> SrtpDevice::add_key(const SrtpKeyUpload& upload) {
  wipe_uploads();
  if (uploads_begun_ - uploads_wiped_ == UploadsInFlight)
    return Error{ErrorCode::ResourceExhausted, "too many keys are on their way to the GPU"};
  SrtpKeyUpload& place = uploads_[uploads_begun_ % UploadsInFlight];
  place = upload;
  const uint64_t number = ++uploads_begun_;
  return gpu_->launch(stream_, Kernel::SrtpExpandKeys, {1, ExpandThreads},
                      upload_memory_.address_of(&place), keys_.address(), finished_blocks(sizes_.slots),
                      upload_memory_.address_of(uploads_done_), number);
}

void SrtpDevice::wipe_uploads() {
  for (const uint64_t done = read_completion(uploads_done_); uploads_wiped_ < done; ++uploads_wiped_)
    explicit_bzero(&uploads_[uploads_wiped_ % UploadsInFlight], sizeof(SrtpKeyUpload));
}

Result<void> SrtpDevice::remove_key(uint32_t key) {
  return gpu_->clear(stream_, keys_.address() + key * sizeof(SrtpKeySlot), sizeof(SrtpKeySlot));
}

bool SrtpDevice::takes(const SrtpPacket& p) {
  return p.header_bytes % 4 == 0 && p.header_bytes <= SrtpHeaderRoomBytes &&
         p.header_bytes + p.prefix_bytes <= static_cast<int>(SrtpHeadBytes) &&
         p.prefix_bytes + p.payload_bytes <= static_cast<int>(SrtpBodyBytes);
}

size_t SrtpDevice::room() const { return filling_ ? sizes_.slot_jobs - filling_->job_count : 0; }

const SharedMemory* SrtpDevice::shared_with(const uint8_t* at, size_t bytes) const {
  for (const auto& memory : packet_memory_) {
    if (memory->contains(at, bytes)) return memory.get();
  }
  return nullptr;
}

void SrtpDevice::add(const SrtpPacket& p) {
  CHECK(room() > 0 && takes(p));
  const uint32_t index = filling_->job_count++;
  SrtpJob& job = filling_->jobs[index];
  Place& place = filling_->places[index];
  uint8_t* const row = filling_->rows + index * RowBytes;
  place = {.packet = p.packet,
           .in_place = p.payload == p.packet + p.header_bytes + p.prefix_bytes,
           .trailer_bytes = p.trailer_bytes};
  job.task = {.index = p.index,
              .key = p.key,
              .ssrc = p.ssrc,
              .header_bytes = p.header_bytes,
              .prefix_bytes = p.prefix_bytes,
              .payload_bytes = p.payload_bytes,
              .rtcp = p.rtcp,
              .encrypted = p.encrypted};
  std::memcpy(job.head, p.packet, size_t{p.header_bytes} + p.prefix_bytes);
  job.task.output = place_output(p, place, row + InputRowBytes);
  filling_->results[index] = SrtpPending;

  SrtpGroup& group = group_for(p);
  const bool is_first = group.job_count == 0;
  group.jobs[group.job_count++] = static_cast<uint16_t>(index);
  if (operation_ == Operation::Unprotect) {
    job.task.payload = place_input(p, place, row);
  } else if (is_first || p.payload_bytes > group.payload_bytes) {
    group.payload = place_input(p, place, row);
    group.payload_bytes = p.payload_bytes;
  }
}

// Jobs of one payload share a group; opened packets have a payload each, and fill groups as they come.
SrtpGroup& SrtpDevice::group_for(const SrtpPacket& p) {
  const bool shares = operation_ == Operation::Protect;
  const auto hash = reinterpret_cast<uintptr_t>(p.payload) / 64 * 2 + p.is_gcm;
  OpenGroup& open = open_groups_[shares ? hash % OpenGroups : p.is_gcm];
  SrtpGroup* group = &filling_->groups[open.group];
  const bool fits = open.slot_number == filling_->number && group->job_count < SrtpGroupJobs &&
                    group->is_gcm == static_cast<uint8_t>(p.is_gcm) &&
                    (!shares || open.payload == p.payload);
  if (fits) return *group;
  open = {p.payload, filling_->group_count++, filling_->number};
  group = &filling_->groups[open.group];
  *group = {.is_gcm = p.is_gcm};
  return *group;
}

// Sealed packets are written to where they go, if the device reaches that. Opened ones never are: a device that
// fails must leave the ciphertext whole, and plaintext must not arrive late in a buffer of someone else's.
uint64_t SrtpDevice::place_output(const SrtpPacket& p, Place& place, uint8_t* row) const {
  const size_t bytes = size_t{p.header_bytes} + p.prefix_bytes + p.payload_bytes + p.trailer_bytes;
  if (operation_ == Operation::Protect) {
    if (const SharedMemory* memory = shared_with(p.packet, bytes)) return memory->address_of(p.packet);
  }
  place.staged_output = row;
  return address_of(*filling_, row);
}

// The payload where it stands; a copy if the device does not reach it or writes over it.
uint64_t SrtpDevice::place_input(const SrtpPacket& p, Place& place, uint8_t* row) const {
  const bool trails = operation_ == Operation::Unprotect;
  const size_t bytes = p.payload_bytes + (trails ? p.trailer_bytes : 0u);
  const bool overwritten = place.in_place && place.staged_output == nullptr;
  if (!overwritten) {
    if (const SharedMemory* memory = shared_with(p.payload, bytes))
      return memory->address_of(p.payload);
  }
  if (bytes > 0) std::memcpy(row, p.payload, bytes);
  place.staged_input = row;
  return address_of(*filling_, row);
}

Result<void> SrtpDevice::launch() {
  CHECK(has_gathered());
  Slot& slot = *filling_;
  const auto index = static_cast<size_t>(&slot - slots_.data());
  const auto most = static_cast<unsigned>(gpu_->info().multiprocessors) * BlocksPerMultiprocessor;
  const LaunchSize size{std::min(slot.group_count, std::max(most, 1u)), BlockThreads};
  const Kernel kernel =
      operation_ == Operation::Protect ? Kernel::SrtpProtect : Kernel::SrtpUnprotect;
  auto launched = gpu_->launch(stream_, kernel, size, address_of(slot, slot.groups), slot.group_count,
                               address_of(slot, slot.jobs), keys_.address(),
                               address_of(slot, slot.results), finished_blocks(index),
                               address_of(slot, slot.completion), slot.number);
  if (!launched) return launched;
  ++launched_;
  filling_ = launched_ < slots_.size() ? &slot_after_oldest(launched_) : nullptr;
  if (filling_) filling_->number = ++launches_;
  return {};
}

bool SrtpDevice::is_done() const {
  return launched_ > 0 && read_completion(slots_[oldest_].completion) == slots_[oldest_].number;
}

bool SrtpDevice::collect(size_t job) {
  Slot& slot = slots_[oldest_];
  const SrtpTask& task = slot.jobs[job].task;
  const Place& place = slot.places[job];
  const bool ok = slot.results[job] == SrtpOk;
  const bool protects = operation_ == Operation::Protect;
  if (protects && place.staged_input != nullptr)
    explicit_bzero(place.staged_input, task.payload_bytes);  // plaintext
  if (place.staged_output == nullptr) return ok;

  const size_t body = size_t{task.prefix_bytes} + task.payload_bytes;
  const size_t bytes = protects ? task.header_bytes + body + place.trailer_bytes : body;
  if (ok) std::memcpy(place.packet + (protects ? 0 : task.header_bytes), place.staged_output, bytes);
  if (!protects) explicit_bzero(place.staged_output, bytes);  // plaintext
  return ok;
}

void SrtpDevice::free_oldest() {
  Slot& slot = slots_[oldest_];
  slot.job_count = 0;
  slot.group_count = 0;
  oldest_ = (oldest_ + 1) % slots_.size();
  --launched_;
  if (filling_ == nullptr) {
    filling_ = &slot;
    filling_->number = ++launches_;
  }
}

void SrtpDevice::take_back_all() {
  gpu_->give_up();
  for (size_t i = 0; i < launched_; ++i) take_back(slot_after_oldest(i));
  if (has_gathered()) take_back(*filling_);
}

// What a job is to be done from again. Opened packets have not been touched.
void SrtpDevice::take_back(const Slot& slot) {
  if (operation_ == Operation::Unprotect) return;
  for (size_t i = 0; i < slot.job_count; ++i) {
    const SrtpTask& task = slot.jobs[i].task;
    const Place& place = slot.places[i];
    const size_t head = size_t{task.header_bytes} + task.prefix_bytes;
    std::memcpy(place.packet, slot.jobs[i].head, head);
    if (place.in_place && place.staged_input != nullptr && task.payload_bytes > 0)
      std::memcpy(place.packet + head, place.staged_input, task.payload_bytes);
  }
}

}  // namespace viaduct::kernels
