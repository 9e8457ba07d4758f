// The fast ciphers against ReferenceCipher, batch by batch and byte for byte: the CPU's with each set of
// vector instructions that it has, and the CUDA kernels on the emulated device.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "edge/reference_cipher.h"
#include "protocol/srtp/srtcp.h"
#include "tests/support/cipher_engines.h"
#include "tests/support/cipher_mix.h"

namespace viaduct::edge {
namespace {

using srtp::SrtpProfile;
using testing::AllProfiles;
using testing::CipherEngine;
using testing::CipherMix;
using testing::MixedJob;
using testing::MixedOutcome;
using testing::MixedRun;
using testing::TestKey;
using ByteVector = std::vector<uint8_t>;

// An engine and the reference, both directions of each.
struct Twins {
  explicit Twins(const CipherEngine& engine)
      : protect(engine.make(Direction::Protect, CipherMix::MostKeys)),
        unprotect(engine.make(Direction::Unprotect, CipherMix::MostKeys)) {}
  CipherMix::Twins both() { return {reference_protect, *protect, reference_unprotect, *unprotect}; }

  ReferenceCipher reference_protect{Direction::Protect, CipherMix::MostKeys};
  ReferenceCipher reference_unprotect{Direction::Unprotect, CipherMix::MostKeys};
  std::unique_ptr<SessionCipher> protect, unprotect;
};

class FastCipherDifferential : public ::testing::TestWithParam<CipherEngine> {
 protected:
  // Runs the jobs through the reference and the engine, expects the same and returns the engine's.
  static std::vector<MixedOutcome> expect_same(BatchCipher& reference, BatchCipher& engine,
                                               const std::vector<MixedJob>& jobs) {
    const std::vector<MixedOutcome> wanted = MixedRun(reference, jobs).finish();
    std::vector<MixedOutcome> got = MixedRun(engine, jobs).finish();
    for (size_t i = 0; i < jobs.size(); ++i) {
      const auto differs = testing::difference(wanted[i], got[i]);
      EXPECT_FALSE(differs) << "job " << i << ": " << *differs;
    }
    return got;
  }
  static MixedJob received(const MixedJob& sent, const MixedOutcome& sealed, KeySlot slot) {
    MixedJob m{.job = sent.job};
    m.job.slot = slot;
    m.job.prefix_bytes = 0;
    m.packet.assign(sealed.packet.begin(), sealed.packet.begin() + sealed.job.result_bytes);
    m.job.payload_bytes = static_cast<uint32_t>(m.packet.size() - m.job.header_bytes);
    return m;
  }
  MixedJob job(KeySlot slot, bool rtcp, size_t prefix_bytes, size_t payload_bytes) {
    MixedJob m;
    m.job = {.slot = slot,
             .rtcp = rtcp,
             .header_bytes = static_cast<uint16_t>(rtcp ? srtp::RtcpHeaderBytes : 12),
             .prefix_bytes = static_cast<uint16_t>(prefix_bytes),
             .payload_bytes = static_cast<uint32_t>(payload_bytes),
             .ssrc = random_.u32(),
             .index = random_.below(1u << 31)};
    m.packet.resize(m.job.header_bytes + prefix_bytes + payload_bytes + srtp::MaxTrailerBytes);
    random_.fill(m.packet);
    return m;
  }
  MixedJob out_of_place(MixedJob m) {
    ByteVector payload(m.job.payload_bytes);
    random_.fill(payload);
    m.payload = std::make_shared<const ByteVector>(std::move(payload));
    return m;
  }

