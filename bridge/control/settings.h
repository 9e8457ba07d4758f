// What the control thread needs to know. main fills it from the configuration and checks ranges;
// control trusts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/socket_address.h"
#include "limits.h"
#include "protocol/codec/codec.h"
#include "secrecy/secret_string.h"

namespace viaduct::control {

enum class TlsMode : uint8_t {
  Off,        // plain HTTP: for loopback, or behind a proxy that does TLS
  Files,      // a certificate chain and a key from PEM files
  Ephemeral,  // a self-signed certificate made at start; its key never leaves memory
};

struct TlsSettings {
  TlsMode mode = TlsMode::Off;
  std::string certificate_path;  // PEM, the leaf first
  std::string key_path;          // PEM, not encrypted
};

// Join tokens: JSON Web Tokens (RFC 7519) that somebody else issues. A given token is checked as
// soon as a key is set.
struct TokenSettings {
  bool required = false;               // a join without a token is refused
  secrecy::SecretString hs256_secret;  // at least 32 bytes (RFC 7518 section 3.2); empty: HS256 is refused
  std::string es256_public_key_pem;  // the PEM text itself; empty: ES256 is refused
  std::string issuer;                // empty: any
  std::string audience;              // empty: any

  bool has_key() const { return !hs256_secret.empty() || !es256_public_key_pem.empty(); }
};

struct ControlLimits {
  size_t message_bytes =
      limits::SignallingMessageBytes;    // of one signalling message, at most that constant
  uint32_t messages_per_second = 20;     // of one socket, on average; twice as many in a burst
  size_t sockets = 4096;                 // WebSockets open at a time
  size_t connections = 8192;             // TCP connections to the page listener at a time
  size_t connections_per_address = 256;  // of those, from one IPv4 address or IPv6 /64
  uint32_t new_connections_per_second =
      100;  // from one address, on average; twice as many in a burst
  size_t participants = limits::EndpointsPerWorker;  // on this bridge at a time
  size_t participants_per_conference = limits::EndpointsPerConference;
  size_t conferences = 2048;
};

struct Settings {
  SocketAddress page_address{IpAddress::v4(0x7f000001), 8080};
  SocketAddress admin_address{IpAddress::v4(0x7f000001),
                              9091};  // always plain HTTP: keep it on loopback
  TlsSettings page_tls;
  std::string web_root;  // a folder, read once at start; empty: only signalling is served
  std::vector<std::string>
      allowed_origins;  // besides the page's own: "https://meet.example.org"; "*": any
  std::string
      public_name;  // host name or address under which people reach the page; empty: page_address

  bool direct_allowed = true;            // two people may connect to each other
  std::vector<std::string> ice_servers;  // for that: "stun:stun.example.org:3478"
  bool require_e2ee = false;             // in every conference
  bool mixed_audio = false;              // people may hear one mix instead of single voices

  TokenSettings token;
  ControlLimits limits;

  // Of one conference on one worker; further ones go to others.
  size_t participants_per_worker = 200;

  uint32_t audio_slots = 3;  // receive slots each client is told to open
  uint32_t video_slots = 12;
  std::vector<codec::CodecType> video_preference = {codec::CodecType::Vp8, codec::CodecType::Vp9,
                                                    codec::CodecType::H264, codec::CodecType::Av1};

  std::vector<std::vector<SocketAddress>> candidates;  // [worker]: advertised addresses, best first
  std::string fingerprint_algorithm = "sha-256";       // of the bridge's DTLS certificate
  std::vector<uint8_t> fingerprint;
};

}  // namespace viaduct::control
