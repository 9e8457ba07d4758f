#include "dpdk/network.h"

#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "dpdk/dpdk_io.h"
#include "dpdk/eal.h"
#include "dpdk/filtered_ports.h"
#include "dpdk/flow_rules.h"
#include "dpdk/huge_pages.h"
#include "dpdk/inboxes.h"
#include "dpdk/ip/interface.h"
#include "dpdk/kernel_queue.h"
#include "dpdk/mbuf_pool.h"
#include "dpdk/memory_plan.h"
#include "dpdk/pci.h"
#include "dpdk/port.h"
#include "dpdk/published.h"
#include "dpdk/steering.h"

namespace viaduct::dpdk {
namespace {

class DpdkNetwork final : public Network {
 public:
  explicit DpdkNetwork(const Settings& settings) : settings_(settings) {}
  ~DpdkNetwork() override;

  Result<void> open();
  Result<std::unique_ptr<edge::PacketIo>> make_io(size_t worker) override;
  bool is_memory_locked() const override;
  bool drives_cards() const override;
  bool has_xdp_filters() const override;
  void visit(MetricVisitor& visitor) const override { visit_published(visitor); }

 private:
  struct QueuePair {
    Port* port = nullptr;
    uint16_t queue = 0;
  };

  Result<void> start_dpdk();
  Result<void> open_ports();
  Result<void> deal_queues();
  void describe_interface();
  Result<void> open_pools();
  Result<void> start_ports();
  Result<void> steer();
  Result<void> connect_kernel();
  uint16_t queues_of(const Port& port) const;
  void register_timestamps();
  bool all_buffers_came_back() const;

