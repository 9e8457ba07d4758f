#include "packet_edges.h"

#include <sstream>
#include <string>
#include <utility>

#include "edge/io_wait.h"
#include "edge/socket_io.h"

namespace viaduct {
namespace {

edge::IoWait io_wait(IoWait wait) {
  switch (wait) {
    case IoWait::Block:
      return edge::IoWait::Block;
    case IoWait::Adaptive:
      return edge::IoWait::Adaptive;
    case IoWait::Poll:
      return edge::IoWait::Poll;
  }
  return edge::IoWait::Block;
}

dpdk::HugePages huge_pages(HugePages pages) {
  switch (pages) {
    case HugePages::Auto:
      return dpdk::HugePages::Auto;
    case HugePages::On:
      return dpdk::HugePages::On;
    case HugePages::Off:
      return dpdk::HugePages::Off;
  }
  return dpdk::HugePages::Auto;
}

dpdk::KernelPath kernel_path(KernelPath path) {
  switch (path) {
    case KernelPath::None:
      return dpdk::KernelPath::None;
    case KernelPath::Tap:
      return dpdk::KernelPath::Tap;
    case KernelPath::Xdp:
      return dpdk::KernelPath::Xdp;
    case KernelPath::Isolate:
      return dpdk::KernelPath::Isolate;
  }
  return dpdk::KernelPath::None;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

dpdk::Settings dpdk_settings(const Config& config) {
  return {.ports = words(*config.dpdk_ports),
          .addresses = *config.dpdk_addresses,
          .gateways = *config.dpdk_gateways,
          .vlan = *config.dpdk_vlan,
          .mtu = *config.dpdk_mtu,
          .first_media_port = *config.media_port,
          .workers = *config.workers,
          .cpus = *config.dpdk_cpus,
          .descriptors = *config.dpdk_descriptors,
          .pool_packets = *config.packet_pool_packets,
          .memory_mib = *config.dpdk_memory,
          .huge_pages = huge_pages(*config.dpdk_huge_pages),
          .kernel = kernel_path(*config.dpdk_kernel),
          .kernel_device = *config.dpdk_kernel_device,
          .wait = io_wait(*config.io_wait),
          .telemetry = *config.dpdk_telemetry,
          .eal_arguments = words(*config.dpdk_eal_arguments)};
}

}  // namespace

Result<std::unique_ptr<PacketEdges>> PacketEdges::open(const Config& config) {
  std::unique_ptr<PacketEdges> edges(new PacketEdges(config));
  if (*config.io == PacketEdge::Dpdk) {
    auto network = dpdk::open_network(dpdk_settings(config));
    if (!network) return network.error();
    edges->network_ = std::move(*network);
    edges->sources_.push_back(edges->network_.get());
    edges->pools_locked_ = edges->network_->is_memory_locked();
  }
  return edges;
}

Result<std::unique_ptr<edge::PacketIo>> PacketEdges::make(uint32_t worker) {
  if (network_) return network_->make_io(worker);
  return open_sockets(worker);
}

Result<std::unique_ptr<edge::PacketIo>> PacketEdges::open_sockets(uint32_t worker) {
  auto io = edge::SocketIo::open({.bind_addresses = *config_.media_address,
                                  .port = static_cast<uint16_t>(*config_.media_port + worker),
                                  .pool_packets = *config_.packet_pool_packets,
                                  .segmentation = *config_.udp_segmentation,
                                  .wait = io_wait(*config_.io_wait),
                                  .worker = std::to_string(worker)});
  if (!io) return io.error();
  pools_locked_ = pools_locked_ && (*io)->is_pool_locked();
  sources_.push_back(io->get());
  return std::unique_ptr<edge::PacketIo>(std::move(*io));
}

void PacketEdges::visit(MetricVisitor& visitor) const {
  for (const MetricSource* source : sources_) source->visit(visitor);
}

}  // namespace viaduct
