#include "dpdk/ip/return_paths.h"

namespace viaduct::dpdk::ip {

void ReturnPaths::remember_request(const uint8_t* binding, const SocketAddress& peer, const ReturnPath& path) {
  requests_[next_] = {transaction_of(binding), peer, path};
  next_ = (next_ + 1) % requests_.size();
}

std::optional<ReturnPath> ReturnPaths::way_of_request(const uint8_t* binding, const SocketAddress& peer) const {
  const Transaction transaction = transaction_of(binding);
  for (size_t back = 1; back <= requests_.size(); ++back) {  // the latest first: it is most likely one of these
    const Request& request = requests_[(next_ + requests_.size() - back) % requests_.size()];
    if (request.transaction == transaction && request.peer == peer) return request.path;
  }
  return std::nullopt;
}

std::optional<ReturnPath> ReturnPaths::confirm(const uint8_t* binding, const SocketAddress& peer) {
  const auto path = way_of_request(binding, peer);
  if (path) paths_.learn(peer, *path);
  return path;
}

}  // namespace viaduct::dpdk::ip
