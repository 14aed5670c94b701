# One INTERFACE target carries language level, warnings and sanitizers; every target of the project links it.
option(SIDELIGHT_TESTS "build the unit tests" ON)
option(SIDELIGHT_FUZZ "build the libFuzzer targets (clang only)" OFF)
option(SIDELIGHT_BENCH "build the benchmarks" OFF)
set(SIDELIGHT_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# A line passes through small functions of several folders; calls between them were a tenth of its cost.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(sidelight_options INTERFACE)
target_include_directories(sidelight_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(sidelight_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wold-style-cast -Wunused -Wnull-dereference -Wdouble-promotion -Wformat=2 -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 in libstdc++ at -O2.
  target_compile_options(sidelight_options INTERFACE -Wno-restrict -Wno-null-dereference
    -Wno-error=maybe-uninitialized -Wno-error=array-bounds -Wno-error=stringop-overflow)
endif()
if(SIDELIGHT_SANITIZE)
  target_compile_options(sidelight_options INTERFACE -fsanitize=${SIDELIGHT_SANITIZE} -fno-sanitize-recover=all -g1)
  target_link_options(sidelight_options INTERFACE -fsanitize=${SIDELIGHT_SANITIZE})
  if(SIDELIGHT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sidelight_options INTERFACE -Wno-tsan)
  endif()
endif()
