// The SRTP kernels, for whoever launches them by another way than the driver's.
#pragma once

#include <cuda_language.h>

#include "kernels/srtp/srtp_job.h"

extern "C" __global__ void viaduct_srtp_protect(const viaduct::kernels::SrtpGroup* groups,
                                                uint32_t group_count,
                                                const viaduct::kernels::SrtpJob* jobs,
                                                const viaduct::kernels::SrtpKeySlot* keys,
                                                uint8_t* results, uint32_t* finished_blocks,
                                                uint64_t* completion, uint64_t batch_number);

extern "C" __global__ void viaduct_srtp_unprotect(const viaduct::kernels::SrtpGroup* groups,
                                                  uint32_t group_count,
                                                  const viaduct::kernels::SrtpJob* jobs,
                                                  const viaduct::kernels::SrtpKeySlot* keys,
                                                  uint8_t* results, uint32_t* finished_blocks,
                                                  uint64_t* completion, uint64_t batch_number);

extern "C" __global__ void viaduct_srtp_expand_keys(const viaduct::kernels::SrtpKeyUpload* uploads,
                                                    viaduct::kernels::SrtpKeySlot* keys,
                                                    uint32_t* finished_blocks,
                                                    uint64_t* completion, uint64_t batch_number);
