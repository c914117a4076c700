#include "client-core/exchange/known_records.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "client-core/exchange/field.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/exchange/sheet.h"
#include "sync/rules/book/same.h"
#include "sync/wire/record.h"

namespace zhibu::client {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::StatusOr<KnownRecords> KnownRecords::Of(Store& store, const rules::Ledger& ledger,
                                              const Id& organisation) {
  KnownRecords known(store, ledger, organisation);
  RETURN_IF_ERROR(known.Load());
  return known;
}

absl::Status KnownRecords::ListHere(const RecordType& type, std::vector<Record>* records) const {
  return ListReadable(*store_, type, [&](const Id& id, const Message& record) {
    const std::vector<Placed> places = PlacesOf(type, id, record.SerializePartialAsString());
    const bool here = std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
      return placed.place == OWNER && placed.scope == organisation_;
    });
    if (!here) return;
    std::unique_ptr<Message> kept(record.New());
    kept->CopyFrom(record);
    records->emplace_back(id, std::move(kept));
  });
}

absl::Status KnownRecords::Load() {
  const rules::LedgerIntake& intake = *ledger_->intake;
  for (const rules::LedgerInto& into : intake.into) {
    if (into.of == nullptr) continue;
    std::vector<Record>& records = referred_[into.of->number];
    if (records.empty()) RETURN_IF_ERROR(ListHere(*into.of, &records));
  }
  std::vector<Record> all;
  RETURN_IF_ERROR(ListHere(*intake.type, &all));
  const FieldDescriptor* reverses = intake.type->descriptor->FindFieldByName("reverses_id");
  const auto reversed_by = [&](const Message& record) {
    return reverses == nullptr ? "" : record.GetReflection()->GetString(record, reverses);
  };
  std::set<std::string> undone;
  for (const auto& [id, record] : all) undone.insert(reversed_by(*record));
  for (const auto& [id, record] : all) {
    if (!reversed_by(*record).empty() || undone.count(id.str()) > 0) continue;
    ASSIGN_OR_RETURN(const std::string key, KeyOf(*record));
    by_key_[key].push_back(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> KnownRecords::KeyOf(const Message& record) const {
  const rules::LedgerIntake& intake = *ledger_->intake;
  if (intake.same.empty()) {
    ASSIGN_OR_RETURN(const Id id, DeriveId(*intake.type, record.SerializePartialAsString()));
    return id.str();
  }
  return rules::SaidIn(intake.same, record);
}

const std::vector<Id>& KnownRecords::With(const std::string& key) const {
  static const std::vector<Id> kNone;
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kNone : found->second;
}

absl::StatusOr<Id> KnownRecords::FindReferred(const RecordType& type, const Message& sought,
                                              const std::vector<const FieldDescriptor*>& by) const {
  std::vector<Id> found;
  for (const auto& [id, record] : referred_.at(type.number)) {
    const bool fits = std::all_of(by.begin(), by.end(), [&, &record = record](const auto* field) {
      return SayTheSame(*field, sought, *record);
    });
    if (fits) found.push_back(id);
  }
  if (found.size() == 1) return found.front();
  const std::string label = type.label;
  const std::string words = WordsOf(*type.descriptor, Language::kEnglish);
  if (found.empty()) {
    return Unusable(absl::StrCat("没有登记这样的", label, "，请先登记"),
                    absl::StrCat("no such ", words, " is recorded; record it first"));
  }
  return Unusable(
      absl::StrCat("有 ", found.size(), " 条这样的", label, "，分不清是哪一条，请补充列"),
      absl::StrCat(found.size(), " such ", words, "s are recorded; add a column that tells which"));
}

}  // namespace zhibu::client