  const Settings settings_;
  MemoryPlan memory_;
  bool started_dpdk_ = false;
  bool opened_ = false;
  bool driver_keeps_buffers_ = false;
  std::vector<std::unique_ptr<MbufPool>> pools_;  // by worker
  std::vector<Loan> loans_;                       // by worker
  std::unique_ptr<Inboxes> inboxes_;
  ip::Interface interface_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<Port> kernel_port_;  // the TAP device, with KernelPath::Tap
  std::vector<QueuePair> queues_;      // by worker
  int timestamp_field_ = -1;
  uint64_t timestamp_flag_ = 0;
};

Result<void> DpdkNetwork::open() {
  for (const auto step : {&DpdkNetwork::start_dpdk, &DpdkNetwork::open_ports, &DpdkNetwork::deal_queues}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  describe_interface();
  for (const auto step :
       {&DpdkNetwork::open_pools, &DpdkNetwork::start_ports, &DpdkNetwork::steer, &DpdkNetwork::connect_kernel}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  register_timestamps();
  opened_ = true;
  return {};
}

Result<void> DpdkNetwork::start_dpdk() {
  const auto plan = plan_memory(settings_, free_huge_page_bytes());
  if (!plan) return plan.error();
  memory_ = *plan;
  EalSettings eal{.memory_mib = memory_.mib,
                  .huge_pages = memory_.huge_pages,
                  .telemetry = settings_.telemetry,
                  .more = settings_.eal_arguments};
  for (const std::string& spec : settings_.ports) {
    const std::string name = device_name(spec);
    if (!is_pci_address(name)) continue;
    if (auto usable = check_pci_device(name); !usable) return usable;
    eal.pci_ports.push_back(spec);
  }
  const auto started = start_eal(eal);
  if (!started) return started.error();
  started_dpdk_ = *started;
  if (settings_.telemetry) answer_telemetry();
  log::info("dpdk: {} MiB in {} pages", memory_.mib, memory_.huge_pages ? "huge" : "ordinary");
  return {};
}

Result<void> DpdkNetwork::open_ports() {
  for (const std::string& spec : settings_.ports) {
    const auto filtered = with_media_filter(spec);
    if (!filtered) return filtered.error();
    auto port = Port::open(*filtered);
    if (!port) return port.error();
    if (!ports_.empty() && (*port)->mac() != ports_.front()->mac()) {
      return Error{ErrorCode::InvalidArgument, "the ports " + ports_.front()->name() + " and " + (*port)->name() +
                                                   " are not of one interface; name queues of one network card in "
                                                   "dpdk-ports, or bond the cards (net_bonding0,...)"};
    }
    ports_.push_back(std::move(*port));
  }
  return {};
}

// A queue pair for each worker, from the first port on.
Result<void> DpdkNetwork::deal_queues() {
  for (const auto& port : ports_) {
    for (uint16_t queue = 0; queue < port->queue_pairs() && queues_.size() < settings_.workers; ++queue)
      queues_.push_back({port.get(), queue});
  }
  if (queues_.size() == settings_.workers) return {};
  const std::string has = std::to_string(queues_.size());
  return Error{ErrorCode::InvalidArgument, "the ports have " + has + " queue pair(s) for " +
                                               std::to_string(settings_.workers) + " workers; set workers to " + has +
                                               ", or give the ports more queues"};
}

void DpdkNetwork::describe_interface() {
  interface_ = {.mac = ports_.front()->mac(),
                .vlan = settings_.vlan,
                .addresses = settings_.addresses,
                .gateways = settings_.gateways,
                .mtu = settings_.mtu,
                .first_media_port = settings_.first_media_port,
                .media_ports = settings_.workers,
                .kernel_behind = settings_.kernel == KernelPath::Tap};
}

Result<void> DpdkNetwork::open_pools() {
  for (size_t worker = 0; worker < settings_.workers; ++worker) {
    const std::string name = "viaduct-" + std::to_string(worker);
    auto pool = MbufPool::open(name, memory_.buffers, queues_[worker].port->numa_node());
    if (!pool) return pool.error();
    pools_.push_back(std::move(*pool));
  }
  loans_.resize(settings_.workers);
  auto inboxes = Inboxes::open(settings_.workers);
  if (!inboxes) return inboxes.error();
  inboxes_ = std::move(*inboxes);
  return {};
}

Result<void> DpdkNetwork::start_ports() {
  for (const auto& port : ports_) {
    std::vector<rte_mempool*> pools;
    for (size_t worker = 0; worker < queues_.size(); ++worker) {
      if (queues_[worker].port == port.get()) pools.push_back(pools_[worker]->get());
    }
    if (pools.empty()) continue;
    if (settings_.kernel == KernelPath::Isolate) {
      if (auto isolated = isolate(port->id()); !isolated) {
        return Error{isolated.error().code,
                     isolated.error().text + ", which dpdk-kernel 'isolate' needs; set it to 'tap' or 'none'"};
      }
    }
    if (auto started = port->start({settings_.descriptors, settings_.mtu, pools}); !started) return started;
  }
  return {};
}

// A port that does not steer is no error where it gives us all: the workers hand over what is not theirs.
Result<void> DpdkNetwork::steer() {
  if (settings_.workers == 1 && settings_.kernel != KernelPath::Isolate) return {};
  uint16_t first_worker = 0;
  for (const auto& port : ports_) {
    const uint16_t queues = queues_of(*port);
    FlowRules table(port->id(), settings_.vlan);
    const auto installed = install(steering_rules(interface_, first_worker, queues), table);
    if (!installed && settings_.kernel == KernelPath::Isolate) return installed.error();
    if (!installed)
      log::info("port {}: {}; workers hand over what is not theirs", port->name(), installed.error().text);
    first_worker = static_cast<uint16_t>(first_worker + queues);
  }
  return {};
}

Result<void> DpdkNetwork::connect_kernel() {
  if (auto set = set_media_filters(settings_); !set) return set;
  for (size_t i = 0; i < ports_.size(); ++i) warn_of_other_queues(settings_.ports[i], queues_of(*ports_[i]));
  if (settings_.kernel != KernelPath::Tap) return {};
  const std::string& name = settings_.kernel_device;
  auto port = Port::open("net_tap_viaduct,iface=" + name + ",mac=" + interface_.mac.to_string());
  if (!port) return port.error();
  std::vector<rte_mempool*> pools;
  for (const auto& pool : pools_) pools.push_back(pool->get());
  if (auto started = (*port)->start({settings_.descriptors, settings_.mtu, pools}); !started) return started;
  kernel_port_ = std::move(*port);
  return configure_kernel_device(name, interface_);
}

uint16_t DpdkNetwork::queues_of(const Port& port) const {
  return static_cast<uint16_t>(
      std::count_if(queues_.begin(), queues_.end(), [&](const QueuePair& pair) { return pair.port == &port; }));
}

void DpdkNetwork::register_timestamps() {
  const bool stamped = std::all_of(ports_.begin(), ports_.end(), [](const auto& p) { return p->stamps_arrivals(); });
  if (stamped && rte_mbuf_dyn_rx_timestamp_register(&timestamp_field_, &timestamp_flag_) != 0) timestamp_field_ = -1;
}

Result<std::unique_ptr<edge::PacketIo>> DpdkNetwork::make_io(size_t worker) {
  const Port& port = *queues_[worker].port;
  DpdkIoSettings settings{.worker = static_cast<uint16_t>(worker),
                          .port = port.id(),
                          .queue = queues_[worker].queue,
                          .offloads = port.offloads(),
                          .timestamp_field = timestamp_field_,
                          .timestamp_flag = timestamp_flag_,
                          .wait = settings_.wait};
  if (!settings_.cpus.empty()) settings.cpu = settings_.cpus[worker];
  if (kernel_port_) settings.kernel_port = kernel_port_->id();
  return std::unique_ptr<edge::PacketIo>(
      std::make_unique<DpdkIo>(settings, interface_, *pools_[worker], *inboxes_, loans_[worker]));
}

bool DpdkNetwork::is_memory_locked() const {
  return std::all_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->is_locked(); });
}

bool DpdkNetwork::drives_cards() const {
  return std::any_of(ports_.begin(), ports_.end(), [](const auto& port) { return is_pci_address(port->name()); });
}

bool DpdkNetwork::has_xdp_filters() const {
  return std::any_of(settings_.ports.begin(), settings_.ports.end(), is_xdp_port);
}

// The ports are closed. A driver that keeps what it had received into is no leak of ours; it is told apart by what
// workers have on loan.
bool DpdkNetwork::all_buffers_came_back() const {
  bool all = true;
  for (size_t worker = 0; worker < pools_.size(); ++worker) {
    const int64_t on_loan = loans_[worker].packets;  // below 0: more came back than was lent
    const size_t missing = pools_[worker]->in_use();
    if (on_loan != 0 || (missing > 0 && !driver_keeps_buffers_)) {
      log::warn("{} packet buffer(s) of worker {} did not come back, {} of them from its conferences", missing, worker,
                on_loan);
      all = false;
    } else if (missing > 0) {
      log::info("dpdk: the driver keeps {} packet buffers of worker {}", missing, worker);
    }
  }
  return all;
}

DpdkNetwork::~DpdkNetwork() {
  kernel_port_.reset();
  driver_keeps_buffers_ =
      std::any_of(ports_.begin(), ports_.end(), [](const auto& port) { return port->keeps_buffers(); });
  ports_.clear();  // stops them: what their queues held comes back
  inboxes_.reset();
  // A driver that failed to start a queue may keep what it took for it.
  if (opened_ && all_buffers_came_back()) log::info("dpdk: all packet buffers came back");
  pools_.clear();
  if (started_dpdk_) stop_eal();
}

}  // namespace

Result<std::unique_ptr<Network>> open_network(const Settings& settings) {
  auto network = std::make_unique<DpdkNetwork>(settings);
  if (const auto opened = network->open(); !opened) return opened.error();
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace viaduct::dpdk
