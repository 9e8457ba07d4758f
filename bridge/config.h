// Everything an operator can decide. Each field says its name, default, unit and one explanation, once: the TOML file,
// the command line, --help and deploy/viaduct.toml (the output of --print-config) are all made from this struct.
//
// To add an option, add a Setting here; rules between several settings belong into check_config() in config_check.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/interface_address.h"
#include "base/log.h"
#include "base/result.h"
#include "base/socket_address.h"
#include "config_setting.h"
#include "limits.h"
#include "protocol/codec/codec.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct {

enum class TlsMode : uint8_t { Off, Ephemeral, Files };
enum class CryptoEngine : uint8_t { Auto, Cpu, Cuda, CudaEmulated, Reference };
enum class IoWait : uint8_t { Block, Adaptive, Poll };
enum class PacketEdge : uint8_t { Socket, Dpdk };
enum class HugePages : uint8_t { Auto, On, Off };
enum class KernelPath : uint8_t { None, Tap, Xdp, Isolate };
enum class LogLevel : uint8_t { Trace, Debug, Info, Warn, Error, Off };

template <>
inline constexpr auto ChoicesOf<IoWait> = std::to_array<Choice<IoWait>>(
    {{"block", IoWait::Block}, {"adaptive", IoWait::Adaptive}, {"poll", IoWait::Poll}});
template <>
inline constexpr auto ChoicesOf<PacketEdge> =
    std::to_array<Choice<PacketEdge>>({{"socket", PacketEdge::Socket}, {"dpdk", PacketEdge::Dpdk}});
template <>
inline constexpr auto ChoicesOf<HugePages> = std::to_array<Choice<HugePages>>(
    {{"auto", HugePages::Auto}, {"on", HugePages::On}, {"off", HugePages::Off}});
template <>
inline constexpr auto ChoicesOf<KernelPath> =
    std::to_array<Choice<KernelPath>>({{"none", KernelPath::None},
                                       {"tap", KernelPath::Tap},
                                       {"xdp", KernelPath::Xdp},
                                       {"isolate", KernelPath::Isolate}});
template <>
inline constexpr auto ChoicesOf<TlsMode> = std::to_array<Choice<TlsMode>>(
    {{"off", TlsMode::Off}, {"ephemeral", TlsMode::Ephemeral}, {"files", TlsMode::Files}});
template <>
inline constexpr auto ChoicesOf<CryptoEngine> = std::to_array<Choice<CryptoEngine>>(
    {{"auto", CryptoEngine::Auto},
     {"cpu", CryptoEngine::Cpu},
     {"cuda", CryptoEngine::Cuda},
     {"cuda-emulated", CryptoEngine::CudaEmulated},
     {"reference", CryptoEngine::Reference}});
template <>
inline constexpr auto ChoicesOf<log::Format> =
    std::to_array<Choice<log::Format>>({{"text", log::Format::Text}, {"json", log::Format::Json}});
template <>
inline constexpr auto ChoicesOf<LogLevel> = std::to_array<Choice<LogLevel>>({{"trace", LogLevel::Trace},
                                                                            {"debug", LogLevel::Debug},
                                                                            {"info", LogLevel::Info},
                                                                            {"warn", LogLevel::Warn},
                                                                            {"error", LogLevel::Error},
                                                                            {"off", LogLevel::Off}});
template <>
inline constexpr auto ChoicesOf<codec::CodecType> =
    std::to_array<Choice<codec::CodecType>>({{"vp8", codec::CodecType::Vp8},
                                             {"vp9", codec::CodecType::Vp9},
                                             {"h264", codec::CodecType::H264},
                                             {"av1", codec::CodecType::Av1}});
template <>
inline constexpr auto ChoicesOf<srtp::SrtpProfile> =
    std::to_array<Choice<srtp::SrtpProfile>>({{"aes128-gcm", srtp::SrtpProfile::AeadAes128Gcm},
                                              {"aes256-gcm", srtp::SrtpProfile::AeadAes256Gcm},
                                              {"sha1-80", srtp::SrtpProfile::Aes128CmHmacSha1_80}});

