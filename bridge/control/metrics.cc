#include "control/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <map>

#include "base/check.h"

namespace viaduct::control {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

// Gathers readings by name, then by labels.
class Families final : public MetricVisitor {
 public:
  void counter(std::string_view name, std::string_view help, MetricLabels labels,
               double value) override {
    metric(name, help, MetricType::Counter, labels).counter.value += value;
  }
  void gauge(std::string_view name, std::string_view help, MetricLabels labels,
             double value) override {
    metric(name, help, MetricType::Gauge, labels).gauge.value += value;
  }
  void histogram(std::string_view name, std::string_view help, MetricLabels labels,
                 std::span<const double> bounds, std::span<const uint64_t> buckets,
                 double sum) override {
    CHECK(buckets.size() == bounds.size() + 1);
    ClientMetric::Histogram& h = metric(name, help, MetricType::Histogram, labels).histogram;
    h.bucket.resize(buckets.size());
    uint64_t so_far = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      h.bucket[i].upper_bound =
          i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
      h.bucket[i].cumulative_count += so_far += buckets[i];
    }
    h.sample_count += so_far;
    h.sample_sum += sum;
  }
  using MetricVisitor::histogram;

  std::vector<prometheus::MetricFamily> take() {
    std::vector<prometheus::MetricFamily> out;
    for (auto& [name, family] : families_) {
      prometheus::MetricFamily& f = out.emplace_back();
      f.name = name;
      f.help = family.help;
      f.type = family.type;
      for (auto& [labels, value] : family.metrics) f.metric.push_back(std::move(value));
    }
    return out;
  }

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Family {
    std::string help;
    MetricType type;
    std::map<Labels, ClientMetric> metrics;
  };

  ClientMetric& metric(std::string_view name, std::string_view help, MetricType type,
                       MetricLabels labels) {
    Family& family =
        families_.try_emplace(std::string(name), Family{std::string(help), type, {}}).first->second;
    CHECK(family.type == type);
    Labels key;
    for (const auto& [label, value] : labels) key.emplace_back(label, value);
    const auto [entry, is_new] = family.metrics.try_emplace(key);
    if (is_new) {
      for (const auto& [label, value] : key) entry->second.label.push_back({label, value});
    }
    return entry->second;
  }

  std::map<std::string, Family> families_;
};

// The sources as prometheus-cpp wants to see them.
class SourceCollectable final : public prometheus::Collectable {
 public:
  explicit SourceCollectable(const std::vector<const MetricSource*>& sources) : sources_(sources) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    Families families;
    for (const MetricSource* source : sources_) source->visit(families);
    return families.take();
  }

 private:
  const std::vector<const MetricSource*>& sources_;
};

}  // namespace

std::string write_metrics(const std::vector<const MetricSource*>& sources) {
  return prometheus::TextSerializer().Serialize(SourceCollectable(sources).Collect());
}

}  // namespace viaduct::control
