// For builds without libbpf or without a compiler for BPF.
#include "dpdk/xdp/media_filter.h"

namespace viaduct::xdp {
namespace {

Error not_built() {
  return {ErrorCode::Unavailable,
          "this viaduct was built without the media filter for af_xdp ports; build it with clang and libbpf-dev"};
}

}  // namespace

Result<std::filesystem::path> media_filter_path() { return not_built(); }
Result<void> claim_interface(const std::string&) { return not_built(); }
Result<void> set_media_ports(const std::string&, uint16_t, uint16_t) { return not_built(); }
Result<void> take_everything(const std::string&) { return not_built(); }
size_t receive_queues(const std::string&) { return 0; }

}  // namespace viaduct::xdp
