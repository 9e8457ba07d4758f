#include "edge/cuda_cipher.h"

#include <openssl/crypto.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "edge/cipher_layout.h"
#include "edge/fifo.h"
#include "edge/key_table.h"
#include "kernels/device/srtp_device.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

using kernels::SrtpDevice;
using kernels::SrtpPacket;
using srtp::SrtpProfile;

constexpr size_t LaunchedAtOnce = 2;  // one runs, one is ready to; what comes meanwhile gathers
constexpr Duration ErrorsAskedFor = 100us;
constexpr std::array WaitBounds = {10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 20e-3};

kernels::SrtpSessionKey session_key(const srtp::SessionKey& from) {
  kernels::SrtpSessionKey to{};
  std::memcpy(to.encryption, from.encryption.data(), from.encryption.size());
  std::memcpy(to.salt, from.salt.data(), from.salt.size());
  std::memcpy(to.authentication, from.authentication.data(), from.authentication.size());
  return to;
}

class CudaCipher final : public SessionCipher {
 public:
  CudaCipher(Direction direction, size_t max_keys, std::unique_ptr<SrtpDevice> device,
             std::unique_ptr<SessionCipher> cpu, CudaCipherOptions options)
      : direction_(direction),
        options_(std::move(options)),
        cpu_(std::move(cpu)),
        device_(std::move(device)),
        keys_(max_keys) {
    for_device_.reserve(device_->slot_jobs());
  }

  Result<KeySlot> add_session_keys(SrtpProfile profile, const srtp::SessionKeys& keys) override;
  void remove_key(KeySlot slot) override;
  void submit(CipherBatch* batch) override;
  CipherBatch* poll() override;
  bool has_unfinished() const override { return !batches_.empty(); }
  void expect_packets_in(std::span<uint8_t> memory) override;
  const char* name() const override { return options_.name; }
  void visit(MetricVisitor& visitor, std::string_view worker,
             std::string_view direction) const override;

 private:
  struct Key {
    SrtpProfile profile;
    KeySlot cpu;             // the same key's slot there
    bool on_device = false;
  };
  struct Batch {
    CipherBatch* batch = nullptr;
    Timestamp submitted{};
    uint64_t launch = 0;  // it is done once so many launches have been collected
  };
  struct ForDevice {
    CipherJob* job = nullptr;
    SrtpPacket packet;
    uint16_t result_bytes = 0;
  };
  struct WithDevice {
    CipherJob* job = nullptr;
    uint16_t result_bytes = 0;
  };

  bool prepare(CipherBatch& batch);
  bool prepare(CipherJob& job);
  CipherChoice choose(const CipherBatch& batch);
  void run_on_device();
  void run_on_cpu(CipherBatch& batch);
  void launch();
  void collect();
  void look_after_device();
  void fail(const Error& error);

  const Direction direction_;
  const CudaCipherOptions options_;
  const std::unique_ptr<SessionCipher> cpu_;
  std::unique_ptr<SrtpDevice> device_;  // null once it has failed
  KeyTable<Key> keys_;

  static constexpr size_t BatchesExpected = limits::TxBatchesInFlight + limits::RxBatchesInFlight;
  Fifo<Batch> batches_{BatchesExpected};
  Fifo<WithDevice> with_device_{4096};
  std::vector<ForDevice> for_device_;  // of the batch that is being submitted
  std::vector<KeySlot> slots_;         // likewise, while the CPU's stand in the jobs
  uint64_t launches_begun_ = 1;        // the one being filled is the latest
  uint64_t launches_collected_ = 0;
  Timestamp oldest_launched_{};
  Timestamp errors_asked_for_{};

  std::array<Counter, CipherChoiceNames.size()> batches_chosen_;
  std::array<Counter, CipherChoiceNames.size()> packets_chosen_;
  Counter launches_;
  Counter failures_;
  Counter returned_packets_;
  Histogram<WaitBounds.size()> waits_{WaitBounds};
};

Result<KeySlot> CudaCipher::add_session_keys(SrtpProfile profile, const srtp::SessionKeys& keys) {
  if (const auto room = keys_.check_room(); !room) return room.error();
  const auto cpu = cpu_->add_session_keys(profile, keys);
  if (!cpu) return cpu.error();
  auto key = std::make_unique<Key>(Key{profile, *cpu});
  Key& added = *key;
  const KeySlot slot = keys_.add(std::move(key));
  if (!device_) return slot;

  kernels::SrtpKeyUpload upload{.slot = slot.value,
                                .key_bytes = static_cast<uint32_t>(srtp::master_key_bytes(profile)),
                                .rtp = session_key(keys.rtp),
                                .rtcp = session_key(keys.rtcp)};
  const auto done = device_->add_key(upload);
  OPENSSL_cleanse(&upload, sizeof upload);
  added.on_device = done.ok();
  if (!done && done.error().code != ErrorCode::ResourceExhausted) fail(done.error());
  return slot;
}

