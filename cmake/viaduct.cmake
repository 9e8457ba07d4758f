# How the project builds its own code: warnings, sanitizers, one library per folder, one test binary per
# folder of tests.

find_package(Threads REQUIRED)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(viaduct_options INTERFACE)
# -iquote: our names ("limits.h") never hide the system's (<limits.h>).
target_compile_options(viaduct_options INTERFACE "SHELL:-iquote ${CMAKE_SOURCE_DIR}/bridge"
                       "SHELL:-iquote ${CMAKE_SOURCE_DIR}")
# GCC's <limits.h> goes on to the system's by a quoted include, which would find ours after all: have the
# system's read first.
target_compile_options(viaduct_options INTERFACE "$<$<CXX_COMPILER_ID:GNU>:SHELL:-include /usr/include/limits.h>")
target_compile_options(viaduct_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
                       -Wno-missing-field-initializers)
# clang counts sign changes among -Wconversion, GCC does not: both ask for the same.
target_compile_options(viaduct_options INTERFACE "$<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>")
# Every function is bound at start: at a first call the loader would save all vector registers on the stack, and a copy
# of a key with them.
target_link_options(viaduct_options INTERFACE LINKER:-z,relro,-z,now)
target_link_libraries(viaduct_options INTERFACE Threads::Threads)
if(VIADUCT_SANITIZE)
  target_compile_options(viaduct_options INTERFACE -fsanitize=${VIADUCT_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(viaduct_options INTERFACE -fsanitize=${VIADUCT_SANITIZE})
endif()

option(VIADUCT_FUZZ "Build the libFuzzer targets of tests/fuzz; needs clang" OFF)
if(VIADUCT_FUZZ)
  target_compile_options(viaduct_options INTERFACE -fsanitize=fuzzer-no-link)  # coverage for the fuzzers to steer by
  target_link_options(viaduct_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The preset `fuzz` has CMake join the sources of a library, eight to a translation unit (CMAKE_UNITY_BUILD): most of
# the time goes into headers and templates, which are then compiled once for the eight. The other presets compile each
# file alone and so prove that it can be. A file whose own names are also another's in its folder stays apart:
# viaduct_apart(SOURCE...).
function(viaduct_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# viaduct_library(NAME [EXCEPT source...] [USES lib...]): all *.cc of the current folder, but for the sources that
# EXCEPT names without .cc, as viaduct_NAME; only headers make an interface.
function(viaduct_library name)
  cmake_parse_arguments(ARG "" "" "EXCEPT;USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(source ${ARG_EXCEPT})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${source}.cc)
  endforeach()
  if(sources)
    add_library(viaduct_${name} STATIC ${sources})
    target_link_libraries(viaduct_${name} PUBLIC viaduct_options ${ARG_USES})
  else()
    add_library(viaduct_${name} INTERFACE)
    target_link_libraries(viaduct_${name} INTERFACE viaduct_options ${ARG_USES})
  endif()
endfunction()

add_custom_target(gtests)  # all of the below

# viaduct_test(FOLDER [JOIN] [APART source...] [USES lib...]): all *.cc of tests/FOLDER as one GoogleTest binary, named
# after the folder. JOIN compiles its sources five at a time, by every preset: for folders whose sources spend most of
# their time in headers that they share. The ones that APART names without .cc stay apart.
function(viaduct_test folder)
  cmake_parse_arguments(ARG "JOIN" "" "APART;USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  string(REPLACE "/" "_" name ${folder})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE viaduct_options ${ARG_USES} GTest::gmock_main)
  target_compile_options(${name} PRIVATE -O0)  # what they test is optimised; they themselves are compiled more than run
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${ARG_JOIN} UNITY_BUILD_BATCH_SIZE 5)
  list(TRANSFORM ARG_APART REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/tests/${folder}/\\1.cc")
  viaduct_apart(${ARG_APART})
  add_dependencies(gtests ${name})
  if(VIADUCT_SANITIZE)
    # A process for each test takes longer to start under a sanitizer than the test: all of a binary in one.
    add_test(NAME ${folder} COMMAND ${name} --gtest_output=xml:${CMAKE_BINARY_DIR}/gtest/${name}.xml)
    set_tests_properties(${folder} PROPERTIES TIMEOUT 1500)
  else()
    gtest_discover_tests(${name} TEST_PREFIX "${folder}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
endfunction()

# viaduct_python_tests(PREFIX PROPERTIES property value...): each test method of all *_test.py of the current folder as
# a test of its own.
function(viaduct_python_tests prefix)
  cmake_parse_arguments(ARG "" "" "PROPERTIES" ${ARGN})
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
  foreach(source ${sources})
    get_filename_component(file ${source} NAME_WE)
    file(STRINGS ${source} methods REGEX "^    def test_")
    foreach(method ${methods})
      string(REGEX REPLACE ".*def (test_[a-z0-9_]+).*" "\\1" method "${method}")
      set(name "${prefix}/${file}.${method}")
      add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${source} -k ${method})
      set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped=" ${ARG_PROPERTIES}
                           ENVIRONMENT "VIADUCT_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
    endforeach()
  endforeach()
endfunction()
