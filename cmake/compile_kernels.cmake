# cmake -DCOMPILER=... -DSOURCE=... -DOUTPUT=... [-DPTX=ON] -P compile_kernels.cmake
# Compiles all kernels to one image: a fat binary by nvcc, or PTX by clang (and by nvcc where PTX is set). Fails where a
# kernel would keep registers in memory ("spill"), which costs time and leaves secrets there.

set(input ${SOURCE}/kernels/image.cu)
get_filename_component(name ${COMPILER} NAME)
if(name MATCHES "nvcc")
  set(language nvcc)
  set(flags --expt-relaxed-constexpr)
  if(PTX)
    list(APPEND flags -ptx -arch=compute_90)
  else()
    list(APPEND flags -fatbin -Xptxas -v)
    foreach(real 80 90 100)
      list(APPEND flags -gencode arch=compute_${real},code=sm_${real})
    endforeach()
    list(APPEND flags -gencode arch=compute_90,code=compute_90)  # for what comes later
  endif()
else()
  set(language clang)
  set(flags -x cuda --cuda-device-only --cuda-gpu-arch=sm_75 -nocudainc -nocudalib --cuda-path=/nowhere
      -Wno-unknown-cuda-version -Xclang -target-feature -Xclang +ptx70 -fdeclspec -O3 -S -Wall -Wextra -Werror)
endif()

execute_process(COMMAND ${COMPILER} -std=c++17 ${flags} -I ${SOURCE}/kernels/cuda_language/${language} -I ${SOURCE}
                        ${input} -o ${OUTPUT}
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE complained)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "'${COMPILER}' has not compiled the kernels (${status})\n${said}${complained}")
endif()
if("${said}${complained}" MATCHES "[^0-9]([1-9][0-9]* bytes spill[^\n]*)")
  file(REMOVE ${OUTPUT})
  message(FATAL_ERROR "A kernel has too few registers (${CMAKE_MATCH_1}):\n${said}${complained}")
endif()
