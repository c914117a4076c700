// A frame as it is before it is compressed (sync/wire/compression.h), however it travels.
#ifndef ZHIBU_TESTS_SUPPORT_UNPACKED_H_
#define ZHIBU_TESTS_SUPPORT_UNPACKED_H_

#include "sync/wire/compression.h"

namespace zhibu::test {

// One that cannot be unpacked ends the program: production code has packed it.
template <typename Frame>
Frame Unpacked(const Frame& frame) {
  if (!frame.has_compressed()) return frame;
  Compressor compressor;
  return DecompressFrame<Frame>(compressor, frame.compressed(), 8 << 20).value();
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_UNPACKED_H_