// clang-format off
struct Config {
  Section page{"Page and signalling"};
  Setting<SocketAddress> page_address{"page-address", "127.0.0.1:8080",
      "Where the meeting page and the signalling WebSocket are served; port 0 takes any free one."};
  Setting<std::filesystem::path> web_root{"web-root", "",
      "Directory of the page's files; empty finds those that came with the program."};
  Setting<std::vector<std::string>> allowed_origins{"allowed-origins", "",
      "Origins (https://meet.example.org) whose pages may open the signalling WebSocket beside the page's own; '*' is "
      "any."};
  Setting<TlsMode> tls{"tls", "off",
      "HTTPS for the page: off, ephemeral (a self-signed certificate made at start) or files (tls-certificate and "
      "tls-key). Browsers give cameras only to pages from localhost or over HTTPS."};
  Setting<std::filesystem::path> tls_certificate{"tls-certificate", "",
      "PEM file with the page's certificate and its chain; only with tls = files."};
  Setting<std::filesystem::path> tls_key{"tls-key", "", "PEM file with the private key of tls-certificate."};
  Setting<bool> direct{"direct", "true",
      "Two people who are alone in a conference may connect directly, past the bridge; they learn each other's "
      "addresses then."};
  Setting<std::vector<std::string>> ice_servers{"ice-servers", "",
      "STUN servers (stun:stun.example.org:3478) that browsers ask for their public address to connect directly; empty "
      "is none."};
  Setting<bool> require_e2ee{"require-e2ee", "false",
      "Every conference requires end-to-end encryption: streams that are not declared encrypted, or do not look it, "
      "are not forwarded."};

  Section media{"Media"};
  Setting<std::vector<IpAddress>> media_address{"media-address", "0.0.0.0,::",
      "Addresses on which media is received."};
  Setting<uint16_t> media_port{"media-port", "10000", Range{1, 65535, "UDP port"},
      "The first worker's UDP port; each further worker takes the next."};
  Setting<std::vector<IpAddress>> advertise{"advertise", "",
      "Addresses that clients are told to send media to, such as the public one of a server behind 1:1 NAT; empty "
      "takes those of this host's interfaces."};
  Setting<uint16_t> audio_slots{"audio-slots", "3", Range{0, limits::AudioSlotsPerEndpoint, "streams"},
      "Voices that each participant receives at a time: the loudest ones."};
  Setting<bool> mixed_audio{"mixed-audio", "true",
      "Participants of conferences that are not encrypted end to end may ask for one mix of all voices instead of "
      "single ones; the bridge decodes sound for that, and costs some hundred times as much for it."};
  Setting<uint16_t> mix_voices{"mix-voices", "3", Range{1, limits::MixVoices, "voices"},
      "Voices in a mix at a time: the loudest ones."};
  Setting<uint16_t> video_slots{"video-slots", "12", Range{0, limits::VideoSlotsPerEndpoint, "streams"},
      "Pictures that each participant receives at a time."};
  Setting<std::vector<codec::CodecType>> video_codecs{"video-codecs", "vp8,vp9,h264,av1",
      "Video formats that conferences may use, the most wanted first."};
  Setting<std::vector<srtp::SrtpProfile>> srtp_profiles{"srtp-profiles", "aes128-gcm,aes256-gcm,sha1-80",
      "Media encryption that may be agreed on, the most wanted first."};

  Section load{"Load"};
  Setting<uint16_t> workers{"workers", "0", Range{0, limits::MaxWorkers, "threads"},
      "Media threads, one UDP port each; 0 takes one less than the number of cores."};
  Setting<CryptoEngine> crypto{"crypto", "auto",
      "What encrypts media: cpu (libipsec-mb, on the CPU's vector units), cuda (an NVIDIA GPU; the CPU where there is "
      "none), auto (measures both and decides for each batch), reference (OpenSSL, one packet at a time, several times "
      "slower) or cuda-emulated (the GPU's kernels on the CPU, very slow, for development)."};
  Setting<PacketEdge> io{"io", "socket",
      "Where media packets come from: socket (the kernel) or dpdk (workers poll network ports past the kernel; see "
      "deploy/docs/dpdk.md)."};
  Setting<IoWait> io_wait{"io-wait", "block",
      "How workers wait for packets: block (they sleep in the kernel; with dpdk for up to 200 us), adaptive (they "
      "look again for 50 us before they sleep, while packets come thick) or poll (they never sleep, and take a whole "
      "core each)."};
  Setting<bool> udp_segmentation{"udp-segmentation", "true",
      "Let the kernel cut one large datagram into a receiver's packets (UDP GSO), which costs a third; where kernel or "
      "device cannot, packets are sent one by one anyway."};
  Setting<uint32_t> packet_pool_packets{"packet-pool-packets", "32768", Range{4096, 1u << 20, "packets"},
      "Packet buffers of each worker, 1,792 bytes a packet, reserved at start."};
  Setting<uint32_t> max_conferences{"max-conferences", "2048",
      Range{1, limits::ConferencesPerWorker * limits::MaxWorkers, "conferences"},
      "Conferences on this bridge at a time."};
  Setting<uint32_t> max_participants{"max-participants", "4096",
      Range{1, limits::EndpointsPerWorker * limits::MaxWorkers, "participants"},
      "Participants on this bridge at a time."};
  Setting<uint32_t> max_participants_per_conference{"max-participants-per-conference", "100",
      Range{1, limits::EndpointsPerConference, "participants"}, "Participants in one conference at a time."};
  Setting<uint32_t> participants_per_worker{"participants-per-worker", "200",
      Range{1, limits::EndpointsPerConference, "participants"},
      "Participants of one conference on one worker, before further ones go to another; they go there earlier where "
      "the worker is busy."};

