// All kernels, as one image for the device.
#include "kernels/audio/audio_kernels.cu"
#include "kernels/srtp/srtp_kernels.cu"
