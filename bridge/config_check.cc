#include "config_check.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace viaduct {
namespace {

Error invalid(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

template <typename T>
Result<void> check_not_empty(const Setting<std::vector<T>>& setting) {
  if (!setting->empty()) return {};
  return invalid(std::string(setting.name()) + " is empty; give " + setting.allowed());
}

Result<void> check_readable(const Setting<std::filesystem::path>& setting) {
  if (setting->empty()) return {};
  std::error_code error;
  errno = 0;
  const std::ifstream in(*setting);
  if (in && !std::filesystem::is_directory(*setting, error)) return {};
  const char* reason = in ? "it is a directory" : std::strerror(errno);
  return invalid(std::string(setting.name()) + " '" + setting->string() + "' cannot be read (" +
                 reason + "); name a file that the bridge may read");
}

Result<void> check_tls(const Config& config) {
  const bool named = !config.tls_certificate->empty() || !config.tls_key->empty();
  if (*config.tls == TlsMode::Files &&
      (config.tls_certificate->empty() || config.tls_key->empty())) {
    return invalid("tls 'files' needs two files; give both tls-certificate and tls-key");
  }
  if (*config.tls != TlsMode::Files && named) {
    return invalid("tls '" + config.tls.texts().front() +
                   "' uses no files; set tls to 'files', or remove tls-certificate and tls-key");
  }
  if (auto readable = check_readable(config.tls_certificate); !readable) return readable;
  return check_readable(config.tls_key);
}

Result<void> check_tokens(const Config& config) {
  if (*config.token_required && config.token_secret_file->empty() &&
      config.token_public_key->empty()) {
    return invalid(
        "token-required 'true' needs a key to verify tokens with; give token-secret-file or "
        "token-public-key");
  }
  if (auto readable = check_readable(config.token_secret_file); !readable) return readable;
  return check_readable(config.token_public_key);
}

Result<void> check_hardening(const Config& config) {
  if (*config.hardening || !*config.require_hardening) return {};
  return invalid(
      "require-hardening 'true' cannot be met with hardening 'false'; set hardening to true, or "
      "remove require-hardening");
}

Result<void> check_web_root(const Config& config) {
  if (config.web_root->empty() || std::filesystem::is_regular_file(*config.web_root / "index.html"))
    return {};
  return invalid("web-root '" + config.web_root->string() +
                 "' holds no index.html; name the directory of the page's files");
}

Result<void> check_origins(const Config& config) {
  for (const std::string& origin : *config.allowed_origins) {
    const size_t scheme_end = origin.starts_with("https://")  ? 8
                              : origin.starts_with("http://") ? 7
                                                              : 0;
    const bool host_only = scheme_end > 0 && origin.size() > scheme_end &&
                           origin.find('/', scheme_end) == std::string::npos;
    if (origin != "*" && !host_only) {
      return invalid(
          "allowed-origins '" + origin +
          "' is not allowed; give a scheme and a host such as https://meet.example.org, or *");
    }
  }
  return {};
}

// RFC 7064: "stun:" and a host, perhaps a port; an IPv6 address in brackets.
bool is_stun_url(std::string_view url) {
  if (!url.starts_with("stun:")) return false;
  url.remove_prefix(5);
  const size_t colon = url.find(':', url.starts_with('[') ? url.find(']') : 0);
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[')) {
    const bool is_closed = host.size() > 2 && host.ends_with(']');
    if (!is_closed || !IpAddress::parse(host.substr(1, host.size() - 2))) return false;
  } else if (host.empty() || !std::all_of(host.begin(), host.end(), [](unsigned char c) {
               return std::isalnum(c) || c == '.' || c == '-';
             })) {
    return false;
  }
  if (colon == std::string_view::npos) return true;
  const auto port = TextForm<uint16_t>::parse(url.substr(colon + 1));
  return port && *port > 0;
}

Result<void> check_ice_servers(const Config& config) {
  for (const std::string& url : *config.ice_servers) {
    if (url.starts_with("turn:") || url.starts_with("turns:")) {
      return invalid("ice-servers '" + url +
                     "' would need a password, which every client would see; give stun: URLs only: "
                     "who cannot connect directly goes by way of the bridge");
    }
    if (!is_stun_url(url)) {
      return invalid("ice-servers '" + url +
                     "' is not allowed; give stun: and a host such as stun:stun.example.org:3478");
    }
  }
  return {};
}

Result<void> check_ports(const Config& config) {
  const size_t workers = std::max<size_t>(1, *config.workers);
  if (*config.media_port + workers - 1 <= 65535) return {};
  return invalid("media-port '" + std::to_string(*config.media_port) +
                 "' leaves no port for each of " + std::to_string(workers) +
                 " workers; give at most " + std::to_string(65536 - workers));
}

Result<void> check_advertised(const Config& config) {
  for (const IpAddress& address : *config.advertise) {
    if (!address.is_unspecified()) continue;
    return invalid("advertise '" + address.to_string() +
                   "' is no address that clients can send to; give one of this server's own");
  }
  return {};
}

// Gateways: each on a network of ours, and one of a family.
Result<void> check_gateways(const Config& config) {
  size_t of_family[2] = {};
  for (const IpAddress& gateway : *config.dpdk_gateways) {
    if (++of_family[gateway.is_v6()] > 1)
      return invalid("dpdk-gateways '" + gateway.to_string() + "' is the second of its family; give one of each");
    const auto& ours = *config.dpdk_addresses;
    if (!std::any_of(ours.begin(), ours.end(), [&](const auto& a) { return a.has_on_link(gateway); }))
      return invalid("dpdk-gateways '" + gateway.to_string() +
                     "' is on no network of dpdk-addresses; give an address with its prefix there");
  }
  return {};
}

Result<void> check_dpdk(const Config& config) {
  if (*config.io != PacketEdge::Dpdk) return {};
  if (config.dpdk_ports->empty()) {
    return invalid(
        "io 'dpdk' needs a network port; give dpdk-ports a PCI address such as 0000:3b:00.0 or a virtual device such "
        "as net_af_packet0,iface=eth1");
  }
  if (auto filled = check_not_empty(config.dpdk_addresses); !filled) return filled;
  if (!config.dpdk_cpus->empty() && *config.workers > config.dpdk_cpus->size()) {
    return invalid("dpdk-cpus names " + std::to_string(config.dpdk_cpus->size()) + " CPUs for " +
                   std::to_string(*config.workers) + " workers; name one for each, or none");
  }
  return check_gateways(config);
}

}  // namespace

Result<void> check_config(const Config& config) {
  for (const auto& checked :
       {check_not_empty(config.media_address), check_not_empty(config.video_codecs),
        check_not_empty(config.srtp_profiles), check_ports(config), check_advertised(config), check_dpdk(config),
        check_origins(config), check_ice_servers(config), check_web_root(config),
        check_tls(config), check_tokens(config), check_hardening(config)}) {
    if (!checked) return checked;
  }
  return {};
}

}  // namespace viaduct
