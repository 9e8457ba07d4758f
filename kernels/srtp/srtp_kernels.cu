// SRTP and SRTCP for a batch, one launch: protect, unprotect, and the keys they use.
//
// A block of eight warps takes a group of up to eight jobs at a time, a warp for each. When it
// protects, the group's payload comes over the bus once and serves all its receivers.
//
// Nothing here depends on secrets in time: table lookups meet no bank conflict (aes.cuh), GHASH has no
// tables, tags are compared whole.
#include "kernels/completion.cuh"
#include "kernels/srtp/counter_mode.cuh"
#include "kernels/srtp/expand_key.cuh"
#include "kernels/srtp/gcm.cuh"
#include "kernels/srtp/srtp_kernels.cuh"

namespace viaduct::kernels {

inline constexpr unsigned SrtpBlockThreads = SrtpGroupJobs * WarpThreads;
inline constexpr unsigned SrtpBlocksPerMultiprocessor = 2;  // so that no register has to go to memory

struct SrtpShared {
  AesBanks banks;
  PacketRow rows[SrtpGroupJobs];  // a warp's each
  uint32_t payload[SrtpBodyBytes / 4];
  SrtpGroup group;
  uint8_t verdicts[SrtpGroupJobs];
};
static_assert(sizeof(SrtpShared) <= 48 * 1024, "what a block may have without asking");

// Where a thread stands in its block. A warp without a job goes with the others from barrier to
// barrier.
struct SrtpPlace {
  unsigned warp;
  unsigned lane;
  bool has_job;

  __device__ __forceinline__ explicit SrtpPlace(const SrtpGroup& group)
      : warp(threadIdx.x / WarpThreads),
        lane(threadIdx.x % WarpThreads),
        has_job(warp < group.job_count) {}
};

__device__ __forceinline__ const SrtpStreamKey& key_of(const SrtpKeySlot* keys,
                                                       const PacketRow& row) {
  return row.is_rtcp() ? keys[row.task.key].rtcp : keys[row.task.key].rtp;
}

// Block: the next group. Barriers keep the last one until all are done with it, and show this one
// to all.
__device__ __forceinline__ void load_group(SrtpShared& shared, const SrtpGroup& group) {
  constexpr unsigned Words = sizeof(SrtpGroup) / 4;
  __syncthreads();
  if (threadIdx.x < Words) {
    reinterpret_cast<uint32_t*>(&shared.group)[threadIdx.x] =
        reinterpret_cast<const uint32_t*>(&group)[threadIdx.x];
  }
  __syncthreads();
}

// Block: the payload that the group's jobs share.
__device__ __forceinline__ void load_payload(SrtpShared& shared) {
  load_words(shared.payload, reinterpret_cast<const uint8_t*>(shared.group.payload),
             shared.group.payload_bytes, threadIdx.x, blockDim.x);
  __syncthreads();
}

// Block: a warp encrypts each packet; SHA-1 of all of them at once, the first warp's threads taking
// one each.
__device__ __forceinline__ void protect_counter_mode(SrtpShared& shared, const SrtpKeySlot* keys,
                                                     const SrtpPlace& at) {
  PacketRow& row = shared.rows[at.warp];
  if (at.has_job) {
    counter_mode_crypt({shared.banks, at.lane}, key_of(keys, row), row);
    if (at.lane == 0) end_text(row);
  }
  __syncthreads();
  if (threadIdx.x < shared.group.job_count) {
    PacketRow& mine = shared.rows[threadIdx.x];
    write_hmac_tag(mine, packet_hmac(key_of(keys, mine), mine));
  }
  __syncthreads();
  if (at.has_job) store_packet(row, HmacTagBytes + hmac_tag_offset(row), at.lane);
}

// Block: tags first, and only what is authentic is decrypted.
__device__ __forceinline__ void unprotect_counter_mode(SrtpShared& shared, const SrtpKeySlot* keys,
                                                       const SrtpPlace& at) {
  PacketRow& row = shared.rows[at.warp];
  if (at.has_job && at.lane == 0) end_text(row);
  __syncthreads();
  if (threadIdx.x < shared.group.job_count) {
    PacketRow& mine = shared.rows[threadIdx.x];
    const bool authentic = is_hmac_tag(mine, packet_hmac(key_of(keys, mine), mine));
    shared.verdicts[threadIdx.x] = authentic ? SrtpOk : SrtpAuthFailed;
  }
  __syncthreads();
  if (at.has_job && shared.verdicts[at.warp] == SrtpOk) {
    counter_mode_crypt({shared.banks, at.lane}, key_of(keys, row), row);
    store_body(row, at.lane);
  }
}

}  // namespace viaduct::kernels

