#include "dpdk/published.h"

#include <rte_telemetry.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <string>
#include <vector>

namespace viaduct::dpdk {
namespace {

struct Sources {
  std::mutex mutex;
  std::vector<const MetricSource*> all;
};

Sources& sources() {
  static Sources only;
  return only;
}

// Telemetry's names are words without punctuation: io_packets_total_0_in for worker 0.
class DictionaryVisitor final : public MetricVisitor {
 public:
  explicit DictionaryVisitor(rte_tel_data& data) : data_(data) {}

  void counter(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    add(name, labels, value);
  }
  void gauge(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    add(name, labels, value);
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>, std::span<const uint64_t>,
                 double) override {}

 private:
  void add(std::string_view name, MetricLabels labels, double value) {
    constexpr std::string_view Prefix = "viaduct_";
    std::string key(name.substr(name.starts_with(Prefix) ? Prefix.size() : 0));
    for (const auto& label : labels) key.append("_").append(label.second);
    std::replace_if(
        key.begin(), key.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    rte_tel_data_add_dict_u64(&data_, key.c_str(), static_cast<uint64_t>(std::max(value, 0.0)));
  }

  rte_tel_data& data_;
};

int answer(const char*, const char*, rte_tel_data* data) {
  rte_tel_data_start_dict(data);
  DictionaryVisitor visitor(*data);
  visit_published(visitor);
  return 0;
}

}  // namespace

Published::Published(const MetricSource& source) : source_(source) {
  const std::lock_guard lock(sources().mutex);
  sources().all.push_back(&source);
}

Published::~Published() {
  const std::lock_guard lock(sources().mutex);
  std::erase(sources().all, &source_);
}

void visit_published(MetricVisitor& visitor) {
  const std::lock_guard lock(sources().mutex);
  for (const MetricSource* source : sources().all) source->visit(visitor);
}

void answer_telemetry() {
  rte_telemetry_register_cmd("/viaduct/io", answer, "What Viaduct's workers and ports count.");
}

}  // namespace viaduct::dpdk
