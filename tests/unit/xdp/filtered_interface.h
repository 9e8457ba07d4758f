// A loopback interface in a network namespace of its own, with the media filter attached as DPDK's driver attaches it
// and an AF_XDP socket on its only queue. Frames are run through the filter by the kernel, none is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

struct bpf_object;

namespace viaduct::xdp {

enum class Verdict { ToKernel, ToBridge };

class FilteredInterface {
 public:
  // Why this process may not have one; nothing when it may. The first call moves the process into its namespace.
  static std::optional<std::string> missing_privilege();

  enum class With { FilterAndSocket, Filter, ForeignProgram };
  explicit FilteredInterface(With with = With::FilterAndSocket);
  ~FilteredInterface();
  FilteredInterface(const FilteredInterface&) = delete;

  Verdict verdict(std::span<const uint8_t> frame) const;
  static bool has_program();

 private:
  bpf_object* object_ = nullptr;
  int program_ = -1;
};

}  // namespace viaduct::xdp