// Seals every job of every group. `results`: SrtpOk for each job whose packet has been written.
extern "C" __global__ void __launch_bounds__(viaduct::kernels::SrtpBlockThreads,
                                             viaduct::kernels::SrtpBlocksPerMultiprocessor)
    viaduct_srtp_protect(const viaduct::kernels::SrtpGroup* groups, uint32_t group_count,
                         const viaduct::kernels::SrtpJob* jobs,
                         const viaduct::kernels::SrtpKeySlot* keys, uint8_t* results,
                         uint32_t* finished_blocks, uint64_t* completion, uint64_t batch_number) {
  using namespace viaduct::kernels;
  BLOCK_SHARED(SrtpShared, shared);
  fill_banks(shared.banks);
  for (uint32_t g = blockIdx.x; g < group_count; g += gridDim.x) {
    load_group(shared, groups[g]);
    load_payload(shared);
    const SrtpPlace at(shared.group);
    PacketRow& row = shared.rows[at.warp];
    if (at.has_job) {
      load_packet(row, jobs[shared.group.jobs[at.warp]],
                  reinterpret_cast<const uint8_t*>(shared.payload), at.lane);
    }
    if (shared.group.is_gcm == 0) {
      protect_counter_mode(shared, keys, at);
    } else if (at.has_job) {
      gcm_protect({shared.banks, at.lane}, key_of(keys, row), row);
    }
    if (threadIdx.x < shared.group.job_count) results[shared.group.jobs[threadIdx.x]] = SrtpOk;
  }
  complete(finished_blocks, completion, batch_number);
}

// Opens every job of every group. `results`: SrtpOk or SrtpAuthFailed for each job.
extern "C" __global__ void __launch_bounds__(viaduct::kernels::SrtpBlockThreads,
                                             viaduct::kernels::SrtpBlocksPerMultiprocessor)
    viaduct_srtp_unprotect(const viaduct::kernels::SrtpGroup* groups, uint32_t group_count,
                           const viaduct::kernels::SrtpJob* jobs,
                           const viaduct::kernels::SrtpKeySlot* keys, uint8_t* results,
                           uint32_t* finished_blocks, uint64_t* completion, uint64_t batch_number) {
  using namespace viaduct::kernels;
  BLOCK_SHARED(SrtpShared, shared);
  fill_banks(shared.banks);
  for (uint32_t g = blockIdx.x; g < group_count; g += gridDim.x) {
    load_group(shared, groups[g]);
    const SrtpPlace at(shared.group);
    PacketRow& row = shared.rows[at.warp];
    if (at.has_job) {
      const SrtpJob& job = jobs[shared.group.jobs[at.warp]];
      load_packet(row, job, reinterpret_cast<const uint8_t*>(job.task.payload), at.lane);
    }
    if (shared.group.is_gcm == 0) {
      unprotect_counter_mode(shared, keys, at);
    } else if (at.has_job) {
      const uint8_t verdict =
          gcm_unprotect({shared.banks, at.lane}, key_of(keys, row), row);
      if (at.lane == 0) shared.verdicts[at.warp] = verdict;
    }
    __syncthreads();
    if (threadIdx.x < shared.group.job_count)
      results[shared.group.jobs[threadIdx.x]] = shared.verdicts[threadIdx.x];
  }
  complete(finished_blocks, completion, batch_number);
}

// Expands session keys into their slots: a block for each upload, a warp for SRTP and one for SRTCP.
extern "C" __global__ void __launch_bounds__(viaduct::kernels::ExpandKeyThreads)
    viaduct_srtp_expand_keys(const viaduct::kernels::SrtpKeyUpload* uploads,
                             viaduct::kernels::SrtpKeySlot* keys, uint32_t* finished_blocks,
                             uint64_t* completion, uint64_t batch_number) {
  using namespace viaduct::kernels;
  BLOCK_SHARED(AesBanks, banks);
  fill_banks(banks);
  __syncthreads();
  const SrtpKeyUpload& upload = uploads[blockIdx.x];
  SrtpKeySlot& slot = keys[upload.slot];
  const AesLane aes = {banks, threadIdx.x % WarpThreads};
  if (threadIdx.x < WarpThreads) {
    expand_stream_key(aes, upload.rtp, upload.key_bytes, slot.rtp);
  } else {
    expand_stream_key(aes, upload.rtcp, upload.key_bytes, slot.rtcp);
  }
  complete(finished_blocks, completion, batch_number);
}
