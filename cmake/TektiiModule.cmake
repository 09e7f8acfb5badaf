# tektii_module(<name> USES <module>... LINKS <private third-party target>... PUBLIC_LINKS <third-party target>...)
# makes the static library tektii_<name> out of src/<name>; USES is the module's row of the module table.
function(tektii_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;PUBLIC_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(tektii_${name} STATIC ${sources})
  target_include_directories(tektii_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_USES PREPEND tektii_)
  target_link_libraries(tektii_${name} PUBLIC ${ARG_USES} ${ARG_PUBLIC_LINKS} fmt::fmt Threads::Threads
                                       PRIVATE tektii_settings ${TEKTII_SPDLOG} ${ARG_LINKS})
  tektii_precompile(tektii_${name} precompiled)
endfunction()

# Precompiles `header` in the first target that asks for it; the others share the result.
function(tektii_precompile target header)
  if(NOT TEKTII_PCH)
    return()
  endif()
  get_property(owner GLOBAL PROPERTY tektii_precompiled_${header})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/${header}.hpp)
    set_property(GLOBAL PROPERTY tektii_precompiled_${header} ${target})
  endif()
endfunction()

# tektii_tests(<name> LABELS <label>... USES <target>... [NEEDS_BINARY]): one GoogleTest binary out of the folder's .cpp
# files; NEEDS_BINARY builds the product first, for tests that run it.
function(tektii_tests name)
  cmake_parse_arguments(ARG "NEEDS_BINARY" "" "LABELS;USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(tektii_${name}_tests ${sources})
  target_include_directories(tektii_${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(tektii_${name}_tests PRIVATE ${ARG_USES} tektii_settings GTest::gmock GTest::gtest_main)
  target_compile_definitions(tektii_${name}_tests PRIVATE
    TEKTII_TESTDATA_DIR="${CMAKE_SOURCE_DIR}/testdata" TEKTII_BINARY="$<TARGET_FILE:tektii>")
  tektii_precompile(tektii_${name}_tests precompiled_tests)
  if(ARG_NEEDS_BINARY)
    add_dependencies(tektii_${name}_tests tektii)
  endif()
  gtest_discover_tests(tektii_${name}_tests TEST_PREFIX ${name}. NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 300)
endfunction()
