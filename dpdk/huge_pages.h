// What the host has of huge pages (/sys/kernel/mm/hugepages), read before DPDK starts: it can start once only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace viaduct::dpdk {

// Bytes of huge pages, of all sizes, that nobody uses. `root` stands for / in tests.
uint64_t free_huge_page_bytes(const std::filesystem::path& root = "/");

}  // namespace viaduct::dpdk
