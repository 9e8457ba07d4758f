// A network port of DPDK's: found or created, configured with a queue pair for each worker, started and stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/counters.h"
#include "base/result.h"
#include "dpdk/ip/mac_address.h"
#include "dpdk/ip/udp_host.h"
#include "dpdk/published.h"

struct rte_mempool;

namespace viaduct::dpdk {

// The first part of a virtual device's description: net_af_packet0 of net_af_packet0,iface=eth1.
std::string device_name(const std::string& spec);
// The value of one of its arguments; empty when it has none of that name.
std::string device_argument(const std::string& spec, const std::string& name);

class Port final : public MetricSource {
 public:
  struct Queues {
    uint16_t descriptors = 1024;
    uint16_t mtu = 1500;
    std::span<rte_mempool* const> pools;  // one for each queue pair: where its packets are received
  };

  // Creates the virtual device, or finds the port that EAL made of a PCI address. An error names what is wrong with it.
  static Result<std::unique_ptr<Port>> open(const std::string& spec);
  // Stops and closes it.
  ~Port() override;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  uint16_t id() const { return id_; }
  const std::string& name() const { return name_; }
  ip::MacAddress mac() const;
  int numa_node() const;         // -1: none
  uint16_t queue_pairs() const;  // that it can have
  // Whether its driver forgets, when it is closed, the buffers that it would have received into.
  bool keeps_buffers() const;

  Result<void> start(const Queues& queues);
  ip::TxOffloads offloads() const { return offloads_; }      // checksums it fills in
  bool stamps_arrivals() const { return stamps_arrivals_; }  // by a clock of its own

  // viaduct_dpdk_port_*: what the port itself has counted.
  void visit(MetricVisitor& visitor) const override;

 private:
  Port(std::string name, uint16_t id) : name_(std::move(name)), id_(id) {}
  Result<void> set_up_queues(const Queues& queues, uint64_t rx_offloads, uint64_t tx_offloads);

  const std::string name_;
  const uint16_t id_;
  ip::TxOffloads offloads_;
  bool stamps_arrivals_ = false;
  bool started_ = false;
  const Published published_{*this};
};

}  // namespace viaduct::dpdk