// Jobs under the key that still gather have to be on their way before it is wiped.
void CudaCipher::remove_key(KeySlot slot) {
  const Key* key = keys_.find(slot);
  if (key == nullptr) return;
  cpu_->remove_key(key->cpu);
  const bool on_device = key->on_device;
  keys_.remove(slot);
  if (!device_ || !on_device) return;
  if (device_->has_gathered()) launch();
  if (!device_) return;
  if (const auto done = device_->remove_key(slot.value); !done) fail(done.error());
}

void CudaCipher::submit(CipherBatch* batch) {
  keys_.note_submitted();
  CipherChoice choice = choose(*batch);
  if (choice == CipherChoice::Device && !prepare(*batch)) choice = CipherChoice::Unsuited;
  if (!batch->jobs.empty()) {  // one without jobs only keeps its place in the order
    batches_chosen_[static_cast<size_t>(choice)].add();
    packets_chosen_[static_cast<size_t>(choice)].add(batch->jobs.size());
  }
  const bool on_device = choice == CipherChoice::Device && !for_device_.empty();
  batches_.push({batch, options_.clock(), on_device ? launches_begun_ : 0});
  if (on_device) {
    run_on_device();
  } else {
    run_on_cpu(*batch);
  }
}

// False when some packet of it is not for the kernels.
bool CudaCipher::prepare(CipherBatch& batch) {
  for_device_.clear();
  for (CipherJob& job : batch.jobs) {
    if (!prepare(job)) return false;
  }
  return true;
}

bool CudaCipher::prepare(CipherJob& job) {
  const Key* key = keys_.find(job.slot);
  if (key == nullptr) {
    job.verdict = Verdict::BadKey;
    return true;
  }
  Layout at;
  if (!lay_out(job, key->profile, direction_, &at)) {
    job.verdict = Verdict::Malformed;
    return true;
  }
  const bool protects = direction_ == Direction::Protect;
  const size_t clear_bytes = at.header.size() + at.body.size();
  const size_t trailer = protects ? at.result_bytes - clear_bytes : job.payload_bytes - at.body.size();
  const SrtpPacket packet{.key = job.slot.value,
                          .ssrc = job.ssrc,
                          .index = job.index,
                          .is_gcm = is_gcm(key->profile),
                          .rtcp = job.rtcp,
                          .encrypted = at.encrypted,
                          .packet = job.packet,
                          .payload = job.payload,
                          .header_bytes = job.header_bytes,
                          .prefix_bytes = job.prefix_bytes,
                          .payload_bytes = static_cast<uint16_t>(at.payload.size()),
                          .trailer_bytes = static_cast<uint16_t>(trailer)};
  for_device_.push_back({&job, packet, at.result_bytes});
  return key->on_device && SrtpDevice::takes(packet);
}

CipherChoice CudaCipher::choose(const CipherBatch& batch) {
  if (!device_) return CipherChoice::NoDevice;
  const size_t packets = batch.jobs.size();
  if (packets > device_->slot_jobs()) return CipherChoice::Unsuited;
  if (device_->room() < packets && device_->has_gathered()) launch();
  if (!device_) return CipherChoice::NoDevice;
  if (device_->room() < packets) return CipherChoice::DeviceBusy;
  if (options_.use == CudaUse::Always) return CipherChoice::Device;
  const size_t gathered = device_->slot_jobs() - device_->room();
  return pick_engine(options_.costs, gathered + packets, limits::LongestCipherWait);
}

void CudaCipher::run_on_device() {
  for (const ForDevice& one : for_device_) {
    one.job->verdict = Verdict::Pending;
    device_->add(one.packet);
    with_device_.push({one.job, one.result_bytes});
  }
}

// The CPU's cipher knows the same keys by other slots.
void CudaCipher::run_on_cpu(CipherBatch& batch) {
  slots_.clear();
  for (CipherJob& job : batch.jobs) {
    slots_.push_back(job.slot);
    const Key* key = keys_.find(job.slot);
    job.slot = key != nullptr ? key->cpu : KeySlot{};
  }
  cpu_->submit(&batch);
  CHECK(cpu_->poll() == &batch);
  for (size_t i = 0; i < slots_.size(); ++i) batch.jobs[i].slot = slots_[i];
}

CipherBatch* CudaCipher::poll() {
  if (device_) look_after_device();
  if (batches_.empty() || batches_.front().launch > launches_collected_) return nullptr;
  const Batch done = batches_.pop();
  keys_.note_polled();
  waits_.observe(to_seconds(options_.clock() - done.submitted), done.batch->jobs.size());
  return done.batch;
}

