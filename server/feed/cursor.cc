#include "server/feed/cursor.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "sync/base/status.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu::server {
namespace {

constexpr char kContext[] = "zhibu cursor v2";
constexpr size_t kSealBytes = 16;
constexpr size_t kNumberBytes = 8;
constexpr size_t kChannelNumbers = 4;
constexpr size_t kChannelBytes = kChannelNumbers * kNumberBytes;

std::string BytesOf(const std::vector<Channel>& channels) {
  std::string bytes;
  for (const Channel& channel : channels) {
    for (uint64_t number : {uint64_t{channel.offices}, channel.version.value, channel.began.value,
                            channel.whole.value}) {
      for (size_t i = 0; i < kNumberBytes; ++i, number >>= 8) {
        bytes.push_back(static_cast<char>(number & 0xff));
      }
    }
  }
  return bytes;
}

uint64_t NumberAt(absl::string_view bytes, size_t index) {
  uint64_t number = 0;
  for (size_t i = kNumberBytes; i > 0; --i) {
    number = number << 8 | static_cast<uint8_t>(bytes[index * kNumberBytes + i - 1]);
  }
  return number;
}

// What stands in a seal behind the digest.
absl::string_view BehindDigest(const sync::v1::Cursor& cursor) {
  return absl::string_view(cursor.seal()).substr(std::min(kSealBytes, cursor.seal().size()));
}

}  // namespace

std::string NewCursorKey(const Environment& environment) {
  return environment.random_bytes(crypto_generichash_KEYBYTES);
}

absl::StatusOr<CursorSeal> CursorSeal::Of(Reader& reader, const Id& person) {
  CursorSeal seal;
  ASSIGN_OR_RETURN(seal.key_, reader.GetSetting(kCursorKey));
  if (seal.key_.empty()) return absl::NotFoundError("the server has no key for cursors yet");
  ASSIGN_OR_RETURN(const std::string incarnation, reader.GetSetting(kIncarnation));
  seal.owner_ = absl::StrCat(person.str(), incarnation);
  return seal;
}

std::string CursorSeal::SealOf(const sync::v1::Cursor& cursor, absl::string_view channels) const {
  // Of fixed length but for the channels, which say so, and the scope, which is the last.
  std::string content = absl::StrCat(kContext, "/", absl::Hex(cursor.version(), absl::kZeroPad16),
                                     "/", absl::Hex(cursor.audience(), absl::kZeroPad8), "/",
                                     owner_, "/", channels.size(), "/", channels, cursor.scope());
  std::string seal(kSealBytes, '\0');
  crypto_generichash(Bytes(&seal), seal.size(), Bytes(content), content.size(), Bytes(key_),
                     key_.size());
  seal.append(channels.data(), channels.size());
  return seal;
}

void CursorSeal::Put(const std::vector<Channel>& channels, sync::v1::Cursor* cursor) const {
  cursor->set_seal(SealOf(*cursor, BytesOf(channels)));
}

bool CursorSeal::Good(const sync::v1::Cursor& cursor) const {
  const absl::string_view channels = BehindDigest(cursor);
  if (channels.size() % kChannelBytes != 0) return false;
  const std::string seal = SealOf(cursor, channels);
  return cursor.seal().size() == seal.size() &&
         sodium_memcmp(cursor.seal().data(), seal.data(), seal.size()) == 0;
}

std::vector<Channel> CursorSeal::ChannelsIn(const sync::v1::Cursor& cursor) {
  const absl::string_view bytes = BehindDigest(cursor);
  std::vector<Channel> channels(bytes.size() / kChannelBytes);
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto number = [&](size_t n) { return NumberAt(bytes, kChannelNumbers * i + n); };
    channels[i] = {static_cast<uint32_t>(number(0)), Version(number(1)), Version(number(2)),
                   Version(number(3))};
  }
  return channels;
}

std::shared_ptr<const Sent> SentBy(
    const CursorSeal& seal, const google::protobuf::RepeatedPtrField<sync::v1::Cursor>& cursors) {
  auto sent = std::make_shared<Sent>();
  for (const auto& cursor : cursors) {
    const auto scope = Id::FromBytes(cursor.scope());
    if (!scope || !seal.Good(cursor)) continue;
    Version& up_to = sent->cursors[*scope];
    up_to = std::max(up_to, Version(cursor.version()));
  }
  return sent;
}

}  // namespace zhibu::server
