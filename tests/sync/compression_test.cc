// What travels compressed: what is packed comes out as it was, and nothing else is unpacked.
#include "sync/wire/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu {
namespace {

using sync::v1::ClientFrame;

constexpr size_t kMost = 4 << 20;

ClientFrame PushOf(const std::string& edit) {
  ClientFrame frame;
  frame.mutable_push()->add_edits()->set_edit(edit);
  return frame;
}

std::string Chance(size_t bytes) {
  std::mt19937 random(1);
  std::string chance(bytes, '\0');
  for (char& byte : chance) byte = static_cast<char>(random());
  return chance;
}

class Compression : public ::testing::Test {
 protected:
  // Why it is not unpacked.
  std::string Refused(absl::string_view compressed, size_t most = kMost) {
    const auto bytes = compressor.Decompress(compressed, most);
    return bytes.ok() ? "" : sync::v1::Reason_Name(ReasonOf(bytes.status()).reason);
  }

  Compressor compressor;
};

TEST_F(Compression, AFrameComesOutAsItWas) {
  const ClientFrame frame = PushOf(std::string(5000, 'x') + Chance(100));
  ClientFrame sent = frame;
  CompressFrame(compressor, &sent);
  ASSERT_TRUE(sent.has_compressed());
  EXPECT_LT(sent.ByteSizeLong(), 300u);
  Compressor other;
  const auto came = DecompressFrame<ClientFrame>(other, sent.compressed(), kMost);
  ASSERT_TRUE(came.ok()) << came.status();
  EXPECT_EQ(came->SerializeAsString(), frame.SerializeAsString());
}

TEST_F(Compression, AFrameThatWouldNotBeShorterStaysAsItIs) {
  for (const ClientFrame& frame : {PushOf("short"), PushOf(Chance(5000))}) {
    ClientFrame sent = frame;
    CompressFrame(compressor, &sent);
    EXPECT_EQ(sent.SerializeAsString(), frame.SerializeAsString());
  }
}

TEST_F(Compression, WhatIsNoCompressedFrameIsRefused) {
  const std::string good = compressor.Compress(std::string(5000, 'x'));
  EXPECT_EQ(Refused(good), "");
  EXPECT_EQ(Refused(""), "MALFORMED");
  EXPECT_EQ(Refused("no frame"), "MALFORMED");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(Refused(good.substr(0, size)), "MALFORMED") << size;
  }
}

TEST_F(Compression, NothingStandsBehindIt) {
  const std::string good = compressor.Compress(std::string(5000, 'x'));
  EXPECT_EQ(Refused(good + "x"), "MALFORMED");
  EXPECT_EQ(Refused(good + good), "MALFORMED");
  const std::string skipped("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9);  // RFC 8878, 3.1.2
  EXPECT_EQ(Refused(skipped), "MALFORMED");
  EXPECT_EQ(Refused(compressor.Compress("")), "MALFORMED");
  EXPECT_EQ(Refused(good + skipped), "MALFORMED");
  EXPECT_EQ(Refused(skipped + good), "MALFORMED");
}

// Which some builds of zstd read.
TEST_F(Compression, WhatWasBeforeTheFormatHadAStandardIsNotRead) {
  const std::string good = compressor.Compress(std::string(5000, 'x'));
  for (const char version : {'\x22', '\x23', '\x24', '\x25', '\x26', '\x27'}) {
    std::string frame = good;
    frame.replace(0, 4, std::string({version, '\xb5', '\x2f', '\xfd'}));
    EXPECT_EQ(Refused(frame), "MALFORMED");
    EXPECT_EQ(Refused(frame.substr(0, 4)), "MALFORMED");
  }
}

// A few bytes that hold a gigabyte.
TEST_F(Compression, MoreThanIsTakenIsRefusedBeforeItIsUnpacked) {
  const std::string bomb = compressor.Compress(std::string(kMost + 1, '\0'));
  ASSERT_LT(bomb.size(), 1000u);
  EXPECT_EQ(Refused(bomb), "TOO_LARGE");
  EXPECT_EQ(Refused(bomb, kMost + 1), "");
}

TEST_F(Compression, WhatIsMuchTheSameTravelsToTheServerAsItIs) {
  const ClientFrame frame = PushOf(std::string(100'000, 'x'));
  ClientFrame sent = frame;
  CompressFrame(compressor, &sent);
  EXPECT_EQ(sent.SerializeAsString(), frame.SerializeAsString());
  sync::v1::ServerFrame back;
  back.mutable_page()->add_bodies(std::string(100'000, 'x'));
  CompressFrame(compressor, &back);
  EXPECT_TRUE(back.has_compressed());
}

TEST_F(Compression, OneThatDoesNotSayHowMuchItHoldsIsRefused) {
  const std::string bytes(5000, 'x');
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), bytes.data(), bytes.size()));
  ZSTD_freeCCtx(context);
  EXPECT_EQ(Refused(frame), "MALFORMED");
}

// It says 5,000 bytes, and holds fewer or more.
TEST_F(Compression, OneThatHoldsOtherThanItSaysIsRefused) {
  std::string frame = compressor.Compress(std::string(5000, 'x'));
  const size_t at = frame.find(std::string("\x88\x12", 2));  // 5,000 less 256, in two bytes
  ASSERT_NE(at, std::string::npos);
  for (const char low : {'\x87', '\x89'}) {
    frame[at] = low;
    EXPECT_EQ(Refused(frame), "MALFORMED");
  }
}

TEST_F(Compression, WhatIsCompressedTwiceIsRefused) {
  ClientFrame inner = PushOf(std::string(5000, 'x'));
  CompressFrame(compressor, &inner);
  const std::string twice = compressor.Compress(inner.SerializeAsString());
  EXPECT_EQ(ReasonOf(DecompressFrame<ClientFrame>(compressor, twice, kMost).status()).reason,
            sync::v1::MALFORMED);
}

// Devices and servers of any age have it: a better one is another.
TEST(FramesDictionary, IsTheOneThatHasAlwaysHadItsNumber) {
  std::stringstream file;
  file << std::ifstream(ZHIBU_DICTIONARY, std::ios::binary).rdbuf();
  EXPECT_EQ(file.str().size(), 16384u);
  EXPECT_EQ(DictionaryNumber(), 802639082u);
  EXPECT_EQ(LinkTo(file.str()), 6086916845668421506u);
}

}  // namespace
}  // namespace zhibu
