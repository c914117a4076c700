#include "server/feed/damage.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "sync/base/status.h"
#include "sync/wire/wire.h"

namespace zhibu::server {
namespace {

// Name in the settings of the store: of each record its type and id, one after the other.
constexpr char kPassedOver[] = "passed_over";
// Where more are damaged a backup is restored, and everything read anew.
constexpr size_t kNotedMax = 10'000;

absl::StatusOr<std::set<RecordKey>> Noted(Reader& reader) {
  ASSIGN_OR_RETURN(const std::string text, reader.GetSetting(kPassedOver));
  std::set<RecordKey> noted;
  wire::Reader fields(text);
  wire::Field field;
  uint32_t type = 0;
  while (fields.Next(&field)) {
    if (field.type == wire::Type::kVarint) type = static_cast<uint32_t>(field.scalar);
    if (field.type != wire::Type::kBytes) continue;
    if (const auto id = Id::FromBytes(field.payload)) noted.insert({type, *id});
  }
  return noted;
}

absl::Status Put(Writer& writer, const std::set<RecordKey>& noted) {
  std::string text;
  for (const RecordKey& key : noted) {
    wire::AppendVarintField(1, key.type, &text);
    wire::AppendBytesField(2, key.id.bytes(), &text);
  }
  return writer.PutSetting(kPassedOver, text);
}

// Of those that are noted, the ones that still cannot be read.
absl::StatusOr<std::set<RecordKey>> StillDamaged(Reader& reader) {
  ASSIGN_OR_RETURN(std::set<RecordKey> noted, Noted(reader));
  for (auto it = noted.begin(); it != noted.end();) {
    const absl::Status status = reader.GetRecord(*it).status();
    RETURN_IF_ERROR(PassOver(status));
    it = status.ok() ? noted.erase(it) : std::next(it);
  }
  return noted;
}

}  // namespace

absl::StatusOr<std::vector<RecordKey>> NotNotedYet(Reader& reader,
                                                   absl::Span<const RecordKey> passed_over) {
  std::vector<RecordKey> fresh;
  if (passed_over.empty()) return fresh;
  ASSIGN_OR_RETURN(const std::set<RecordKey> noted, Noted(reader));
  if (noted.size() >= kNotedMax) return fresh;
  std::copy_if(passed_over.begin(), passed_over.end(), std::back_inserter(fresh),
               [&](const RecordKey& key) { return noted.count(key) == 0; });
  return fresh;
}

absl::Status NotePassedOver(Writer& writer, absl::Span<const RecordKey> passed_over) {
  ASSIGN_OR_RETURN(std::set<RecordKey> noted, Noted(writer));
  noted.insert(passed_over.begin(), passed_over.end());
  return Put(writer, noted);
}

absl::StatusOr<bool> HasMended(Reader& reader) {
  ASSIGN_OR_RETURN(const std::set<RecordKey> noted, Noted(reader));
  ASSIGN_OR_RETURN(const std::set<RecordKey> damaged, StillDamaged(reader));
  return damaged.size() < noted.size();
}

absl::Status ForgetMended(Writer& writer) {
  ASSIGN_OR_RETURN(const std::set<RecordKey> noted, Noted(writer));
  ASSIGN_OR_RETURN(const std::set<RecordKey> damaged, StillDamaged(writer));
  return damaged.size() < noted.size() ? Put(writer, damaged) : absl::OkStatus();
}

}  // namespace zhibu::server
