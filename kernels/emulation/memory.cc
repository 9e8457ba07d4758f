#include "kernels/emulation/memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/check.h"

namespace viaduct::emulation {
namespace {

constexpr size_t Page = 4096;

}  // namespace

Pages::Pages(size_t wanted) {
  const size_t size = (wanted + Page - 1) / Page * Page;
  void* mapped = mmap(nullptr, Page + size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(mapped != MAP_FAILED);
  CHECK(mprotect(mapped, Page, PROT_NONE) == 0);
  bytes_ = {static_cast<std::byte*>(mapped) + Page, size};
}

Pages::~Pages() { munmap(bytes_.data() - Page, Page + bytes_.size()); }

void wipe(std::span<std::byte> bytes) {
  auto* words = reinterpret_cast<volatile uint64_t*>(bytes.data());
  for (size_t i = 0; i < bytes.size() / sizeof(uint64_t); ++i) words[i] = 0;
}

}  // namespace viaduct::emulation
