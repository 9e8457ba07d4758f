// The fast CPU cipher beside the reference: whatever batches the input makes up, from jobs with
// every size, key and flaw, both must give the same verdicts and bytes.
//
// The input is the mix's source of choices (tests/support/cipher_mix.h); when it is used up, a seed
// goes on in its place.

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "edge/cpu_cipher.h"
#include "edge/reference_cipher.h"
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

std::unique_ptr<edge::SessionCipher> make(Direction direction) {
  auto made = edge::make_cpu_cipher(direction, CipherMix::MostKeys);
  if (made) return std::move(*made);
  std::fprintf(stderr, "%s\n", made.error().text.c_str());
  std::exit(0);  // there is nothing to compare
}

// Made once, for libipsec-mb tests itself whenever it starts; the keys of an input go with its mix.
struct Engines {
  edge::ReferenceCipher protect{Direction::Protect, CipherMix::MostKeys};
  edge::ReferenceCipher unprotect{Direction::Unprotect, CipherMix::MostKeys};
  std::unique_ptr<edge::SessionCipher> fast_protect = make(Direction::Protect);
  std::unique_ptr<edge::SessionCipher> fast_unprotect = make(Direction::Unprotect);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Engines engines;
  Choices choices({data, size});
  CipherMix mix(choices, {engines.protect, *engines.fast_protect, engines.unprotect,
                          *engines.fast_unprotect});
  do {
    const auto differs = mix.step(1 + choices.u32() % 40);
    if (differs) std::fprintf(stderr, "%s\n", differs->c_str());
    CHECK(!differs);
  } while (!choices.used_up());
  return 0;
}
