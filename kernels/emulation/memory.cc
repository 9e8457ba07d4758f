#include "kernels/emulation/memory.h"

#include <string.h>
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

void fill(std::span<std::byte> bytes, std::byte value) {
  constexpr size_t Word = sizeof(uint64_t);
  const uint64_t repeated = 0x0101010101010101u * static_cast<uint64_t>(value);
  auto* words = reinterpret_cast<volatile uint64_t*>(bytes.data());
  for (size_t i = 0; i < bytes.size() / Word; ++i) words[i] = repeated;
  auto* rest = static_cast<volatile std::byte*>(bytes.data());
  for (size_t i = bytes.size() / Word * Word; i < bytes.size(); ++i) rest[i] = value;
}

void wipe(std::span<std::byte> bytes) { explicit_bzero(bytes.data(), bytes.size()); }

}  // namespace viaduct::emulation
