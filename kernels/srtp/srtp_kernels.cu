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

namespace viaduct::kernels {

constexpr unsigned SrtpBlockThreads = SrtpGroupJobs * WarpThreads;

struct SrtpShared {
  AesBanks banks;
  PacketRow rows[SrtpGroupJobs];
  uint32_t payload[SrtpBodyBytes / 4];
  uint8_t verdicts[SrtpGroupJobs];
};

// Where a thread stands in its block. A warp without a job goes with the others from barrier to barrier.
struct SrtpPlace {
  unsigned warp;
  unsigned lane;
  bool has_job;
};

__device__ __forceinline__ SrtpPlace place_in(const SrtpGroup& group) {
  const unsigned warp = threadIdx.x / WarpThreads;
  return {warp, threadIdx.x % WarpThreads, warp < group.job_count};
}

__device__ __forceinline__ const SrtpStreamKey& key_of(const SrtpKeySlot* keys, const SrtpJob& job) {
  return job.rtcp != 0 ? keys[job.key].rtcp : keys[job.key].rtp;
}

// Block: SHA-1 of all rows at once, the first warp's threads taking one each.
__device__ __forceinline__ void protect_counter_mode(SrtpShared& shared, const SrtpGroup& group,
                                            const SrtpJob* jobs, const SrtpKeySlot* keys) {
  const SrtpPlace at = place_in(group);
  if (at.has_job) {
    const SrtpJob& job = jobs[at.warp];
    PacketRow& row = shared.rows[at.warp];
    load_packet(row, job, reinterpret_cast<const uint8_t*>(shared.payload), at.lane);
    counter_mode_crypt({shared.banks, at.lane}, key_of(keys, job), row, job);
    if (at.lane == 0) end_text(row, job);
  }
  __syncthreads();
  if (threadIdx.x < group.job_count) {
    const SrtpJob& job = jobs[threadIdx.x];
    PacketRow& row = shared.rows[threadIdx.x];
    write_hmac_tag(row, job, packet_hmac(key_of(keys, job), row, job));
  }
  __syncthreads();
  if (at.has_job) {
    const SrtpJob& job = jobs[at.warp];
    store_packet(shared.rows[at.warp], job, HmacTagBytes + (job.rtcp != 0 ? SrtcpWordBytes : 0),
                 at.lane);
  }
}

// Block: tags first, and only what is authentic is decrypted.
__device__ __forceinline__ void unprotect_counter_mode(SrtpShared& shared, const SrtpGroup& group,
                                              const SrtpJob* jobs, const SrtpKeySlot* keys) {
  const SrtpPlace at = place_in(group);
  if (at.has_job) {
    const SrtpJob& job = jobs[at.warp];
    load_packet(shared.rows[at.warp], job, reinterpret_cast<const uint8_t*>(job.payload), at.lane);
    if (at.lane == 0) end_text(shared.rows[at.warp], job);
  }
  __syncthreads();
  if (threadIdx.x < group.job_count) {
    const SrtpJob& job = jobs[threadIdx.x];
    const Sha1State hmac = packet_hmac(key_of(keys, job), shared.rows[threadIdx.x], job);
    shared.verdicts[threadIdx.x] = hmac_tag_difference(job, hmac) == 0 ? SrtpOk : SrtpAuthFailed;
  }
  __syncthreads();
  if (at.has_job && shared.verdicts[at.warp] == SrtpOk) {
    const SrtpJob& job = jobs[at.warp];
    counter_mode_crypt({shared.banks, at.lane}, key_of(keys, job), shared.rows[at.warp], job);
    store_body(shared.rows[at.warp], job, at.lane);
  }
}

}  // namespace viaduct::kernels

// Seals every job of every group. `results`: a verdict for each job, SrtpOk when its packet has been written.
extern "C" __global__ void __launch_bounds__(viaduct::kernels::SrtpBlockThreads)
    viaduct_srtp_protect(const viaduct::kernels::SrtpGroup* groups, uint32_t group_count,
                         const viaduct::kernels::SrtpJob* jobs,
                         const viaduct::kernels::SrtpKeySlot* keys, uint8_t* results,
                         uint32_t* finished_blocks, uint64_t* completion, uint64_t batch_number) {
  using namespace viaduct::kernels;
  BLOCK_SHARED(SrtpShared, shared);
  fill_banks(shared.banks);
  for (uint32_t g = blockIdx.x; g < group_count; g += gridDim.x) {
    const SrtpGroup group = groups[g];
    const SrtpJob* const group_jobs = jobs + group.first_job;
    load_words(shared.payload, reinterpret_cast<const uint8_t*>(group.payload), group.payload_bytes,
               threadIdx.x, blockDim.x);
    __syncthreads();  // banks and payload are there
    if (group.is_gcm == 0) {
      protect_counter_mode(shared, group, group_jobs, keys);
    } else if (const SrtpPlace at = place_in(group); at.has_job) {
      const SrtpJob& job = group_jobs[at.warp];
      gcm_protect({shared.banks, at.lane}, key_of(keys, job), shared.rows[at.warp], job,
                  reinterpret_cast<const uint8_t*>(shared.payload));
    }
    if (threadIdx.x < group.job_count) results[group.first_job + threadIdx.x] = SrtpOk;
    __syncthreads();  // before the next payload takes the place of this one
  }
  complete(finished_blocks, completion, batch_number);
}

// Opens every job of every group. `results`: SrtpOk or SrtpAuthFailed for each job.
extern "C" __global__ void __launch_bounds__(viaduct::kernels::SrtpBlockThreads)
    viaduct_srtp_unprotect(const viaduct::kernels::SrtpGroup* groups, uint32_t group_count,
                           const viaduct::kernels::SrtpJob* jobs,
                           const viaduct::kernels::SrtpKeySlot* keys, uint8_t* results,
                           uint32_t* finished_blocks, uint64_t* completion, uint64_t batch_number) {
  using namespace viaduct::kernels;
  BLOCK_SHARED(SrtpShared, shared);
  fill_banks(shared.banks);
  __syncthreads();
  for (uint32_t g = blockIdx.x; g < group_count; g += gridDim.x) {
    const SrtpGroup group = groups[g];
    const SrtpJob* const group_jobs = jobs + group.first_job;
    if (group.is_gcm == 0) {
      unprotect_counter_mode(shared, group, group_jobs, keys);
    } else if (const SrtpPlace at = place_in(group); at.has_job) {
      const SrtpJob& job = group_jobs[at.warp];
      const uint8_t verdict =
          gcm_unprotect({shared.banks, at.lane}, key_of(keys, job), shared.rows[at.warp], job);
      if (at.lane == 0) shared.verdicts[at.warp] = verdict;
    }
    __syncthreads();
    if (threadIdx.x < group.job_count)
      results[group.first_job + threadIdx.x] = shared.verdicts[threadIdx.x];
    __syncthreads();  // before the next group's verdicts
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
