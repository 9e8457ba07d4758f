// CHECK(condition): a bug in this program aborts it. No peer may ever trigger one; the fuzzers prove it.
#pragma once

namespace viaduct {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace viaduct

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::viaduct::check_failed(#condition, __FILE__, __LINE__))
