// A fast cipher beside the reference: whatever batches the input makes up, from jobs with every size,
// key and flaw, both must give the same verdicts and bytes. The fast ones are the CPU's, with each set
// of vector instructions, and the CUDA kernels on the emulated device.
//
// The input says which of them, and is the mix's source of choices (tests/support/cipher_mix.h); when
// it is used up, a seed goes on in its place.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "tests/support/cipher_engines.h"
#include "tests/support/cipher_mix.h"

using namespace viaduct;
using edge::Direction;
using testing::CipherMix;

namespace {

class Choices final : public Random {
 public:
  explicit Choices(Bytes input) : input_(input), then_(input.size()) {}
  void fill(MutableBytes out) override {
    const size_t given = std::min(out.size(), input_.size());
    std::ranges::copy(input_.first(given), out.begin());
    input_ = input_.subspan(given);
    then_.fill(out.subspan(given));
  }
  bool used_up() const { return input_.empty(); }

 private:
  Bytes input_;
  SeededRandom then_;
};

// Made once, for libipsec-mb tests itself whenever it starts; the keys of an input go with its mix. Each has a
// reference of its own, which knows its keys by the same slots.
struct Engine {
  explicit Engine(const testing::CipherEngine& fast)
      : fast_protect(fast.make(Direction::Protect, CipherMix::MostKeys)),
        fast_unprotect(fast.make(Direction::Unprotect, CipherMix::MostKeys)) {}

  edge::ReferenceCipher protect{Direction::Protect, CipherMix::MostKeys};
  edge::ReferenceCipher unprotect{Direction::Unprotect, CipherMix::MostKeys};
  std::unique_ptr<edge::SessionCipher> fast_protect;
  std::unique_ptr<edge::SessionCipher> fast_unprotect;
};

std::vector<std::unique_ptr<Engine>> make_engines() {
  std::vector<std::unique_ptr<Engine>> engines;
  for (const testing::CipherEngine& fast : testing::fast_engines())
    engines.push_back(std::make_unique<Engine>(fast));
  return engines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto engines = make_engines();
  Choices choices({data, size});
  Engine& engine = *engines[choices.u32() % engines.size()];
  CipherMix mix(choices, {engine.protect, *engine.fast_protect, engine.unprotect,
                          *engine.fast_unprotect});
  do {
    const auto differs = mix.step(1 + choices.u32() % 40);
    if (differs) std::fprintf(stderr, "%s\n", differs->c_str());
    CHECK(!differs);
  } while (!choices.used_up());
  return 0;
}
