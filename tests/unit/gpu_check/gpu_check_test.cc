// viaduct gpu-check on the emulated device: as it is, failing, and computing wrongly.
#include "gpu_check/gpu_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/emulation/emulated_driver.h"
#include "kernels/emulation/kernel_registry.h"
#include "kernels/srtp/srtp_job.h"

namespace viaduct::gpu_check {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// ---- a device that gets one bit of each launch wrong, of one kernel ----

const char* faulty_kernel = "";

template <typename Pointer>
Pointer parameter(void** parameters, size_t index) {
  return *static_cast<Pointer*>(parameters[index]);
}

void spoil_result(const std::string& kernel, void** parameters) {
  if (kernel.starts_with("viaduct_srtp")) {
    const auto* jobs = parameter<const kernels::SrtpJob*>(parameters, 2);
    reinterpret_cast<uint8_t*>(jobs[0].task.output)[0] ^= 1;
  } else if (kernel == "viaduct_audio_mix") {
    parameter<uint8_t*>(parameters, 5)[77] ^= 1;  // what listeners hear
  } else {
    parameter<uint8_t*>(parameters, 3)[0] ^= 1;  // levels, scores
  }
}

kernels::CuResult launch_wrongly(kernels::CuFunction function, unsigned grid_x, unsigned grid_y,
                        unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                        unsigned shared_bytes, kernels::CuStream stream, void** parameters,
                        void** extra) {
  const auto result =
      emulation::emulated_driver().launch(function, grid_x, grid_y, grid_z, block_x, block_y,
                                          block_z, shared_bytes, stream, parameters, extra);
  if (reinterpret_cast<const emulation::Kernel*>(function) == emulation::find_kernel(faulty_kernel))
    spoil_result(faulty_kernel, parameters);
  return result;
}

std::shared_ptr<kernels::Gpu> open_faulty_gpu(const char* kernel) {
  static const kernels::Driver driver = [] {
    kernels::Driver faulty = emulation::emulated_driver();
    faulty.launch = launch_wrongly;
    return faulty;
  }();
  faulty_kernel = kernel;
  return kernels::Gpu::open(driver, {}).value();
}

// ---- the tests ----

class GpuCheckTest : public ::testing::Test {
 protected:
  GpuCheckTest() { emulation::set_behaviour({}); }
  ~GpuCheckTest() override { emulation::set_behaviour({}); }
};

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome run_with(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = run(arguments);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

std::vector<std::string> kernels_that_are_wrong(const std::vector<SelfTest>& tests) {
  std::vector<std::string> wrong;
  for (const SelfTest& test : tests) {
    if (!test.all_right()) wrong.push_back(test.kernel);
  }
  return wrong;
}

TEST_F(GpuCheckTest, SelfTestsFindNothingWrongWithTheKernels) {
  const auto tests = run_self_tests(emulation::open_emulated_gpu().value());
  EXPECT_EQ(tests.size(), 11u);
  for (const SelfTest& test : tests) {
    EXPECT_TRUE(test.all_right()) << test.kernel << ": " << test.wrong << " of " << test.compared
                                  << " wrong, " << test.failure;
  }
}

struct Fault {
  const char* kernel;
  std::vector<std::string> found_by;
};
class FaultyGpu : public GpuCheckTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(FaultyGpu, IsFoundByTheTestOfTheKernel) {
  const auto tests = run_self_tests(open_faulty_gpu(GetParam().kernel));
  EXPECT_THAT(kernels_that_are_wrong(tests), ::testing::ElementsAreArray(GetParam().found_by));
  const Report report{.tests = tests};
  EXPECT_FALSE(report.all_right());
  EXPECT_THAT(to_table(report), HasSubstr("WRONG  " + GetParam().found_by[0]));
}

INSTANTIATE_TEST_SUITE_P(
    , FaultyGpu,
    ::testing::Values(
        Fault{"viaduct_srtp_protect",
              {"protect, AEAD_AES_128_GCM", "protect, AEAD_AES_256_GCM",
               "protect, AEAD_AES_128_GCM", "protect, AEAD_AES_256_GCM",
               "protect, AES128_CM_HMAC_SHA1_80"}},
        Fault{"viaduct_srtp_unprotect",
              {"unprotect, AEAD_AES_128_GCM", "unprotect, AEAD_AES_256_GCM",
               "unprotect, AES128_CM_HMAC_SHA1_80"}},
        Fault{"viaduct_audio_measure", {"level of a sound frame"}},
        Fault{"viaduct_audio_mix", {"mix for a listener"}},
        Fault{"viaduct_speaker_scores", {"scores of a speaker"}}),
    [](const auto& test) { return std::string(test.param.kernel); });

class FailingGpu : public GpuCheckTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(AfterLaunches, FailingGpu, ::testing::Values(0, 5, 30, 58, 60, 62));

// The CPU takes over and computes what is right: that must not pass for the device's work.
TEST_P(FailingGpu, IsReportedWhereverItFails) {
  emulation::set_behaviour({.launches_until_failure = GetParam()});
  const Outcome outcome = run_with({"--emulated"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("FAILED"), HasSubstr("illegal memory access"),
                                 HasSubstr("Do not use this GPU"), Not(HasSubstr("Mpkt/s"))));
}

TEST_F(GpuCheckTest, TellsNoTimesOfAGpuThatFailsWhileTheyAreTaken) {
  for (const int launches : {63, 64, 200, 400}) {
    emulation::set_behaviour({.launches_until_failure = launches});
    const Outcome outcome = run_with({"--emulated"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("illegal memory access")) << launches;
  }
}

TEST_F(GpuCheckTest, SaysAllAsJson) {
  const Outcome outcome = run_with({"--emulated", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(report.at("gpu"), "emulated on the CPU");
  EXPECT_EQ(report.at("emulated"), true);
  EXPECT_EQ(report.at("ok"), true);
  for (const char* field : {"compute_capability", "multiprocessors", "memory_bytes", "driver"})
    EXPECT_TRUE(report.contains(field)) << field;
  EXPECT_THAT(report.at("cpu_engine").get<std::string>(), ::testing::AnyOf("cpu", "reference"));
  for (const auto& test : report.at("self_tests")) {
    EXPECT_FALSE(test.at("kernel").get<std::string>().empty());
    EXPECT_FALSE(test.at("held_to").get<std::string>().empty());
    EXPECT_GT(test.at("compared"), 0);
    EXPECT_EQ(test.at("wrong"), 0);
    EXPECT_EQ(test.at("failure"), "");
  }
  ASSERT_EQ(report.at("profiles").size(), 3u);
  for (const auto& profile : report.at("profiles")) {
    EXPECT_FALSE(profile.at("profile").get<std::string>().empty());
    EXPECT_GE(profile.at("crossover_packets"), 0);
    for (const char* who : {"cpu", "gpu_thread", "gpu_latency"}) {
      EXPECT_GE(profile.at("costs").at(who).at("fixed_us"), 0);
      EXPECT_GE(profile.at("costs").at(who).at("packet_us"), 0);
    }
    ASSERT_EQ(profile.at("batches").size(), 3u);
    for (const auto& batch : profile.at("batches")) {
      for (const char* figure :
           {"packets", "cpu_us", "gpu_thread_us", "gpu_latency_us", "gpu_packets_per_second"})
        EXPECT_GT(batch.at(figure), 0) << figure;
    }
  }
}

TEST_F(GpuCheckTest, PrintsATableOfFigures) {
  Report report{.gpu = {.name = "GPU of a test",
                        .driver = "13.0",
                        .compute_capability = "9.0",
                        .multiprocessors = 132,
                        .memory_bytes = size_t{80} << 30},
                .cpu_engine = "cpu",
                .tests = {{"protect, a profile", "OpenSSL", 256}}};
  ProfileFigures figures{.profile = srtp::SrtpProfile::AeadAes128Gcm, .crossover = 48};
  figures.batches.push_back({.packets = 64,
                             .cpu = 8us,
                             .device_thread = 5us,
                             .device_latency = 20us,
                             .device_rate = 12.5e6});
  report.profiles.push_back(figures);
  EXPECT_THAT(to_table(report),
              AllOf(HasSubstr("compute capability 9.0, 132 multiprocessors, 80.0 GiB"),
                    HasSubstr("CUDA 13.0"), HasSubstr("ok     protect, a profile"),
                    HasSubstr("8.0 us"), HasSubstr("20.0 us"), HasSubstr("8.00 Mpkt/s"),
                    HasSubstr("12.50 Mpkt/s"), HasSubstr("cheaper from 48 packets"),
                    Not(HasSubstr("Do not use"))));
}

TEST_F(GpuCheckTest, WithoutAGpuSaysSoInOneSentence) {
  if (kernels::open_gpu()) GTEST_SKIP() << "this machine has a GPU";
  const Outcome outcome = run_with({"--json"});
  EXPECT_EQ(outcome.code, NoGpu);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, ::testing::StartsWith("viaduct gpu-check: "));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
}

TEST_F(GpuCheckTest, RefusesAnOptionThatThereIsNot) {
  const Outcome outcome = run_with({"--emulated", "--jsn"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "viaduct gpu-check: '--jsn' is no option; see viaduct gpu-check --help\n");
}

TEST_F(GpuCheckTest, ExplainsItself) {
  const Outcome outcome = run_with({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage: viaduct gpu-check"), HasSubstr("--json"),
                                 HasSubstr("--emulated"), HasSubstr("Exit codes")));
}

}  // namespace
}  // namespace viaduct::gpu_check
