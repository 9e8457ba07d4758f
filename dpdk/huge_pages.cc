#include "dpdk/huge_pages.h"

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace viaduct::dpdk {
namespace {

// From the name of a folder such as hugepages-2048kB; 0 when it is none of these.
uint64_t page_bytes(std::string_view name) {
  constexpr std::string_view Prefix = "hugepages-";
  if (!name.starts_with(Prefix) || !name.ends_with("kB")) return 0;
  name.remove_prefix(Prefix.size());
  name.remove_suffix(2);
  uint64_t kib = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), kib);
  return error == std::errc{} && end == name.data() + name.size() ? kib << 10 : 0;
}

}  // namespace

uint64_t free_huge_page_bytes(const std::filesystem::path& root) {
  std::error_code error;
  uint64_t all = 0;
  for (const auto& size : std::filesystem::directory_iterator(root / "sys/kernel/mm/hugepages", error)) {
    uint64_t pages = 0;
    std::ifstream(size.path() / "free_hugepages") >> pages;
    all += pages * page_bytes(size.path().filename().string());
  }
  return all;
}

}  // namespace viaduct::dpdk
