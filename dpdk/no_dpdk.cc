// What a build without DPDK says.
#include "dpdk/network.h"

namespace viaduct::dpdk {

Result<std::unique_ptr<Network>> open_network(const Settings&) {
  return Error{ErrorCode::Unavailable,
               "this program was built without DPDK; install libdpdk-dev and build it again, or set io to 'socket'"};
}

}  // namespace viaduct::dpdk
