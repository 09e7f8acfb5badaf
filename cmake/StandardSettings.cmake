# Language level, warnings and sanitizers that every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(TEKTII_WERROR "Treat warnings as errors" OFF)
set(TEKTII_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
option(TEKTII_COVERAGE "Instrument for gcov" OFF)

add_library(tektii_settings INTERFACE)
target_compile_options(tektii_settings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor)
# gcc 12 sees overruns in std::string(n, c) and its kin where there are none (GCC bugs 105329, 105651).
target_compile_options(tektii_settings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread>)
if(TEKTII_WERROR)
  target_compile_options(tektii_settings INTERFACE -Werror)
endif()
# Source paths in assertions and messages stay relative, so that a build does not depend on where it was made.
target_compile_options(tektii_settings INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(TEKTII_SANITIZE)
  # Instrumented code makes gcc lose track of initialisations.
  target_compile_options(tektii_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_options(tektii_settings INTERFACE -fsanitize=${TEKTII_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tektii_settings INTERFACE -fsanitize=${TEKTII_SANITIZE})
endif()
if(TEKTII_COVERAGE)
  target_compile_options(tektii_settings INTERFACE --coverage)
  target_link_options(tektii_settings INTERFACE --coverage)
endif()

# Parsing headers is most of what compiling this project costs.
option(TEKTII_PCH "Precompile the headers that most sources include" ON)
set(CMAKE_PCH_WARN_INVALID OFF)

find_program(TEKTII_CCACHE ccache)
if(TEKTII_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TEKTII_CCACHE})
endif()
