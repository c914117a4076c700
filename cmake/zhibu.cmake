# What every target of ours has in common.

option(ZHIBU_WERROR "Warnings are errors" ON)
set(ZHIBU_SANITIZE "" CACHE STRING "Sanitizers for the whole build, e.g. address,undefined")
option(ZHIBU_FUZZ "Instrument for libFuzzer, which only clang has" OFF)

if(ZHIBU_SANITIZE)
  add_compile_options(-fsanitize=${ZHIBU_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ZHIBU_SANITIZE})
  # gcc with sanitizers takes values in std::optional and StatusOr for uninitialised.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(ZHIBU_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# What most files include is read once for all of them. Without it each file is on its own: the
# presets that have it off, and lint, show whether a file includes what it uses.
option(ZHIBU_PRECOMPILE "Precompile the headers that most files include" OFF)
if(ZHIBU_PRECOMPILE)
  # A precompiled header is for files with the same macros: -pthread makes one.
  add_compile_options(-pthread)
  # So ccache knows that a precompiled header is the same when what it was made of is.
  list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros)
  add_compile_options("$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>"
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# Most of compiling what tests say, and what is generated, is to make it fast, and it does not run long.
set(ZHIBU_QUICK_FLAGS "" CACHE STRING "Flags for what is not worth optimising, beside all others")

# zhibu_precompiled(NAME [QUICK] HEADERS... LIBS...): for the targets that say PRECOMPILED NAME. QUICK:
# they are compiled with ZHIBU_QUICK_FLAGS.
function(zhibu_precompiled name)
  if(NOT ZHIBU_PRECOMPILE)
    return()
  endif()
  cmake_parse_arguments(ARG "QUICK" "" "HEADERS;LIBS" ${ARGN})
  file(TOUCH ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  zhibu_options(${name})
  set(flags)
  if(ARG_QUICK)
    set(flags ${ZHIBU_QUICK_FLAGS})
  endif()
  target_compile_options(${name} PRIVATE ${flags})
  set_target_properties(${name} PROPERTIES ZHIBU_FLAGS "${flags}")
endfunction()

# zhibu_target(NAME [APART] [PRECOMPILED NAME])
#
# Some files are compiled as one, so that what all of them need is worked out once. APART: each by
# itself, because they have helpers of the same names, or classes with members of types that are theirs
# alone.
function(zhibu_target target)
  cmake_parse_arguments(ARG "APART" "PRECOMPILED" "" ${ARGN})
  zhibu_options(${target})
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED zhibu_precompiled_base)
  endif()
  if(NOT ZHIBU_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${ARG_PRECOMPILED})
  get_target_property(flags ${ARG_PRECOMPILED} ZHIBU_FLAGS)
  target_compile_options(${target} PRIVATE ${flags})
  if(ARG_APART)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
endfunction()

function(zhibu_options target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
    $<$<BOOL:${ZHIBU_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    # gcc 12 sees overlaps in std::string that are not there (GCC bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endfunction()

# zhibu_c_target(NAME): of files of C, which know no more of us than zhibu.h.
function(zhibu_c_target target)
  set_target_properties(${target} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${ZHIBU_WERROR}>:-Werror>)
endfunction()

# See tests/support/tsan_locks.cc.
set(zhibu_tsan_locks
  _ZN4absl7debian35Mutex4LockEv
  _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE
  _ZN4absl7debian35Mutex6UnlockEv
  _ZN4absl7debian312Notification6NotifyEv
  _ZNK4absl7debian312Notification19WaitForNotificationEv)

# All of them, without what they do not use.
add_custom_target(tests)

# Where a program takes longer to start than most of its cases to run, a ctest is a share of them.
set(ZHIBU_SHARES 0 CACHE STRING "So many ctests of each test program; 0: one of each case")

# zhibu_test(NAME [APART] SOURCES... LIBS ... [PRECOMPILED NAME]): one GoogleTest executable, each
# case a ctest, or each share of them (ZHIBU_SHARES). APART: its files have helpers of the same
# names.
function(zhibu_test name)
  cmake_parse_arguments(ARG "APART" "PRECOMPILED" "SOURCES;LIBS;PROPERTIES" ${ARGN})
  set(apart)
  if(ARG_APART)
    set(apart APART)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock_main)
  set(precompiled zhibu_precompiled_test)
  if(ARG_PRECOMPILED)
    set(precompiled ${ARG_PRECOMPILED})
  elseif(zhibu_test_world IN_LIST ARG_LIBS)
    set(precompiled zhibu_precompiled_world)
  endif()
  zhibu_target(${name} ${apart} PRECOMPILED ${precompiled})
  add_dependencies(tests ${name})
  if(ZHIBU_SANITIZE STREQUAL "thread")
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/tsan_locks.cc)
    list(TRANSFORM zhibu_tsan_locks PREPEND LINKER:--wrap= OUTPUT_VARIABLE wrapped)
    target_link_options(${name} PRIVATE ${wrapped})
    target_link_libraries(${name} PRIVATE absl::synchronization)
  endif()
  if(ZHIBU_SHARES EQUAL 0)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 ${ARG_PROPERTIES})
    return()
  endif()
  math(EXPR last "${ZHIBU_SHARES} - 1")
  foreach(share RANGE ${last})
    add_test(NAME ${name}.${share} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name}.${share} PROPERTIES TIMEOUT 1800 ${ARG_PROPERTIES}
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ZHIBU_SHARES};GTEST_SHARD_INDEX=${share}")
  endforeach()
endfunction()
