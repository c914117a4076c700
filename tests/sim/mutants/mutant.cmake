# zhibu_mutant(NAME [NIGHTLY] FILE path BREAKS "what the slip stands for"
#              REPLACE [=[code]=] BY [=[code]=] INVARIANTS "what must be found broken"...
#              [SEEDS n] [STEPS n] [FAULTS list])
#
# The simulator with one slip in one file of the product, and a test that this is
# found: within SEEDS seeds of STEPS steps one of the invariants must be seen broken.
# The code to be replaced must stand in the file exactly once, so that the list keeps
# up with what it speaks of. NIGHTLY: it is looked for where all are, and in no sample. The mutated file,
# with those that the library compiles as one with it, defines all that the library's own do and is
# linked first, so the library's are left out; if both came in, the linker would say so.
function(zhibu_mutant name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "NIGHTLY"
    "FILE;BREAKS;REPLACE;BY;SEEDS;STEPS;FAULTS" "INVARIANTS")
  foreach(default "SEEDS 100" "STEPS 1000" "FAULTS all")
    string(REPLACE " " ";" default "${default}")
    list(GET default 0 option)
    if(NOT DEFINED ARG_${option})
      list(GET default 1 ARG_${option})
    endif()
  endforeach()

  set(original ${PROJECT_SOURCE_DIR}/${ARG_FILE})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${original})
  file(READ ${original} code)
  string(FIND "${code}" "${ARG_REPLACE}" first)
  string(FIND "${code}" "${ARG_REPLACE}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(SEND_ERROR
      "mutant ${name}: ${ARG_FILE} does not hold exactly once:\n${ARG_REPLACE}")
  endif()
  string(REPLACE "${ARG_REPLACE}" "${ARG_BY}" code "${code}")
  get_filename_component(base ${ARG_FILE} NAME)
  set(mutated ${CMAKE_CURRENT_BINARY_DIR}/${name}/${base})
  set(there "")
  if(EXISTS ${mutated})
    file(READ ${mutated} there)
  endif()
  if(NOT "${there}" STREQUAL "${code}")
    file(WRITE ${mutated} "${code}")
  endif()

  # Which are compiled as one is known once CMake has written the build.
  string(REGEX MATCH "^[^/]+" folder ${ARG_FILE})
  set(as_one ${CMAKE_CURRENT_BINARY_DIR}/${name}/as_one.cc)
  set(script ${PROJECT_SOURCE_DIR}/tests/sim/mutants/as_one.cmake)
  add_custom_command(OUTPUT ${as_one}
    COMMAND ${CMAKE_COMMAND} -DORIGINAL=${original} -DMUTATED=${mutated} -DAS_ONE=${as_one}
            -DFOLDER=${PROJECT_BINARY_DIR}/${folder} -P ${script}
    DEPENDS ${mutated} ${script} ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt VERBATIM)

  # Built where they are asked for (./dev slips).
  add_executable(zhibu_mutant_${name} EXCLUDE_FROM_ALL ${as_one} $<TARGET_OBJECTS:zhibu_sim_main>)
  target_link_libraries(zhibu_mutant_${name} PRIVATE zhibu_sim SQLiteCpp PkgConfig::sqlite3 PkgConfig::pq spdlog::spdlog)
  zhibu_target(zhibu_mutant_${name} APART)
  # What a slip leaves unused is no matter, and nobody debugs a mutant.
  target_compile_options(zhibu_mutant_${name} PRIVATE -w)
  target_link_options(zhibu_mutant_${name} PRIVATE -Wl,--strip-debug)
  add_test(NAME mutant.${name}
    COMMAND zhibu_mutant_${name} sim --seeds ${ARG_SEEDS} --steps ${ARG_STEPS}
            --faults ${ARG_FAULTS} --expect ${ARG_INVARIANTS})
  set_tests_properties(mutant.${name} PROPERTIES TIMEOUT 300)
  # For ./dev slips: which there are, where, and whether all of them are asked for alone.
  set(sampled "")
  if(NOT ARG_NIGHTLY)
    set(sampled " sampled")
  endif()
  set_property(GLOBAL APPEND PROPERTY ZHIBU_SLIPS "${name} ${ARG_FILE}${sampled}")
endfunction()
