#include "edge/io_counters.h"

namespace viaduct::edge {

std::string_view to_string(SendRefusal reason) {
  switch (reason) {
    case SendRefusal::BufferFull: return "buffer_full";
    case SendRefusal::Unreachable: return "unreachable";
    case SendRefusal::TooLong: return "too_long";
    case SendRefusal::NotPermitted: return "not_permitted";
    case SendRefusal::NoSocket: return "no_socket";
    case SendRefusal::Other: return "other";
  }
  return "other";
}

void IoCounters::visit(MetricVisitor& visitor, std::string_view worker) const {
  const auto both_ways = [&](std::string_view name, std::string_view help, const Counter& in, const Counter& out) {
    visitor.counter(name, help, {{"worker", worker}, {"direction", "in"}}, static_cast<double>(in.value()));
    visitor.counter(name, help, {{"worker", worker}, {"direction", "out"}}, static_cast<double>(out.value()));
  };
  const auto one = [&](std::string_view name, std::string_view help, const Counter& value) {
    visitor.counter(name, help, {{"worker", worker}}, static_cast<double>(value.value()));
  };
  both_ways("viaduct_io_packets_total", "UDP datagrams received and sent.", packets_received, packets_sent);
  one("viaduct_io_segmented_packets_total",
      "UDP datagrams sent that were cut out of a larger one behind the socket (UDP GSO).", packets_segmented);
  both_ways("viaduct_io_bytes_total", "UDP payload bytes received and sent.", bytes_received, bytes_sent);
  both_ways("viaduct_io_batches_total", "Calls into the network that moved at least one packet.", batches_received,
            batches_sent);
  for (size_t i = 0; i < SendRefusals; ++i) {
    visitor.counter("viaduct_io_send_refusals_total", "Packets that the network refused to send, by reason.",
                    {{"worker", worker}, {"reason", to_string(static_cast<SendRefusal>(i))}},
                    static_cast<double>(refused[i].value()));
  }
  one("viaduct_io_kernel_drops_total", "Datagrams lost because the socket receive buffer was full.", kernel_drops);
  one("viaduct_io_truncated_total", "Datagrams dropped because they were longer than any packet may be.", truncated);
  one("viaduct_io_pool_dry_total", "Times that a packet buffer was wanted and none was free.", pool_dry);
  visitor.gauge("viaduct_io_pool_free_packets", "Packet buffers that are free.", {{"worker", worker}},
                static_cast<double>(pool_free.value()));
  visitor.gauge("viaduct_io_pool_packets", "Packet buffers in the pool.", {{"worker", worker}},
                static_cast<double>(pool_size.value()));
}

}  // namespace viaduct::edge
