# Writes AS_ONE: what is compiled as one with ORIGINAL somewhere below FOLDER, with MUTATED in its
# place; MUTATED alone, where each file is compiled by itself.
set(code "#include \"${MUTATED}\"\n")
file(GLOB_RECURSE unities ${FOLDER}/CMakeFiles/*/Unity/*.cxx)
foreach(unity ${unities})
  file(READ ${unity} those)
  string(REPLACE "#include \"${ORIGINAL}\"" "#include \"${MUTATED}\"" mutated "${those}")
  if(NOT "${mutated}" STREQUAL "${those}")
    set(code "${mutated}")
  endif()
endforeach()
file(WRITE ${AS_ONE} "${code}")
