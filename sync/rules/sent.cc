#include "sync/rules/sent.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/above.h"
#include "sync/rules/parse.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using google::protobuf::Message;
using records::v1::Organisation;
using sync::v1::Edit;

namespace {

// Of the records of one edit together: each of them costs a record 18 bytes, and the server a row
// whenever the record changes.
constexpr size_t kReceiversMax = 2000;

using Which = bool (*)(const FieldRule&);

bool IsAbove(const FieldRule& rule) {
  return rule.place == ABOVE && rule.policy == SERVER && rule.descriptor->is_repeated();
}
bool IsSent(const FieldRule& rule) { return rule.sent_to != nullptr; }

bool IsSentWhileBelow(const FieldRule& rule) { return rule.sent_while_below; }

bool Has(const RecordType& type, Which which) {
  const auto& rules = type.fields.rules();
  return !type.made_by_server && type.Keeper() != nullptr &&
         std::any_of(rules.begin(), rules.end(), which);
}

// Adds what makes these the organisations that the field names.
void SetTo(const RecordType& type, const Id& id, const RecordState& state, const FieldRule& field,
           const std::set<Id>& organisations, Edit* edit) {
  const std::unique_ptr<Message> record = ParseAs(type, state.body);
  record->GetReflection()->ClearField(record.get(), field.descriptor);
  for (const Id& one : organisations) {
    record->GetReflection()->AddString(record.get(), field.descriptor, one.str());
  }
  AddFields(type, id, state, {&field}, *record, edit);
}

bool IsAsked(const RecordType& type, absl::string_view body) {
  const auto& rules = type.fields.rules();
  return std::all_of(rules.begin(), rules.end(), [&](const FieldRule& rule) {
    return rule.asked_in.empty() || rule.asked_in.contains(EnumOf(rule, body));
  });
}

absl::StatusOr<std::set<Id>> SuperiorsOf(Lookup& reader, const Id& organisation) {
  ASSIGN_OR_RETURN(const auto found, Find<Organisation>(reader, organisation));
  const std::optional<Id> superior = found ? SuperiorOf(*found) : std::nullopt;
  return superior ? std::set<Id>{*superior} : std::set<Id>();
}

absl::Status CheckReceivers(size_t receivers) {
  if (receivers <= kReceiversMax) return absl::OkStatus();
  return Refuse(sync::v1::TOO_LARGE,
                absl::StrCat(TypeOf<Organisation>().label, ": ", receivers, " > ", kReceiversMax));
}

absl::StatusOr<std::set<Id>> AllBelow(Lookup& reader, const Id& keeper) {
  ASSIGN_OR_RETURN(const std::vector<Id> all, Below(reader, keeper));
  std::set<Id> below(all.begin(), all.end());
  below.erase(keeper);
  RETURN_IF_ERROR(CheckReceivers(below.size()));
  return below;
}

absl::StatusOr<std::set<Id>> SentTo(Lookup& reader, const FieldRule& field, const Id& keeper,
                                    absl::string_view body) {
  const std::vector<Id> named = IdsIn(*field.sent_to, body);
  if (named.empty() && field.sent_while_below) return AllBelow(reader, keeper);
  std::set<Id> below;
  for (const Id& one : named) {
    ASSIGN_OR_RETURN(const auto above, Above(reader, one));
    if (one != keeper && above.count(keeper) > 0) below.insert(one);
  }
  return below;
}

absl::Status AddSent(Lookup& reader, const RecordType& type, const Id& id, Edit* edit) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, id}));
  const std::optional<Id> keeper = KeeperOf(type, state.body);
  if (!state.alive() || !keeper) return absl::OkStatus();
  for (const FieldRule& rule : type.fields.rules()) {
    std::set<Id> organisations;
    if (IsSent(rule)) {
      ASSIGN_OR_RETURN(organisations, SentTo(reader, rule, *keeper, state.body));
    } else if (!IsAbove(rule)) {
      continue;
    } else if (IsAsked(type, state.body)) {
      ASSIGN_OR_RETURN(organisations, SuperiorsOf(reader, *keeper));
    }
    SetTo(type, id, state, rule, organisations, edit);
  }
  return absl::OkStatus();
}

