#include "dpdk/mbuf_pool.h"

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "limits.h"

namespace viaduct::dpdk {
namespace {

constexpr unsigned CacheBuffers = 256;  // of each lcore
// A received frame has RTE_PKTMBUF_HEADROOM in front of it; 2 KiB behind are what most network cards ask for.
constexpr uint16_t DataRoom = RTE_MBUF_DEFAULT_BUF_SIZE;
static_assert(limits::PacketBufferBytes <= DataRoom - RTE_PKTMBUF_HEADROOM);

Error no_pool(size_t buffers, int reason) {
  return {ErrorCode::ResourceExhausted,
          "there is no room for a pool of " + std::to_string(buffers) + " packets (" + rte_strerror(reason) +
              "); set dpdk-memory to at least " + std::to_string((pool_bytes(buffers) >> 20) + 64) +
              " MiB for each worker, reserve as much in huge pages, or configure fewer packet-pool-packets"};
}

// As rte_pktmbuf_pool_create(), which would give each buffer a page of its own where pages are small, lest it cross
// from one to the next. Without huge pages a device sees our own addresses (IOVA as VA), if it sees any, and may cross.
rte_mempool* create(const std::string& name, size_t buffers, int socket) {
  const unsigned flags = rte_eal_has_hugepages() != 0 ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
  constexpr unsigned BufferBytes = sizeof(rte_mbuf) + DataRoom;
  rte_mempool* pool = rte_mempool_create_empty(name.c_str(), static_cast<unsigned>(buffers), BufferBytes, CacheBuffers,
                                               sizeof(rte_pktmbuf_pool_private), socket, flags);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private room{};
  room.mbuf_data_room_size = DataRoom;
  int status = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
  if (status == 0) {
    rte_pktmbuf_pool_init(pool, &room);
    status = rte_mempool_populate_default(pool);
  }
  if (status < 0) {
    rte_mempool_free(pool);
    rte_errno = -status;
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace

size_t pool_buffers(size_t descriptors, size_t held, size_t lcores) {
  return 2 * descriptors + held + lcores * CacheBuffers * 3 / 2;
}

size_t pool_bytes(size_t buffers) {
  return buffers * rte_mempool_calc_obj_size(sizeof(rte_mbuf) + DataRoom, 0, nullptr);
}

// Registered with EAL and mapped for the ports; undone in reverse.
struct MbufPool::Lent {
  void* start = nullptr;
  size_t bytes = 0;
  std::vector<rte_device*> mapped_for;

  Result<void> give(std::span<const uint16_t> ports) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    if (rte_extmem_register(start, bytes, nullptr, 0, page) != 0) {
      start = nullptr;
      return Error{ErrorCode::Unavailable, std::string("memory cannot be made known to DPDK (") +
                                               rte_strerror(rte_errno) + "); it begins and ends with a page"};
    }
    for (const uint16_t port : ports) {
      rte_eth_dev_info info;
      if (rte_eth_dev_info_get(port, &info) != 0) continue;
      // Virtual devices copy and have no DMA to map for.
      if (rte_dev_dma_map(info.device, start, reinterpret_cast<uintptr_t>(start), bytes) == 0) {
        mapped_for.push_back(info.device);
      } else if (rte_errno != ENOTSUP) {
        return Error{ErrorCode::Unavailable, std::string("memory cannot be mapped for the DMA of ") +
                                                 rte_dev_name(info.device) + " (" + rte_strerror(rte_errno) + ")"};
      }
    }
    return {};
  }
  ~Lent() {
    for (rte_device* device : mapped_for) rte_dev_dma_unmap(device, start, reinterpret_cast<uintptr_t>(start), bytes);
    if (start != nullptr) rte_extmem_unregister(start, bytes);
  }
};

Result<std::unique_ptr<MbufPool>> MbufPool::open(const std::string& name, size_t buffers, int socket) {
  rte_mempool* pool = create(name, buffers, socket);
  if (pool == nullptr) return no_pool(buffers, rte_errno);
  return std::unique_ptr<MbufPool>(new MbufPool(pool, nullptr));
}

Result<std::unique_ptr<MbufPool>> MbufPool::open_in(MutableBytes memory, const std::string& name, size_t buffers,
                                                    std::span<const uint16_t> ports) {
  auto lent = std::make_unique<Lent>();
  lent->start = memory.data();
  lent->bytes = memory.size();
  if (const auto given = lent->give(ports); !given) return given.error();
  const rte_pktmbuf_extmem where{memory.data(), reinterpret_cast<uintptr_t>(memory.data()), memory.size(), DataRoom};
  rte_mempool* pool = rte_pktmbuf_pool_create_extbuf(name.c_str(), static_cast<unsigned>(buffers), CacheBuffers, 0,
                                                     DataRoom, SOCKET_ID_ANY, &where, 1);
  if (pool == nullptr) return no_pool(buffers, rte_errno);
  return std::unique_ptr<MbufPool>(new MbufPool(pool, std::move(lent)));
}

MbufPool::MbufPool(rte_mempool* pool, std::unique_ptr<Lent> lent) : pool_(pool), lent_(std::move(lent)) {
  if (lent_) {
    memory_ = {static_cast<uint8_t*>(lent_->start), lent_->bytes};
  } else {
    keep_memory_here();
  }
}

// EAL's memory may be an ordinary file of a memory file system, which could be swapped out.
void MbufPool::keep_memory_here() {
  std::vector<MutableBytes> chunks;
  rte_mempool_mem_iter(
      pool_,
      [](rte_mempool*, void* into, rte_mempool_memhdr* chunk, unsigned) {
        static_cast<std::vector<MutableBytes>*>(into)->push_back({static_cast<uint8_t*>(chunk->addr), chunk->len});
      },
      &chunks);
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const MutableBytes chunk : chunks) {
    const uintptr_t from = reinterpret_cast<uintptr_t>(chunk.data()) / page * page;
    const size_t bytes = reinterpret_cast<uintptr_t>(chunk.data()) + chunk.size() - from;
    void* start = chunk.data() - (reinterpret_cast<uintptr_t>(chunk.data()) - from);
    madvise(start, bytes, MADV_DONTDUMP);
    madvise(start, bytes, MADV_DONTFORK);
    locked_ = mlock2(start, bytes, MLOCK_ONFAULT) == 0 && locked_;
  }
  if (chunks.size() == 1) memory_ = chunks.front();
}

MbufPool::~MbufPool() { rte_mempool_free(pool_); }

size_t MbufPool::size() const { return pool_->size; }
size_t MbufPool::free() const { return rte_mempool_avail_count(pool_); }

}  // namespace viaduct::dpdk
