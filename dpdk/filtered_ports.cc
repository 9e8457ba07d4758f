#include "dpdk/filtered_ports.h"

#include "base/log.h"
#include "dpdk/port.h"
#include "dpdk/xdp/media_filter.h"

namespace viaduct::dpdk {
namespace {

// Empty when the port has no program of ours.
std::string filtered_interface(const std::string& spec) {
  if (!is_xdp_port(spec) || !device_argument(spec, "xdp_prog").empty()) return {};
  return device_argument(spec, "iface");
}

}  // namespace

bool is_xdp_port(const std::string& spec) { return spec.starts_with("net_af_xdp"); }

Result<std::string> with_media_filter(const std::string& spec) {
  const std::string interface = filtered_interface(spec);
  if (interface.empty()) return spec;
  const auto filter = xdp::media_filter_path();
  if (!filter) return filter.error();
  if (const auto claimed = xdp::claim_interface(interface); !claimed) return claimed.error();
  return spec + ",xdp_prog=" + filter->string();
}

Result<void> set_media_filters(const Settings& settings) {
  const bool media_alone = settings.kernel == KernelPath::Xdp;
  for (const std::string& spec : settings.ports) {
    const std::string interface = filtered_interface(spec);
    if (interface.empty() && media_alone) {
      return Error{ErrorCode::InvalidArgument, "dpdk-kernel 'xdp' is for af_xdp ports, and " + device_name(spec) +
                                                   " is none with the bridge's own program; set it to 'tap' or 'none'"};
    }
    if (interface.empty()) continue;
    const auto set = media_alone ? xdp::set_media_ports(interface, settings.first_media_port, settings.workers)
                                 : xdp::take_everything(interface);
    if (!set) return set;
  }
  return {};
}

void warn_of_other_queues(const std::string& spec, size_t ours) {
  const std::string interface = filtered_interface(spec);
  if (interface.empty()) return;
  if (const size_t all = xdp::receive_queues(interface); all > ours) {
    log::warn(
        "{} spreads frames over {} receive queues, of which {} are the bridge's: media in others is lost; set their "
        "number by 'ethtool -L {}', or give the port all of them (queue_count) and as many workers",
        interface, all, ours, interface);
  }
}

}  // namespace viaduct::dpdk
