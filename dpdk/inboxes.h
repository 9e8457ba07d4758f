// Frames that arrived at one worker's queue and belong to another: a bounded ring in front of each worker, into which
// all others put.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct rte_mbuf;
struct rte_ring;

namespace viaduct::dpdk {

class Inboxes {
 public:
  static Result<std::unique_ptr<Inboxes>> open(size_t workers);
  // Frees what nobody took.
  ~Inboxes();
  Inboxes(const Inboxes&) = delete;
  Inboxes& operator=(const Inboxes&) = delete;

  size_t workers() const { return rings_.size(); }
  // From any worker. False when the other one is too far behind: the caller keeps the frame.
  bool put(size_t worker, rte_mbuf* frame);
  // By the worker itself. Fills `into` from the front and returns how many.
  size_t take(size_t worker, rte_mbuf** into, size_t at_most);

  static constexpr unsigned Frames = 4096;  // some milliseconds of a worker's full rate

 private:
  explicit Inboxes(std::vector<rte_ring*> rings) : rings_(std::move(rings)) {}

  const std::vector<rte_ring*> rings_;
};

}  // namespace viaduct::dpdk