  SeededRandom random_{7};
  Twins twins_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Engines, FastCipherDifferential,
                         ::testing::ValuesIn(testing::fast_engines()),
                         [](const auto& test) { return test.param.name; });

TEST_P(FastCipherDifferential, AgreesOnEverySizeOfBodyAndPrefix) {
  for (const SrtpProfile profile : AllProfiles) {
    const TestKey key(profile);
    const KeySlot out = twins_.protect->add_key(key.keys()).value();
    const KeySlot in = twins_.unprotect->add_key(key.keys()).value();
    ASSERT_EQ(twins_.reference_protect.add_key(key.keys()).value(), out);
    ASSERT_EQ(twins_.reference_unprotect.add_key(key.keys()).value(), in);
    for (const bool rtcp : {false, true}) {
      std::vector<MixedJob> jobs;
      const auto add = [&](size_t prefix_bytes, size_t payload_bytes) {
        jobs.push_back(job(out, rtcp, prefix_bytes, payload_bytes));
        jobs.push_back(out_of_place(job(out, rtcp, prefix_bytes, payload_bytes)));
      };
      for (size_t body = 0; body <= 300; ++body) add(0, body);
      for (size_t body = 1180; body <= 1220; ++body) add(0, body);
      for (size_t prefix = 1; prefix <= 20; ++prefix) {
        for (const size_t payload : {0, 1, 14, 15, 16, 17, 31, 33, 64, 127, 300, 1187, 1200}) {
          add(prefix, payload);
        }
      }
      const auto sealed = expect_same(twins_.reference_protect, *twins_.protect, jobs);
      std::vector<MixedJob> back;
      for (size_t i = 0; i < jobs.size(); ++i) {
        ASSERT_EQ(sealed[i].job.verdict, Verdict::Ok);
        back.push_back(received(jobs[i], sealed[i], in));
      }
      for (const MixedOutcome& opened :
           expect_same(twins_.reference_unprotect, *twins_.unprotect, back)) {
        ASSERT_EQ(opened.job.verdict, Verdict::Ok);
      }
    }
  }
}

TEST_P(FastCipherDifferential, RefusesAChangedByteAmongGoodPacketsOfTheSameBatch) {
  for (const SrtpProfile profile : AllProfiles) {
    const TestKey key(profile);
    const KeySlot out = twins_.protect->add_key(key.keys()).value();
    const KeySlot in = twins_.unprotect->add_key(key.keys()).value();
    ASSERT_EQ(twins_.reference_unprotect.add_key(key.keys()).value(), in);
    for (const bool rtcp : {false, true}) {
      const MixedJob clear = job(out, rtcp, 0, 90);
      const MixedOutcome sealed = MixedRun(*twins_.protect, {&clear, 1}).finish().front();
      const MixedJob good = received(clear, sealed, in);
      std::vector<MixedJob> jobs;
      for (size_t at = 0; at < good.packet.size(); ++at) {
        jobs.push_back(good);
        jobs.push_back(good);
        jobs.back().packet[at] ^= static_cast<uint8_t>(1u << random_.below(8));
      }
      const auto opened = expect_same(twins_.reference_unprotect, *twins_.unprotect, jobs);
      for (size_t i = 0; i < opened.size(); ++i) {
        ASSERT_EQ(opened[i].job.verdict, i % 2 == 0 ? Verdict::Ok : Verdict::AuthFailed)
            << "byte " << i / 2;
      }
    }
  }
}

TEST_P(FastCipherDifferential, AgreesOnMixedBatchesOfEverySize) {
  CipherMix mix(random_, twins_.both());
  for (size_t packets = 1; packets <= 256; ++packets) {
    const auto differs = mix.step(packets);
    ASSERT_FALSE(differs) << "batch of " << packets << ": " << *differs;
  }
  EXPECT_GT(mix.opened(), 10'000u);  // the mix is one of packets that mostly live
  EXPECT_GT(mix.refused(), 2'000u);
}

TEST_P(FastCipherDifferential, AgreesOnManySmallBatchesWhileKeysComeAndGo) {
  CipherMix mix(random_, twins_.both());
  for (int i = 0; i < 1500; ++i) {
    const auto differs = mix.step(1 + random_.below(20));
    ASSERT_FALSE(differs) << "batch " << i << ": " << *differs;
  }
}

}  // namespace
}  // namespace viaduct::edge
