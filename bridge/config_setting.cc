#include "config_setting.h"

namespace viaduct {

std::optional<SocketAddress> TextForm<SocketAddress>::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  const auto ip = IpAddress::parse(host == "localhost" ? "127.0.0.1" : host);
  const auto port = TextForm<uint16_t>::parse(text.substr(colon + 1));
  if (!ip || !port || ip->is_v6() != bracketed) return std::nullopt;
  return SocketAddress{*ip, *port};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    out.emplace_back(text.substr(0, comma));
    if (comma + 1 == text.size()) out.emplace_back();  // a trailing comma promises one more
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace viaduct
