#include "server/cursor.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/incarnation.h"
#include "sync/status.h"

namespace zhibu::server {
namespace {

constexpr char kContext[] = "zhibu cursor v1";
constexpr size_t kSealBytes = 16;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
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

std::string CursorSeal::SealOf(const sync::v1::Cursor& cursor) const {
  // Of fixed length but for the scope, which is the last.
  std::string content =
      absl::StrCat(kContext, "/", absl::Hex(cursor.version(), absl::kZeroPad16), "/",
                   absl::Hex(cursor.audience(), absl::kZeroPad8), "/",
                   absl::Hex(cursor.held(), absl::kZeroPad8), "/", owner_, "/", cursor.scope());
  std::string seal(kSealBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(seal.data()), seal.size(), Bytes(content),
                     content.size(), Bytes(key_), key_.size());
  return seal;
}

void CursorSeal::Put(sync::v1::Cursor* cursor) const { cursor->set_seal(SealOf(*cursor)); }

bool CursorSeal::Good(const sync::v1::Cursor& cursor) const {
  return cursor.seal().size() == kSealBytes &&
         sodium_memcmp(cursor.seal().data(), SealOf(cursor).data(), kSealBytes) == 0;
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
