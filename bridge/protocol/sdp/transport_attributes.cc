#include "protocol/sdp/transport_attributes.h"

#include <algorithm>

namespace viaduct::sdp {
namespace {

struct Hash {
  std::string_view name;
  size_t bytes;
};
constexpr Hash AcceptedHashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};

bool is_ice_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool is_ice_text(std::string_view text, size_t at_least) {
  return text.size() >= at_least && text.size() <= 256 && std::ranges::all_of(text, is_ice_char);
}

std::optional<uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

// "AB:CD:..." of exactly `size` bytes.
std::optional<std::vector<uint8_t>> parse_fingerprint(std::string_view text, size_t size) {
  if (text.size() != size * 3 - 1) return std::nullopt;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 3) {
    const auto high = hex_digit(text[i]);
    const auto low = hex_digit(text[i + 1]);
    if (!high || !low || (i + 2 < text.size() && text[i + 2] != ':')) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>((*high << 4) | *low));
  }
  return bytes;
}

Result<void> handle_fingerprint(const Line& line, TransportAttributes& attributes) {
  std::string_view text = line.rest;
  const std::string_view algorithm = take_word(text);
  for (const Hash& hash : AcceptedHashes) {
    if (!same_name(hash.name, algorithm) || !attributes.fingerprint.empty()) continue;
    auto bytes = parse_fingerprint(take_word(text), hash.bytes);
    if (!bytes) return error_at(line, "not " + std::to_string(hash.bytes) + " bytes in hexadecimal");
    attributes.fingerprint_algorithm = hash.name;
    attributes.fingerprint = std::move(*bytes);
  }
  return {};
}

}  // namespace

Result<void> TransportAttributes::handle(const Line& line) {
  if (line.name == "ice-ufrag") {
    if (!is_ice_text(line.rest, 4)) return error_at(line, "not 4 to 256 ICE characters");
    ice_ufrag = line.rest;
  } else if (line.name == "ice-pwd") {
    if (!is_ice_text(line.rest, 22)) return error_at(line, "not 22 to 256 ICE characters");
    ice_pwd = line.rest;
  } else if (line.name == "fingerprint") {
    return handle_fingerprint(line, *this);
  } else if (line.name == "setup") {
    if (line.rest == "actpass") setup = Setup::ActPass;
    else if (line.rest == "active") setup = Setup::Active;
    else if (line.rest == "passive") setup = Setup::Passive;
    else return error_at(line, "not actpass, active or passive");
  }
  return {};
}

void TransportAttributes::inherit(const TransportAttributes& session) {
  if (ice_ufrag.empty()) ice_ufrag = session.ice_ufrag;
  if (ice_pwd.empty()) ice_pwd = session.ice_pwd;
  if (!setup) setup = session.setup;
  if (fingerprint.empty()) {
    fingerprint_algorithm = session.fingerprint_algorithm;
    fingerprint = session.fingerprint;
  }
}

std::string_view TransportAttributes::missing() const {
  if (ice_ufrag.empty()) return "a=ice-ufrag";
  if (ice_pwd.empty()) return "a=ice-pwd";
  if (fingerprint.empty()) return "a=fingerprint with sha-256, sha-384 or sha-512";
  return {};
}

}  // namespace viaduct::sdp
