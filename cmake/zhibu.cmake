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

function(zhibu_target target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
    $<$<BOOL:${ZHIBU_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    # gcc 12 sees overlaps in std::string that are not there (GCC bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
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

# zhibu_test(NAME SOURCES... LIBS ...): one GoogleTest executable, each case a ctest.
function(zhibu_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;PROPERTIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock_main)
  zhibu_target(${name})
  add_dependencies(tests ${name})
  if(ZHIBU_SANITIZE STREQUAL "thread")
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/tsan_locks.cc)
    list(TRANSFORM zhibu_tsan_locks PREPEND LINKER:--wrap= OUTPUT_VARIABLE wrapped)
    target_link_options(${name} PRIVATE ${wrapped})
    target_link_libraries(${name} PRIVATE absl::synchronization)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 ${ARG_PROPERTIES})
endfunction()
