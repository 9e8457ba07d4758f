// What the CUDA cipher does beside encrypting, which cipher_test.cc and tests/differential look at:
// order, gathering, choice of engine, and a device that fails. On the emulated device.
#include "edge/cuda_cipher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "edge/reference_cipher.h"
#include "kernels/device/gpu.h"
#include "kernels/emulation/emulated_driver.h"
#include "limits.h"
#include "tests/support/cipher_job.h"

namespace viaduct::edge {
namespace {

using emulation::run_queued;
using emulation::set_behaviour;
using srtp::SrtpProfile;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TestKey;
using ByteVector = std::vector<uint8_t>;

// The cipher's numbers by name, those with a reason by `name reason`.
class Numbers final : public MetricVisitor {
 public:
  explicit Numbers(const BatchCipher& cipher) { cipher.visit(*this, "0", "protect"); }
  void counter(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    std::string key(name);
    for (const auto& [label, text] : labels) {
      if (label == "reason") key += " " + std::string(text);
    }
    values_[key] = value;
  }
  void gauge(std::string_view name, std::string_view, MetricLabels, double value) override {
    values_[std::string(name)] = value;
  }
  void histogram(std::string_view name, std::string_view, MetricLabels, std::span<const double>,
                 std::span<const uint64_t> buckets, double) override {
    uint64_t sum = 0;
    for (const uint64_t count : buckets) sum += count;
    values_[std::string(name)] = static_cast<double>(sum);
  }
  double operator[](const std::string& name) { return values_.at(name); }

 private:
  std::map<std::string, double> values_;
};

// A batch of packets to seal, each with its own header and one payload for all, in memory that may be shared
// with the device; and what the reference makes of it.
class Fanout {
 public:
  Fanout(KeySlot slot, size_t receivers, uint64_t first_index, size_t header_bytes = 12)
      : payload_(700, 0x5a), packets_(receivers * RowBytes, 0x80), jobs_(receivers) {
    for (size_t i = 0; i < receivers; ++i) {
      uint8_t* packet = &packets_[i * RowBytes];
      store_be64(packet + 4, first_index + i);
      jobs_[i] = {.slot = slot,
                  .header_bytes = static_cast<uint16_t>(header_bytes),
                  .prefix_bytes = static_cast<uint16_t>(i % 3),
                  .payload_bytes = static_cast<uint32_t>(payload_.size() - i % 2),
                  .ssrc = static_cast<uint32_t>(77 + i),
                  .index = first_index + i,
                  .packet = packet,
                  .payload = payload_.data()};
    }
    batch_.jobs = jobs_;
  }
  static constexpr size_t RowBytes = 1024;

  CipherBatch* batch() { return &batch_; }
  std::span<uint8_t> memory() { return packets_; }
  std::vector<CipherJob>& jobs() { return jobs_; }
  ByteVector result(size_t i) const {
    const auto begin = packets_.begin() + static_cast<ptrdiff_t>(i * RowBytes);
    return {begin, begin + jobs_[i].result_bytes};
  }

 private:
  static void store_be64(uint8_t* at, uint64_t value) {
    store_be32(at, static_cast<uint32_t>(value >> 32));
    store_be32(at + 4, static_cast<uint32_t>(value));
  }

  ByteVector payload_;
  ByteVector packets_;
  std::vector<CipherJob> jobs_;
  CipherBatch batch_;
};

class CudaCipherTest : public ::testing::Test {
 protected:
  CudaCipherTest() { set_behaviour({}); }
  ~CudaCipherTest() override { set_behaviour({}); }

  void make(CudaUse use = CudaUse::Always, CipherCosts costs = {}) {
    CudaCipherOptions options{.use = use,
                              .costs = costs,
                              .slot_packets = 32,
                              .clock = [this] { return now_; },
                              .on_failure = [this](const std::string& why) { failures_.push_back(why); }};
    auto cipher = make_cuda_cipher(Direction::Protect, 8, emulation::open_emulated_gpu().value(),
                                   std::make_unique<ReferenceCipher>(Direction::Protect, 8), options);
    cipher_ = std::move(cipher.value());
    slot_ = cipher_->add_key(key_.keys()).value();
    ASSERT_EQ(reference_.add_key(key_.keys()).value(), slot_);
  }
  void expect_as_reference(const Fanout& done, size_t receivers, uint64_t first_index) {
    Fanout wanted(slot_, receivers, first_index);
    reference_.submit(wanted.batch());
    ASSERT_EQ(reference_.poll(), wanted.batch());
    for (size_t i = 0; i < receivers; ++i) EXPECT_EQ(done.result(i), wanted.result(i)) << "receiver " << i;
  }

