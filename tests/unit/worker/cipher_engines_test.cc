#include "cipher_engines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernels/device/gpu.h"

namespace viaduct {
namespace {

using ::testing::HasSubstr;

Config with_crypto(const std::string& engine) {
  Config config;
  CHECK(config.crypto.assign({&engine, 1}).ok());
  return config;
}

// The labels of viaduct_crypto_decision.
struct Decision final : MetricVisitor {
  explicit Decision(const CipherEngines& engines) { engines.visit(*this); }
  void counter(std::string_view, std::string_view, MetricLabels, double) override {}
  void gauge(std::string_view name, std::string_view, MetricLabels labels, double) override {
    if (name != "viaduct_crypto_decision") return;
    for (const auto& [label, text] : labels) (label == "engine" ? engine : reason) = text;
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>,
                 std::span<const uint64_t>, double) override {}
  std::string engine, reason;
};

TEST(CipherEngines, UsesTheEmulatedDeviceWhereThatIsAskedFor) {
  const auto engines = CipherEngines::open(with_crypto("cuda-emulated"));
  ASSERT_TRUE(engines.ok()) << engines.error().text;
  EXPECT_STREQ((*engines)->make(edge::Direction::Protect).value()->name(), "cuda-emulated");
  EXPECT_EQ(Decision(**engines).engine, "cuda-emulated");
  EXPECT_FALSE((*engines)->uses_gpu());
}

TEST(CipherEngines, LetsTheCpuDoItAllWhereThereIsNoGpuAndSaysWhy) {
  if (kernels::open_gpu()) GTEST_SKIP() << "this machine has a GPU";
  for (const char* wanted : {"cuda", "auto"}) {
    const auto engines = CipherEngines::open(with_crypto(wanted));
    ASSERT_TRUE(engines.ok()) << engines.error().text;
    const std::string name = (*engines)->make(edge::Direction::Protect).value()->name();
    EXPECT_THAT(name, ::testing::AnyOf("cpu", "reference"));
    EXPECT_EQ(Decision(**engines).engine, name);
    EXPECT_EQ(Decision(**engines).reason, kernels::open_gpu().error().text);
  }
}

TEST(CipherEngines, RefusesToStartWhereAGpusMemoryWouldBeDumped) {
  setenv("CUDA_ENABLE_COREDUMP_ON_EXCEPTION", "1", 1);
  const auto engines = CipherEngines::open(with_crypto("cuda-emulated"));
  unsetenv("CUDA_ENABLE_COREDUMP_ON_EXCEPTION");
  ASSERT_FALSE(engines.ok());
  EXPECT_THAT(engines.error().text, HasSubstr("CUDA_ENABLE_COREDUMP_ON_EXCEPTION is set"));
}

}  // namespace
}  // namespace viaduct
