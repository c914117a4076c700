#include "server/identity/marks.h"

#include <sodium.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "sync/base/status.h"
#include "sync/rules/duplicates.h"
#include "sync/rules/guests.h"
#include "sync/rules/persons.h"
#include "sync/rules/typed.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::server {

using records::v1::DuplicatePerson;
using records::v1::Flow;
using records::v1::Member;
using records::v1::PrivateDetail;

namespace {

// Name in the settings of the store, from when those who are joined were all that was indexed.
constexpr char kIndexSetting[] = "joined_indexed";
// What stands there: "1" where those who are two again were in the index as well, "2" where stays
// were in none.
constexpr char kIndexed[] = "3";

// What is stored of a type, so that it can be looked through while it is written to.
absl::StatusOr<std::vector<std::pair<RecordKey, RecordState>>> All(Reader& reader,
                                                                   const RecordType& type) {
  std::vector<std::pair<RecordKey, RecordState>> all;
  RETURN_IF_ERROR(PassOver(
      reader.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
        all.push_back({{type.number, id}, state});
      })));
  return all;
}

absl::Status MarkAll(Writer& writer, Ingest& ingest, const Environment& environment) {
  const std::string key = environment.random_bytes(crypto_generichash_KEYBYTES);
  RETURN_IF_ERROR(writer.PutSetting(kMarkKeySetting, key));
  Marks marks;
  std::set<Id> persons;
  for (const RecordType* type : {&TypeOf<PrivateDetail>(), &TypeOf<Member>()}) {
    ASSIGN_OR_RETURN(const auto all, All(writer, *type));
    for (const auto& [record, state] : all) {
      MarkPersons(key, record, RecordState(), state, &marks, &persons);
    }
  }
  RETURN_IF_ERROR(PutMarks(writer, marks));
  for (const Id& person : persons) {
    Consequences found;
    RETURN_IF_ERROR(FindDuplicates(writer, key, {person}, environment.now_ms(), &found));
    if (found.edit.changes().empty()) continue;
    RETURN_IF_ERROR(ingest.WriteOwn(writer, found.edit).status());
  }
  return absl::OkStatus();
}

absl::Status IndexAll(Writer& writer) {
  RETURN_IF_ERROR(writer.PutSetting(kIndexSetting, kIndexed));
  ASSIGN_OR_RETURN(const auto all, All(writer, TypeOf<DuplicatePerson>()));
  Marks marks;
  for (const auto& [record, state] : all) MarkJoined(record.id, state, &marks);
  ASSIGN_OR_RETURN(const auto stays, All(writer, TypeOf<Flow>()));
  for (const auto& [record, state] : stays) MarkStay(record.id, RecordState(), state, &marks);
  return PutMarks(writer, marks);
}

}  // namespace

absl::Status EnsureMarks(Store& store, Ingest& ingest, const Environment& environment) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string indexed, writer.GetSetting(kIndexSetting));
    if (indexed != kIndexed) RETURN_IF_ERROR(IndexAll(writer));
    ASSIGN_OR_RETURN(const std::string key, writer.GetSetting(kMarkKeySetting));
    return key.empty() ? MarkAll(writer, ingest, environment) : absl::OkStatus();
  });
}

}  // namespace zhibu::server
