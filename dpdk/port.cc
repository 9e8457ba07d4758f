#include "dpdk/port.h"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "dpdk/pci.h"

namespace viaduct::dpdk {
namespace {

constexpr uint64_t WantedRx =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TIMESTAMP;
constexpr uint64_t WantedTx = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
constexpr uint64_t WantedRss = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

Error failed(const std::string& name, const char* what, int status) {
  return {ErrorCode::Unavailable, "the port " + name + " cannot be " + what + " (" + rte_strerror(std::abs(status)) +
                                      "); its driver may have said more in the log lines above"};
}

// Why a virtual device cannot be made, where that can be told.
Error not_created(const std::string& spec, int status) {
  const std::string interface = device_argument(spec, "iface");
  const bool makes_one = spec.starts_with("net_tap");
  if (!interface.empty() && !makes_one && if_nametoindex(interface.c_str()) == 0) {
    return {ErrorCode::NotFound, "there is no network interface " + interface + " for the port " + device_name(spec) +
                                     "; name in dpdk-ports one that 'ip link' shows"};
  }
  return {ErrorCode::Unavailable, "the port " + spec + " cannot be made (" + rte_strerror(std::abs(status)) +
                                      "); see whether dpdk-ports names driver and arguments right (net_af_packet, "
                                      "net_af_xdp, net_tap ...), and whether the bridge has CAP_NET_ADMIN and "
                                      "CAP_NET_RAW"};
}

}  // namespace

std::string device_name(const std::string& spec) { return spec.substr(0, spec.find(',')); }

std::string device_argument(const std::string& spec, const std::string& name) {
  const std::string key = "," + name + "=";
  const size_t at = spec.find(key);
  if (at == std::string::npos) return {};
  const size_t from = at + key.size();
  return spec.substr(from, spec.find(',', from) - from);
}

Result<std::unique_ptr<Port>> Port::open(const std::string& spec) {
  const std::string name = device_name(spec);
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return std::unique_ptr<Port>(new Port(name, id));
  if (is_pci_address(name)) {
    return Error{ErrorCode::Unavailable,
                 "DPDK has no driver for the network card " + name +
                     "; install the package librte-net-... of its make (librte-meta-net has all)"};
  }
  const std::string arguments = spec.size() > name.size() ? spec.substr(name.size() + 1) : "";
  const int status = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str());
  if (status != 0) return not_created(spec, status);
  if (const int found = rte_eth_dev_get_port_by_name(name.c_str(), &id); found != 0)
    return failed(name, "found", found);
  return std::unique_ptr<Port>(new Port(name, id));
}

Port::~Port() {
  if (started_) rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

ip::MacAddress Port::mac() const {
  ip::MacAddress mac;
  rte_ether_addr address{};
  rte_eth_macaddr_get(id_, &address);
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), mac.bytes.begin());
  return mac;
}

int Port::numa_node() const { return rte_eth_dev_socket_id(id_); }

uint16_t Port::queue_pairs() const {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) != 0) return 0;
  return std::min(info.max_rx_queues, info.max_tx_queues);
}

bool Port::keeps_buffers() const {
  rte_eth_dev_info info{};
  return rte_eth_dev_info_get(id_, &info) == 0 && std::string_view(info.driver_name) == "net_af_xdp";
}

Result<void> Port::start(const Queues& queues) {
  rte_eth_dev_info info{};
  if (const int status = rte_eth_dev_info_get(id_, &info); status != 0) return failed(name_, "asked", status);
  rte_eth_conf conf{};
  conf.rxmode.offloads = info.rx_offload_capa & WantedRx;
  conf.rxmode.mtu = std::clamp(queues.mtu, info.min_mtu, std::max(info.min_mtu, info.max_mtu));
  conf.txmode.offloads = info.tx_offload_capa & WantedTx;
  if (queues.pools.size() > 1 && (info.flow_type_rss_offloads & WantedRss) != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & WantedRss;
  }
  const auto pairs = static_cast<uint16_t>(queues.pools.size());
  if (const int status = rte_eth_dev_configure(id_, pairs, pairs, &conf); status != 0)
    return failed(name_, "configured", status);
  if (auto ready = set_up_queues(queues, conf.rxmode.offloads, conf.txmode.offloads); !ready) return ready;
  if (const int status = rte_eth_dev_start(id_); status != 0) return failed(name_, "started", status);
  started_ = true;
  rte_eth_allmulticast_enable(id_);  // neighbour discovery comes to groups; a port without filters gives us all

  offloads_ = {.ip = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0,
               .udp = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0};
  stamps_arrivals_ = (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
  log::info("port {} ({}, {}): {} queue pair(s), checksums by {}", name_, info.driver_name, mac().to_string(), pairs,
            offloads_.udp ? "the port" : "the CPU");
  return {};
}

Result<void> Port::set_up_queues(const Queues& queues, uint64_t rx_offloads, uint64_t tx_offloads) {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(id_, &info);
  uint16_t rx = queues.descriptors;
  uint16_t tx = queues.descriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  const auto node = static_cast<unsigned>(numa_node());
  for (uint16_t i = 0; i < queues.pools.size(); ++i) {
    rte_eth_rxconf rx_conf = info.default_rxconf;
    rx_conf.offloads = rx_offloads;
    if (const int status = rte_eth_rx_queue_setup(id_, i, rx, node, &rx_conf, queues.pools[i]); status != 0)
      return failed(name_, "given a receive queue", status);
    rte_eth_txconf tx_conf = info.default_txconf;
    tx_conf.offloads = tx_offloads;
    if (const int status = rte_eth_tx_queue_setup(id_, i, tx, node, &tx_conf); status != 0)
      return failed(name_, "given a transmit queue", status);
  }
  return {};
}

void Port::visit(MetricVisitor& visitor) const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id_, &stats) != 0) return;
  const auto count = [&](std::string_view metric, std::string_view help, uint64_t value) {
    visitor.counter(metric, help, {{"port", name_}}, static_cast<double>(value));
  };
  const auto both_ways = [&](std::string_view metric, std::string_view help, uint64_t in, uint64_t out) {
    visitor.counter(metric, help, {{"port", name_}, {"direction", "in"}}, static_cast<double>(in));
    visitor.counter(metric, help, {{"port", name_}, {"direction", "out"}}, static_cast<double>(out));
  };
  both_ways("viaduct_dpdk_port_frames_total", "Frames that the port received and sent", stats.ipackets, stats.opackets);
  both_ways("viaduct_dpdk_port_bytes_total", "Bytes that the port received and sent", stats.ibytes, stats.obytes);
  both_ways("viaduct_dpdk_port_errors_total", "Frames that the port could not receive or send", stats.ierrors,
            stats.oerrors);
  count("viaduct_dpdk_port_missed_total", "Frames lost as a receive queue was full (imissed)", stats.imissed);
  count("viaduct_dpdk_port_no_buffer_total", "Times that the port had no buffer to receive into (rx_nombuf)",
        stats.rx_nombuf);
}

}  // namespace viaduct::dpdk