  Section dpdk{"DPDK (with io = dpdk)"};
  Setting<std::string> dpdk_ports{"dpdk-ports", "",
      "Ports of one network, separated by spaces: PCI addresses (0000:3b:00.0), or virtual devices of DPDK with their "
      "arguments (net_af_packet0,iface=eth1,qpairs=2)."};
  Setting<std::vector<InterfaceAddress>> dpdk_addresses{"dpdk-addresses", "",
      "The bridge's own addresses there, with the bits of their network (192.0.2.10/24); clients are told these unless "
      "advertise names others."};
  Setting<std::vector<IpAddress>> dpdk_gateways{"dpdk-gateways", "",
      "Next hops to what is not on that network, at most one of each family."};
  Setting<uint16_t> dpdk_vlan{"dpdk-vlan", "0", Range{0, 4094, "802.1Q tag"},
      "The virtual LAN that frames are tagged for; 0 is none."};
  Setting<uint16_t> dpdk_mtu{"dpdk-mtu", "1500", Range{1280, 1600, "bytes"}, "The longest IP packet of that network."};
  Setting<std::vector<uint16_t>> dpdk_cpus{"dpdk-cpus", "",
      "CPUs that the workers are pinned to, one each in their order; empty pins none."};
  Setting<uint16_t> dpdk_descriptors{"dpdk-descriptors", "1024", Range{64, 16384, "packets"},
      "Length of each receive and transmit queue of the ports, as far as they have it."};
  Setting<HugePages> dpdk_huge_pages{"dpdk-huge-pages", "auto",
      "Packets lie in huge pages: on, off, or auto (where enough are free)."};
  Setting<uint32_t> dpdk_memory{"dpdk-memory", "0", Range{0, 1u << 20, "MiB"},
      "Memory for DPDK; 0 takes what the workers' packets need."};
  Setting<KernelPath> dpdk_kernel{"dpdk-kernel", "none",
      "How what is not media reaches the kernel: none (not at all), tap (by a TAP device with the same addresses), xdp "
      "(an XDP program on af_xdp ports leaves it there) or isolate (the network card gives the bridge media alone)."};
  Setting<std::string> dpdk_kernel_device{"dpdk-kernel-device", "viaduct0", "Name of that TAP device."};
  Setting<bool> dpdk_telemetry{"dpdk-telemetry", "false",
      "Open DPDK's telemetry socket; /viaduct/io is among its commands."};
  Setting<std::string> dpdk_eal_arguments{"dpdk-eal-arguments", "",
      "Further arguments of DPDK's environment layer (EAL), separated by spaces."};

  Section tokens{"Join tokens"};
  Setting<bool> token_required{"token-required", "false", "Let nobody join without a valid token (JWT)."};
  Setting<std::filesystem::path> token_secret_file{"token-secret-file", "",
      "File with the secret that HS256 tokens are signed with, at least 32 bytes; a newline at its end does not "
      "count."};
  Setting<std::filesystem::path> token_public_key{"token-public-key", "",
      "PEM file with the public key (P-256) of whoever signs ES256 tokens."};
  Setting<std::string> token_issuer{"token-issuer", "",
      "The iss claim that a token must carry; empty accepts any."};
  Setting<std::string> token_audience{"token-audience", "",
      "The aud claim that a token must carry; empty accepts any."};

  Section operation{"Operation"};
  Setting<SocketAddress> admin_address{"admin-address", "127.0.0.1:9091",
      "Where operators find /livez, /readyz, /metrics and /v1/conferences, without authentication; port 0 takes any "
      "free one."};
  Setting<log::Format> log_format{"log-format", "text",
      "How log lines are written to stderr; json is one object a line."};
  Setting<LogLevel> log_level{"log-level", "info", "The least important log lines that are written."};
  Setting<bool> hardening{"hardening", "true",
      "Give up, for good, what could let media or keys out of the process: core dumps, debuggers, swap, writing files. "
      "False is for debugging alone."};
  Setting<bool> require_hardening{"require-hardening", "false",
      "Do not start unless every measure of hardening is in force, naming those that are not."};
};
// clang-format on

// What the command line asks for: to run with `config`, or, when `print` is there, to print it on stdout and exit 0.
struct Startup {
  Config config;
  std::optional<std::string> print;
};

// Reads the command line and the file it names; the command line wins. An error is one sentence (without its full stop)
// that names the option, the value and what is allowed. Unless it is to be printed, the configuration has no automatic
// values left (config_automatic.h).
Result<Startup> load_config(int argc, const char* const* argv);

// The configuration as a TOML file in which every key is explained; feeding it back gives the same configuration.
std::string annotated_toml(const Config& config);

}  // namespace viaduct