  Timestamp now_{};
  std::vector<std::string> failures_;
  const TestKey key_{SrtpProfile::AeadAes128Gcm};
  ReferenceCipher reference_{Direction::Protect, 8};
  std::unique_ptr<SessionCipher> cipher_;
  KeySlot slot_{};
};

TEST_F(CudaCipherTest, GathersWhatComesWhileTheDeviceIsAtWork) {
  make();
  set_behaviour({.holds_launches = true});
  std::vector<Fanout> batches;
  for (uint64_t i = 0; i < 6; ++i) batches.emplace_back(slot_, 4, 100 * i);
  for (Fanout& b : batches) {
    cipher_->submit(b.batch());
    EXPECT_EQ(cipher_->poll(), nullptr);
  }
  EXPECT_EQ(Numbers(*cipher_)["viaduct_cuda_launches_total"], 2);
  EXPECT_TRUE(cipher_->has_unfinished());

  run_queued(1);
  EXPECT_EQ(cipher_->poll(), batches[0].batch());
  EXPECT_EQ(Numbers(*cipher_)["viaduct_cuda_launches_total"], 3) << "the four others, in one";
  while (run_queued(1) > 0) {}
  for (size_t i = 1; i < batches.size(); ++i) EXPECT_EQ(cipher_->poll(), batches[i].batch());
  EXPECT_EQ(cipher_->poll(), nullptr);
  EXPECT_FALSE(cipher_->has_unfinished());
  for (size_t i = 0; i < batches.size(); ++i) expect_as_reference(batches[i], 4, 100 * i);
}

TEST_F(CudaCipherTest, SealsPacketsWhereTheyAreInMemoryThatTheDeviceReaches) {
  make();
  Fanout fanout(slot_, 20, 5);
  cipher_->expect_packets_in(fanout.memory());
  cipher_->submit(fanout.batch());
  EXPECT_EQ(cipher_->poll(), nullptr);  // launched, which runs it at once
  EXPECT_EQ(cipher_->poll(), fanout.batch());
  expect_as_reference(fanout, 20, 5);
}

TEST_F(CudaCipherTest, GivesBatchesBackInTheOrderOfSubmissionWhoeverDoesThem) {
  make();
  set_behaviour({.holds_launches = true});
  Fanout first(slot_, 3, 0), second(slot_, 3, 50);
  second.jobs()[1].header_bytes = 300;  // too long for the kernels
  cipher_->submit(first.batch());
  cipher_->submit(second.batch());
  EXPECT_EQ(second.jobs()[1].verdict, Verdict::Ok);
  EXPECT_EQ(cipher_->poll(), nullptr) << "the first is not done";
  run_queued(10);
  EXPECT_EQ(cipher_->poll(), first.batch());
  EXPECT_EQ(cipher_->poll(), second.batch());
  EXPECT_EQ(Numbers(*cipher_)["viaduct_cipher_batches_total unsuited"], 1);
}

TEST_F(CudaCipherTest, LeavesToTheCpuWhatIsNotWorthALaunchOrWouldWaitTooLong) {
  make(CudaUse::WhenCheaper, {.cpu = {0us, 1us}, .device_thread = {10us, 0us}, .device_latency = {0us, 100us}});
  for (const size_t receivers : {5, 15, 25}) {
    Fanout fanout(slot_, receivers, 1000 * receivers);
    cipher_->submit(fanout.batch());
    while (cipher_->poll() != fanout.batch()) {}
    expect_as_reference(fanout, receivers, 1000 * receivers);
  }
  Numbers numbers(*cipher_);
  EXPECT_EQ(numbers["viaduct_cipher_batches_total too-few"], 1);
  EXPECT_EQ(numbers["viaduct_cipher_batches_total device"], 1);
  EXPECT_EQ(numbers["viaduct_cipher_batches_total too-slow"], 1) << "25 packets would take 2.5 ms";
  EXPECT_EQ(numbers["viaduct_cipher_crossover_packets"], 11);
  EXPECT_EQ(numbers["viaduct_cipher_wait_seconds"], 45) << "packets";
}

TEST_F(CudaCipherTest, LeavesToTheCpuWhatComesWhileEverySlotIsFull) {
  make();
  set_behaviour({.holds_launches = true});
  std::vector<Fanout> batches;
  for (uint64_t i = 0; i < 6; ++i) batches.emplace_back(slot_, 32, 100 * i);
  for (Fanout& b : batches) cipher_->submit(b.batch());
  EXPECT_EQ(Numbers(*cipher_)["viaduct_cipher_batches_total device-busy"], 2);
  run_queued(10);
  for (size_t i = 0; i < batches.size(); ++i) {
    CipherBatch* done = cipher_->poll();
    while (done == nullptr && run_queued(1) > 0) done = cipher_->poll();
    EXPECT_EQ(done, batches[i].batch());
    expect_as_reference(batches[i], 32, 100 * i);
  }
}

TEST_F(CudaCipherTest, FinishesWhatWasSubmittedUnderAKeyThatIsRemoved) {
  make();
  set_behaviour({.holds_launches = true});
  std::vector<Fanout> batches;
  for (uint64_t i = 0; i < 4; ++i) batches.emplace_back(slot_, 4, 100 * i);
  for (Fanout& b : batches) {
    cipher_->submit(b.batch());
    EXPECT_EQ(cipher_->poll(), nullptr);
  }
  cipher_->remove_key(slot_);  // two batches have not been launched yet
  while (run_queued(1) > 0) {}
  for (size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(cipher_->poll(), batches[i].batch());
    expect_as_reference(batches[i], 4, 100 * i);
  }
  Fanout late(slot_, 1, 9000);
  cipher_->submit(late.batch());
  EXPECT_EQ(cipher_->poll(), late.batch());
  EXPECT_EQ(late.jobs()[0].verdict, Verdict::BadKey);
}

TEST_F(CudaCipherTest, LeavesNothingOnTheDevice) {
  const size_t others = emulation::allocations();
  make();
  Fanout fanout(slot_, 8, 0);
  cipher_->submit(fanout.batch());
  while (cipher_->poll() == nullptr) {}
  EXPECT_GT(emulation::allocations(), others);
  cipher_.reset();
  EXPECT_EQ(emulation::allocations(), others);
  EXPECT_EQ(emulation::given_back_unwiped(), 0u);
}

// ---- a device that fails ----

class FailingDevice : public CudaCipherTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Each, FailingDevice, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "AtLaunch" : "OnItsWay"; });

