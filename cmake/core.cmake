# What an app embeds, as one shared library without gRPC: libzhibu_core.so. An app may have a
# protobuf, an Abseil or an SQLite of its own, so that each of ours is linked in and hidden.
# Protobuf, Abseil, RE2 and zstd are built from Debian's sources, which `./dev core` unpacks: Debian's
# archives of them are not position-independent. The other archives are, as far as they are used.
set(ZHIBU_SOURCES ${CMAKE_SOURCE_DIR}/build/core-sources CACHE PATH "Where those sources are")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_compile_options(-Os -ffunction-sections -fdata-sections -fvisibility=hidden
  $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>)

find_package(Threads REQUIRED)
find_package(GTest CONFIG REQUIRED)

set(BUILD_SHARED_LIBS OFF)
set(BUILD_TESTING OFF)
set(ABSL_PROPAGATE_CXX_STD ON)
set(protobuf_BUILD_TESTS OFF CACHE BOOL "")
set(protobuf_BUILD_PROTOC_BINARIES OFF CACHE BOOL "")
set(protobuf_WITH_ZLIB OFF CACHE BOOL "")
add_subdirectory(${ZHIBU_SOURCES}/abseil ${CMAKE_BINARY_DIR}/abseil EXCLUDE_FROM_ALL SYSTEM)
add_subdirectory(${ZHIBU_SOURCES}/protobuf ${CMAKE_BINARY_DIR}/protobuf EXCLUDE_FROM_ALL SYSTEM)
find_package(Protobuf REQUIRED)  # its compiler, which is Debian's

# zhibu_static(NAME LIBRARY... [NEEDS ...]): Debian's archive, under the name that the targets use
function(zhibu_static name)
  cmake_parse_arguments(ARG "" "" "NEEDS" ${ARGN})
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  foreach(library ${ARG_UNPARSED_ARGUMENTS})
    find_library(ZHIBU_STATIC_${library} lib${library}.a REQUIRED)
    target_link_libraries(${name} INTERFACE ${ZHIBU_STATIC_${library}})
  endforeach()
  target_link_libraries(${name} INTERFACE ${ARG_NEEDS})
endfunction()
zhibu_static(PkgConfig::sodium sodium)
zhibu_static(PkgConfig::sqlite3 sqlite3 NEEDS ${CMAKE_DL_LIBS} m)
zhibu_static(SQLiteCpp SQLiteCpp NEEDS PkgConfig::sqlite3)
# Debian's source of RE2 lacks its tables of characters, which are in the archive.
file(GLOB re2_sources ${ZHIBU_SOURCES}/re2/re2/*.cc)
add_library(zhibu_re2 STATIC EXCLUDE_FROM_ALL ${re2_sources} ${ZHIBU_SOURCES}/re2/util/rune.cc
  ${ZHIBU_SOURCES}/re2/util/strutil.cc)
target_include_directories(zhibu_re2 SYSTEM PUBLIC ${ZHIBU_SOURCES}/re2)
zhibu_static(zhibu_re2_archive re2 NEEDS Threads::Threads)
target_link_libraries(zhibu_re2 PUBLIC zhibu_re2_archive)
add_library(re2::re2 ALIAS zhibu_re2)
# As archived it is made for speed, with each loop twice: three times as large.
file(GLOB zstd_sources ${ZHIBU_SOURCES}/libzstd/lib/common/*.c ${ZHIBU_SOURCES}/libzstd/lib/compress/*.c
  ${ZHIBU_SOURCES}/libzstd/lib/decompress/*.c)
add_library(zhibu_zstd STATIC EXCLUDE_FROM_ALL ${zstd_sources})
target_include_directories(zhibu_zstd SYSTEM PUBLIC ${ZHIBU_SOURCES}/libzstd/lib)
target_compile_definitions(zhibu_zstd PRIVATE ZSTD_DISABLE_ASM DYNAMIC_BMI2=0 ZSTD_STRIP_ERROR_STRINGS
  ZSTD_NO_INLINE HUF_FORCE_DECOMPRESS_X1 ZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT)
add_library(PkgConfig::zstd ALIAS zhibu_zstd)
zhibu_static(ICU::uc icuuc)
# Of what runs while this is built, and is no part of it.
add_library(ICU::i18n INTERFACE IMPORTED GLOBAL)
find_library(ZHIBU_ICU_I18N libicui18n.so REQUIRED)
find_library(ZHIBU_ICU_UC libicuuc.so REQUIRED)
target_link_libraries(ICU::i18n INTERFACE ${ZHIBU_ICU_I18N} ${ZHIBU_ICU_UC})

include(cmake/zhibu.cmake)
add_subdirectory(proto)
add_subdirectory(sync)
add_subdirectory(client-core)
enable_testing()
add_subdirectory(tests/core)
