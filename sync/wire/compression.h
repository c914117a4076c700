// Frames, compressed for the way (Welcome.dictionary):
//
//   compressed = one frame of Zstandard (RFC 8878) that says how long its content is
//   content    = another frame, serialised
//
// Each by itself, so that a stream that is idle keeps nothing for it; by a dictionary that lies
// beside the protocol (frames.zdict) and never changes: a better one would have another number.
#ifndef ZHIBU_SYNC_WIRE_COMPRESSION_H_
#define ZHIBU_SYNC_WIRE_COMPRESSION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/reason.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu {

// Of the dictionary that this build has. Any thread may ask.
uint32_t DictionaryNumber();

// What compressing needs beside the dictionary: a few hundred kilobytes, from the first use on.
// One thread at a time.
class Compressor {
 public:
  Compressor();
  ~Compressor();

  std::string Compress(absl::string_view bytes);
  // Nothing is made before it is known to hold `bytes_max` at most. MALFORMED; TOO_LARGE.
  absl::StatusOr<std::string> Decompress(absl::string_view compressed, size_t bytes_max);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// What so many bytes from a device may hold: else a few would do the harm of many.
inline size_t UnpackedBytesMax(size_t compressed_bytes) {
  constexpr size_t kAlways = 64 << 10;
  constexpr size_t kTimes = 32;
  return std::max(kAlways, kTimes * compressed_bytes);
}

// Shorter than this a frame gains nothing.
inline constexpr size_t kCompressedFromBytes = 64;

// The frame as it travels: compressed where that makes it shorter.
template <typename Frame>
void CompressFrame(Compressor& compressor, Frame* frame) {
  if (frame->ByteSizeLong() < kCompressedFromBytes) return;
  const std::string bytes = frame->SerializeAsString();
  std::string compressed = compressor.Compress(bytes);
  constexpr size_t kAround = 4;
  if (compressed.size() + kAround >= bytes.size()) return;
  constexpr bool kToServer = std::is_same_v<Frame, sync::v1::ClientFrame>;
  if (kToServer && bytes.size() > UnpackedBytesMax(compressed.size())) return;
  frame->set_compressed(std::move(compressed));
}

// What was in a frame that came compressed. MALFORMED: also where that is compressed again.
template <typename Frame>
absl::StatusOr<Frame> FrameIn(const std::string& bytes) {
  Frame frame;
  if (!frame.ParseFromString(bytes) || frame.frame_case() == Frame::kCompressed) {
    return Refuse(sync::v1::MALFORMED, "compressed");
  }
  return frame;
}

// Both.
template <typename Frame>
absl::StatusOr<Frame> DecompressFrame(Compressor& compressor, absl::string_view compressed,
                                      size_t bytes_max) {
  const absl::StatusOr<std::string> bytes = compressor.Decompress(compressed, bytes_max);
  if (!bytes.ok()) return bytes.status();
  return FrameIn<Frame>(*bytes);
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_COMPRESSION_H_
