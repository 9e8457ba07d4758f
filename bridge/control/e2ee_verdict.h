// A sender's word about end-to-end encryption, held against what the bridge sees of its streams.
//
// Evidence, not proof: whoever wants to can make plaintext look like noise.
#pragma once

#include "conference/snapshot.h"

namespace viaduct::control {

// The worse the greater.
enum class E2eeVerdict : uint8_t { Undeclared, Consistent, Undecided, Contradicted };
constexpr const char* to_string(E2eeVerdict v) {
  constexpr const char* Names[] = {"undeclared", "consistent", "undecided", "contradicted"};
  return Names[static_cast<size_t>(v)];
}

constexpr E2eeVerdict verdict_of(bool declared, conference::ObservedBodies observed) {
  if (!declared) return E2eeVerdict::Undeclared;
  switch (observed) {
    case conference::ObservedBodies::Undecided:
      return E2eeVerdict::Undecided;
    case conference::ObservedBodies::Plain:
      return E2eeVerdict::Contradicted;
    case conference::ObservedBodies::Ciphertext:
      return E2eeVerdict::Consistent;
  }
  return E2eeVerdict::Undecided;
}

}  // namespace viaduct::control
