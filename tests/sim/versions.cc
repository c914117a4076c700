// The judge of versions: what a server that runs an earlier version does with what a
// newer app records.
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "tests/sim/ledger.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using sync::v1::Change;
using sync::v1::Without;

namespace {

// Of a record type, as the earlier version knew it; null: it did not.
const Descriptor* OfEarlierVersion(const Descriptor* today) {
  if (today == zhibu::testing::Sampler::descriptor()) {
    return zhibu::testing::old::Sampler::descriptor();
  }
  return today == zhibu::testing::Bicycle::descriptor() ? nullptr : today;
}

bool ByKey(const FieldDescriptor* field) {
  return !field->is_map() && field->options().GetExtension(zhibu::merge) == BY_KEY;
}

// What a change says to a server of the earlier version.
struct Unknown {
  bool plain = false;    // fields that it can merge as LATEST
  bool special = false;  // what it would have to guess
};

class Reading {
 public:
  void Message(const Descriptor* today, const Descriptor* old, const std::string& set,
               const Without& without) {
    if (today == old) return;
    google::protobuf::Empty raw;
    raw.ParsePartialFromString(set);
    const auto& fields = raw.GetReflection()->GetUnknownFields(raw);
    for (int i = 0; i < fields.field_count(); ++i) {
      const int number = fields.field(i).number();
      Number(today, old, number);
      Elements(today, old, number,
               fields.field(i).type() == kBytes ? fields.field(i).length_delimited() : "", {});
    }
    for (const uint32_t number : without.cleared()) Number(today, old, static_cast<int>(number));
    for (const auto& removed : without.removed()) {
      Number(today, old, static_cast<int>(removed.field()));
    }
    for (const auto& nested : without.nested()) {
      Elements(today, old, static_cast<int>(nested.field()), "", nested.without());
    }
  }
  const Unknown& unknown() const { return unknown_; }

 private:
  static constexpr auto kBytes = google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED;

  void Number(const Descriptor* today, const Descriptor* old, int number) {
    const FieldDescriptor* field = today->FindFieldByNumber(number);
    if (field == nullptr || old->FindFieldByNumber(number) != nullptr) return;
    const auto& options = field->options();
    const bool alone = !field->is_map() && field->real_containing_oneof() == nullptr &&
                       options.GetExtension(zhibu::merge) == LATEST &&
                       options.GetExtension(zhibu::place) == NOWHERE &&
                       !options.GetExtension(zhibu::reads_as);
    (alone ? unknown_.plain : unknown_.special) = true;
  }
  void Elements(const Descriptor* today, const Descriptor* old, int number, const std::string& set,
                const Without& without) {
    const FieldDescriptor* field = old->FindFieldByNumber(number);
    if (field == nullptr || !ByKey(field)) return;
    Message(today->FindFieldByNumber(number)->message_type(), field->message_type(), set, without);
  }

  Unknown unknown_;
};

Unknown UnknownIn(const sync::v1::Edit& edit) {
  Reading reading;
  bool whole = false;  // records of a type that it does not know
  for (const Change& change : edit.changes()) {
    const auto* prototype = PrototypeOf(change.type());
    if (prototype == nullptr) continue;
    const Descriptor* today = prototype->GetDescriptor();
    const Descriptor* old = OfEarlierVersion(today);
    whole = whole || old == nullptr;
    if (old != nullptr) reading.Message(today, old, change.set(), change.without());
  }
  return {reading.unknown().plain, reading.unknown().special || whole};
}

bool ForItsVersion(const server::AuditRow& audit) {
  return audit.answer.reason() == sync::v1::UNKNOWN_TYPE ||
         audit.answer.reason() == sync::v1::UNKNOWN_FIELD;
}

}  // namespace

std::string NameToday(const Descriptor* type, const std::string& path) {
  std::vector<std::string> names;
  for (absl::string_view name : absl::StrSplit(path, '.')) {
    const size_t key = std::min(name.find('['), name.size());
    const std::string field_name(name.substr(0, key));
    int number = 0;
    const FieldDescriptor* field = type == nullptr ? nullptr
                                   : absl::SimpleAtoi(field_name, &number)
                                       ? type->FindFieldByNumber(number)
                                       : type->FindFieldByName(field_name);
    names.push_back(absl::StrCat(field == nullptr ? field_name : field->name(), name.substr(key)));
    type = field == nullptr ? nullptr : field->message_type();
  }
  return absl::StrJoin(names, ".");
}

void Ledger::JudgeVersion(const Row& row) {
  if (!row.by_old_server) return;
  if (ForItsVersion(row.audit)) ++returned_unknown_;
  if (row.audit.answer.verdict() != sync::v1::MERGED) return;
  const Unknown unknown = UnknownIn(row.edit);
  if (unknown.plain) ++merged_unknown_;
  if (!unknown.special) return;
  Fail(kBeyond, absl::StrCat("edit ", row.audit.number.value, " of device ", row.audit.device.value,
                             " was merged by guessing"));
}

// Whoever takes a held edit has it merged.
bool Ledger::DecidesOnUnknown(const sync::v1::Edit& decision) const {
  return std::any_of(
      decision.changes().begin(), decision.changes().end(), [&](const Change& change) {
        const Record* record = Find({change.type(), Id::FromBytes(change.id()).value_or(Id())});
        const auto* held =
            record == nullptr
                ? nullptr
                : dynamic_cast<const records::v1::HeldEdit*>(record->expected.message.get());
        sync::v1::Edit edit;
        return held != nullptr && edit.ParseFromString(held->edit()) && UnknownIn(edit).special;
      });
}

// What the server has said of an edit it says again, also when it knows all.
void Ledger::CheckVersions() {
  std::set<uint64_t> with_reason;
  std::map<uint64_t, std::string> without;
  for (const auto& [device, rows] : devices_) {
    if (Hostile(DeviceNumber(device))) continue;  // it names what nobody knows
    for (const auto& [number, row] : rows) {
      if (!ForItsVersion(row.audit)) continue;
      if (row.by_old_server && (UnknownIn(row.edit).special || DecidesOnUnknown(row.edit))) {
        with_reason.insert(row.edit.salt());
      } else {
        without[row.edit.salt()] = absl::StrCat("edit ", number, " of device ", device);
      }
    }
  }
  for (const auto& [salt, name] : without) {
    if (with_reason.count(salt) == 0) Fail(kBeyond, absl::StrCat(name, " came back for nothing"));
  }
}

}  // namespace zhibu::sim
