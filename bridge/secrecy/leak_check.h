// Objects in secret memory own others on the heap. LeakSanitizer does not look into mappings of our
// own unless it is told to; in other builds there is nobody to tell.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define VIADUCT_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VIADUCT_LEAK_CHECK 1
#endif
#endif

#ifdef VIADUCT_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

namespace viaduct::secrecy {

#ifdef VIADUCT_LEAK_CHECK
inline void remember_for_leak_check(const void* data, size_t bytes) {
  __lsan_register_root_region(data, bytes);
}
inline void forget_for_leak_check(const void* data, size_t bytes) {
  __lsan_unregister_root_region(data, bytes);
}
#else
inline void remember_for_leak_check(const void*, size_t) {}
inline void forget_for_leak_check(const void*, size_t) {}
#endif

}  // namespace viaduct::secrecy