void CudaCipher::look_after_device() {
  while (device_->is_done()) collect();
  if (device_->has_gathered() && device_->launched() < LaunchedAtOnce) launch();
  if (!device_ || device_->launched() == 0) return;
  device_->wipe_uploads();
  const Timestamp now = options_.clock();
  if (now - oldest_launched_ > limits::LongestLaunch) {
    fail({ErrorCode::Unavailable, "the GPU has not answered for " +
                                      std::to_string(to_ms(limits::LongestLaunch)) + " ms"});
  } else if (now - errors_asked_for_ > ErrorsAskedFor) {
    errors_asked_for_ = now;
    if (const auto healthy = device_->check(); !healthy) fail(healthy.error());
  }
}

void CudaCipher::launch() {
  if (const auto launched = device_->launch(); !launched) return fail(launched.error());
  ++launches_begun_;
  launches_.add();
  if (device_->launched() == 1) oldest_launched_ = options_.clock();
}

void CudaCipher::collect() {
  for (size_t i = 0; i < device_->jobs_to_collect(); ++i) {
    const WithDevice done = with_device_.pop();
    const bool ok = device_->collect(i);
    done.job->verdict = ok ? Verdict::Ok : Verdict::AuthFailed;
    if (ok) done.job->result_bytes = done.result_bytes;
  }
  device_->free_oldest();
  ++launches_collected_;
  oldest_launched_ = options_.clock();
}

// What the device has is done by the CPU, from the same bytes.
void CudaCipher::fail(const Error& error) {
  failures_.add();
  device_->take_back_all();
  device_.reset();
  while (!with_device_.empty()) with_device_.pop();
  for (size_t i = 0; i < batches_.size(); ++i) {
    Batch& b = batches_.at(i);
    if (b.launch <= launches_collected_) continue;
    returned_packets_.add(b.batch->jobs.size());
    b.launch = 0;
    run_on_cpu(*b.batch);
  }
  options_.on_failure(error.text);
}

void CudaCipher::expect_packets_in(std::span<uint8_t> memory) {
  if (!device_) return;
  if (const auto shared = device_->share(memory); !shared) options_.on_copying(shared.error().text);
}

void CudaCipher::visit(MetricVisitor& v, std::string_view worker, std::string_view direction) const {
  for (size_t i = 0; i < CipherChoiceNames.size(); ++i) {
    const MetricLabels labels = {
        {"worker", worker}, {"direction", direction}, {"reason", CipherChoiceNames[i]}};
    v.counter("viaduct_cipher_batches_total",
              "Batches by who did them: the device, or the CPU for one of the other reasons", labels,
              static_cast<double>(batches_chosen_[i].value()));
    v.counter("viaduct_cipher_packets_total",
              "Packets by who did them: the device, or the CPU for one of the other reasons", labels,
              static_cast<double>(packets_chosen_[i].value()));
  }
  const MetricLabels labels = {{"worker", worker}, {"direction", direction}};
  v.histogram("viaduct_cipher_wait_seconds", "From a packet's submission to the cipher until it is back",
              labels, waits_);
  v.counter("viaduct_cuda_launches_total", "Kernel launches for SRTP", labels,
            static_cast<double>(launches_.value()));
  v.counter("viaduct_cuda_failures_total", "Times that the GPU failed and the CPU took over", labels,
            static_cast<double>(failures_.value()));
  v.counter("viaduct_cuda_returned_packets_total",
            "Packets that the GPU had when it failed, done by the CPU", labels,
            static_cast<double>(returned_packets_.value()));
  if (options_.use != CudaUse::WhenCheaper) return;
  v.gauge("viaduct_cipher_crossover_packets",
          "The smallest batch that the device does; 0 when there is none", labels,
          static_cast<double>(crossover(options_.costs, options_.slot_packets,
                                        limits::LongestCipherWait)));
}

}  // namespace

Result<std::unique_ptr<SessionCipher>> make_cuda_cipher(Direction direction, size_t max_keys,
                                                        std::shared_ptr<kernels::Gpu> gpu,
                                                        std::unique_ptr<SessionCipher> cpu,
                                                        CudaCipherOptions options) {
  const auto operation = direction == Direction::Protect ? SrtpDevice::Operation::Protect
                                                         : SrtpDevice::Operation::Unprotect;
  auto device = SrtpDevice::open(std::move(gpu), operation,
                                 {.keys = max_keys, .slot_jobs = options.slot_packets});
  if (!device) return device.error();
  return std::unique_ptr<SessionCipher>(std::make_unique<CudaCipher>(
      direction, max_keys, std::move(*device), std::move(cpu), std::move(options)));
}

}  // namespace viaduct::edge
