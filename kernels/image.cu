// All kernels, as one image for the device.
#include "kernels/srtp/srtp_kernels.cu"
