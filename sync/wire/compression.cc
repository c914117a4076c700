#include "sync/wire/compression.h"

#include <zstd.h>

#include "absl/strings/match.h"
#include "sync/base/require.h"

namespace zhibu {

// proto/zhibu/sync/v1/frames.zdict, built in.
extern const unsigned char kFramesDictionary[];
extern const size_t kFramesDictionaryBytes;

namespace {

// Level 3 brings two hundredths more, and takes twice as long.
constexpr int kLevel = 1;

// A build of zstd may read what was before RFC 8878, and passes over what says that it is to be.
constexpr absl::string_view kMagic("\x28\xb5\x2f\xfd", 4);

struct Dictionary {
  ZSTD_CDict* compressing = ZSTD_createCDict(kFramesDictionary, kFramesDictionaryBytes, kLevel);
  ZSTD_DDict* decompressing = ZSTD_createDDict(kFramesDictionary, kFramesDictionaryBytes);
  Dictionary() {
    REQUIRE(compressing != nullptr && decompressing != nullptr);
    REQUIRE(ZSTD_getDictID_fromDDict(decompressing) != 0);  // it is one that was trained
  }
  ~Dictionary() {
    ZSTD_freeCDict(compressing);
    ZSTD_freeDDict(decompressing);
  }
};

const Dictionary& TheDictionary() {
  static const Dictionary dictionary;
  return dictionary;
}

void Must(size_t result) { REQUIRE(ZSTD_isError(result) == 0); }

absl::Status Malformed() { return Refuse(sync::v1::MALFORMED, "compressed"); }

}  // namespace

uint32_t DictionaryNumber() { return ZSTD_getDictID_fromDDict(TheDictionary().decompressing); }

struct Compressor::Contexts {
  ZSTD_CCtx* compressing = ZSTD_createCCtx();
  ZSTD_DCtx* decompressing = ZSTD_createDCtx();
  Contexts() {
    REQUIRE(compressing != nullptr && decompressing != nullptr);
    Must(ZSTD_CCtx_refCDict(compressing, TheDictionary().compressing));
    Must(ZSTD_CCtx_setParameter(compressing, ZSTD_c_dictIDFlag, 0));  // both sides know which
    Must(ZSTD_DCtx_refDDict(decompressing, TheDictionary().decompressing));
  }
  ~Contexts() {
    ZSTD_freeCCtx(compressing);
    ZSTD_freeDCtx(decompressing);
  }
};

Compressor::Compressor() = default;
Compressor::~Compressor() = default;

std::string Compressor::Compress(absl::string_view bytes) {
  if (contexts_ == nullptr) contexts_ = std::make_unique<Contexts>();
  std::string compressed(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress2(contexts_->compressing, compressed.data(), compressed.size(),
                                     bytes.data(), bytes.size());
  Must(size);
  compressed.resize(size);
  return compressed;
}

absl::StatusOr<std::string> Compressor::Decompress(absl::string_view compressed, size_t bytes_max) {
  if (!absl::StartsWith(compressed, kMagic)) return Malformed();
  const unsigned long long size =  // NOLINT(google-runtime-int): as zstd has it
      ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return Malformed();
  if (size == 0) return Malformed();
  if (size > bytes_max) return TooLarge("compressed", size, bytes_max);
  // One frame, and nothing behind it.
  const size_t whole = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  if (ZSTD_isError(whole) != 0 || whole != compressed.size()) return Malformed();
  if (contexts_ == nullptr) contexts_ = std::make_unique<Contexts>();
  std::string bytes(size, '\0');
  const size_t made = ZSTD_decompressDCtx(contexts_->decompressing, bytes.data(), size,
                                          compressed.data(), compressed.size());
  if (ZSTD_isError(made) != 0 || made != size) return Malformed();
  return bytes;
}

}  // namespace zhibu