TEST_P(FailingDevice, HasItsBatchesDoneByTheCpuFromTheSameBytes) {
  make();
  std::vector<Fanout> batches;
  for (uint64_t i = 0; i < 4; ++i) batches.emplace_back(slot_, 24, 100 * i);
  for (Fanout& b : batches) cipher_->expect_packets_in(b.memory());
  set_behaviour({.holds_launches = true, .launches_until_failure = 1, .fails_at_launch = GetParam()});
  for (Fanout& b : batches) {
    cipher_->submit(b.batch());
    EXPECT_TRUE(cipher_->has_unfinished());
    cipher_->poll();
  }
  now_ += 1ms;  // errors are asked for now and then
  while (run_queued(1) > 0) {}
  while (cipher_->has_unfinished()) cipher_->poll();
  ASSERT_THAT(failures_, SizeIs(1));
  EXPECT_THAT(failures_[0], ::testing::HasSubstr("illegal memory access"));
  for (size_t i = 0; i < batches.size(); ++i) expect_as_reference(batches[i], 24, 100 * i);

  Numbers numbers(*cipher_);
  EXPECT_EQ(numbers["viaduct_cuda_failures_total"], 1);
  EXPECT_GE(numbers["viaduct_cuda_returned_packets_total"], 24);

  Fanout later(slot_, 10, 5000);
  cipher_->submit(later.batch());
  EXPECT_EQ(cipher_->poll(), later.batch());
  expect_as_reference(later, 10, 5000);
  EXPECT_EQ(Numbers(*cipher_)["viaduct_cipher_batches_total no-device"], GetParam() ? 3 : 1);
}

TEST_F(CudaCipherTest, TakesTheCpuWhenTheDeviceHasNotAnsweredForASecond) {
  make();
  set_behaviour({.holds_launches = true});
  Fanout fanout(slot_, 24, 0);
  cipher_->expect_packets_in(fanout.memory());
  cipher_->submit(fanout.batch());
  EXPECT_EQ(cipher_->poll(), nullptr);
  now_ += limits::LongestLaunch;
  EXPECT_EQ(cipher_->poll(), nullptr);
  EXPECT_THAT(failures_, IsEmpty());
  now_ += 1ns;
  EXPECT_EQ(cipher_->poll(), fanout.batch());
  EXPECT_THAT(failures_, SizeIs(1));
  expect_as_reference(fanout, 24, 0);
}

TEST_F(CudaCipherTest, ReportsNoDeviceWhereThereIsNone) {
  // Where a GPU is, this very call is what finds it.
  const auto gpu = kernels::open_gpu();
  if (gpu) GTEST_SKIP() << "this machine has a GPU: " << (*gpu)->info().name;
  EXPECT_THAT(gpu.error().text, ::testing::AnyOf(::testing::HasSubstr("no NVIDIA driver"),
                                                 ::testing::HasSubstr("no GPU"),
                                                 ::testing::HasSubstr("built without kernels")));
}

}  // namespace
}  // namespace viaduct::edge