// To how many it goes at most.
absl::StatusOr<size_t> ReceiversOf(Lookup& reader, const RecordType& type, absl::string_view body) {
  size_t receivers = 0;
  const std::optional<Id> keeper = KeeperOf(type, body);
  for (const FieldRule& rule : type.fields.rules()) {
    if (!IsSent(rule) || !keeper) continue;
    const size_t named = IdsIn(*rule.sent_to, body).size();
    receivers += named;
    if (named > 0 || !rule.sent_while_below || !reader.ReadsAllFields()) continue;
    ASSIGN_OR_RETURN(const std::set<Id> all, AllBelow(reader, *keeper));
    receivers += all.size();
  }
  return receivers;
}

// The organisation hangs on others now, and so does what it keeps.
absl::Status FollowMoved(Lookup& reader, const Schema& schema, const Id& organisation, Edit* edit) {
  for (const RecordType& type : schema.types()) {
    if (!Has(type, IsAbove)) continue;
    std::vector<Id> kept;
    RETURN_IF_ERROR(
        reader.ListRecords(type.number, organisation, [&](const Id& id, const RecordState& state) {
          if (KeeperOf(type, state.body) == organisation) kept.push_back(id);
        }));
    for (const Id& id : kept) RETURN_IF_ERROR(AddSent(reader, type, id, edit));
  }
  return absl::OkStatus();
}

// What goes to whom stands below, as long as they do: of all that are above it and below it now,
// and of those that it was sent by.
absl::Status FollowBelow(Lookup& reader, const Schema& schema, const Id& organisation, Edit* edit) {
  ASSIGN_OR_RETURN(std::vector<Id> around, Below(reader, organisation));
  ASSIGN_OR_RETURN(const auto above, Above(reader, organisation));
  for (const auto& [one, steps] : above) around.push_back(one);
  for (const RecordType& type : schema.types()) {
    if (!Has(type, IsSentWhileBelow)) continue;
    std::set<Id> concerned;
    for (const Id& one : around) {
      RETURN_IF_ERROR(reader.ListRecords(
          type.number, one, [&](const Id& id, const RecordState&) { concerned.insert(id); }));
    }
    for (const Id& id : concerned) RETURN_IF_ERROR(AddSent(reader, type, id, edit));
  }
  return absl::OkStatus();
}

class Sent : public Rule {
 public:
  explicit Sent(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}

  bool Concerns(const RecordType& type) const override {
    return IsA<Organisation>(type) || Has(type, IsAbove) || Has(type, IsSent);
  }

  absl::Status JudgeAll(const Case& of) const override {
    size_t sent = 0;
    for (const Step& step : of.steps) {
      if (!step.after.alive() || !Has(step.type, IsSent)) continue;
      ASSIGN_OR_RETURN(const size_t receivers, ReceiversOf(of.lookup, step.type, step.after.body));
      sent += receivers;
      RETURN_IF_ERROR(CheckReceivers(sent));
    }
    return absl::OkStatus();
  }

  absl::Status Follow(const Case& of, const Step& step, Consequences* follows) const override {
    if (!IsA<Organisation>(step.type)) {
      return AddSent(of.lookup, step.type, step.id, &follows->edit);
    }
    const auto before = Parse<Organisation>(step.body_before());
    const auto after = Parse<Organisation>(step.after.body);
    if (ParentsOf(before) == ParentsOf(after)) return absl::OkStatus();
    RETURN_IF_ERROR(FollowBelow(of.lookup, *schema_, step.id, &follows->edit));
    if (SuperiorOf(before) == SuperiorOf(after)) return absl::OkStatus();
    return FollowMoved(of.lookup, *schema_, step.id, &follows->edit);
  }

 private:
  const std::shared_ptr<const Schema> schema_;
};

}  // namespace

std::unique_ptr<const Rule> SentRule(std::shared_ptr<const Schema> schema) {
  return std::make_unique<Sent>(std::move(schema));
}

}  // namespace zhibu
