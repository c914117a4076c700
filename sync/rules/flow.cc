#include "sync/rules/flow.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/pass.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/guests.h"
#include "sync/rules/offices.h"
#include "sync/rules/parse.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Flow;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Pass;
using records::v1::Placement;
using records::v1::Transfer;
using sync::v1::Edit;

constexpr size_t kPassNumberBytesMax = 64;

absl::Status MustBelong(Lookup& reader, absl::string_view person, absl::string_view branch) {
  ASSIGN_OR_RETURN(const std::string home, HomeOf(reader, person));
  return home == branch ? absl::OkStatus() : Refuse(sync::v1::NOT_OF_BRANCH, "member_id");
}

// A record of somebody's going away, with the states in which the merge sees it.
template <typename T>
struct Moved {
  Moved(const RecordType& type, absl::string_view before, absl::string_view after)
      : record(Parse<T>(after)), from(StateOf(type, before)), to(StateOf(type, after)) {}

  static typename T::State StateOf(const RecordType& type, absl::string_view body) {
    const FieldRule& rule = *type.fields.Find(T::kStateFieldNumber);
    return static_cast<typename T::State>(EnumOf(rule, body));
  }
  // A new one begins at a first step.
  absl::Status CheckBegun() const {
    return to == T::STATE_UNSPECIFIED ? Refuse(sync::v1::MISSING_FIELD, "state") : absl::OkStatus();
  }

  T record;
  typename T::State from;
  typename T::State to;
};

absl::Status JudgeTransfer(Lookup& reader, const Moved<Transfer>& moved, int64_t at_ms) {
  RETURN_IF_ERROR(moved.CheckBegun());
  if (moved.to == moved.from) return absl::OkStatus();
  const Transfer& letter = moved.record;
  if (letter.from_branch_id() == letter.to_branch_id()) {
    return Refuse(sync::v1::BAD_VALUE, "to_branch_id");
  }
  switch (moved.to) {
    case Transfer::REQUESTED:
      return MustBelong(reader, letter.member_id(), letter.from_branch_id());
    case Transfer::ISSUED:
      RETURN_IF_ERROR(CheckLetter(letter));
      return MustBelong(reader, letter.member_id(), letter.from_branch_id());
    case Transfer::RECEIVED:
      RETURN_IF_ERROR(CheckRuns(letter, DateAt(at_ms)));
      // Another letter may have been received since.
      return MustBelong(reader, letter.member_id(), letter.from_branch_id());
    default:
      return absl::OkStatus();
  }
}

// Each is read whenever the person's records change, and an open one lies on the phones of its
// host. `begun`: those of the same edit.
absl::Status CheckFew(Lookup& reader, const Id& person, int begun) {
  int all = begun;
  int open = begun;
  RETURN_IF_ERROR(
      reader.ListRecords(TypeOf<Flow>().number, person, [&](const Id&, const RecordState& state) {
        ++all;
        const auto at = Parse<Flow>(state.body).state();
        if (at != Flow::ENDED && at != Flow::DECLINED) ++open;
      }));
  if (open >= kOpenStaysMax) return Refuse(sync::v1::TOO_MANY_STAYS, absl::StrCat(open));
  if (all < kStaysMax) return absl::OkStatus();
  return TooLarge(TypeOf<Flow>().label, static_cast<size_t>(all) + 1, kStaysMax, "records");
}

absl::Status JudgeStay(const Moved<Flow>& moved) {
  RETURN_IF_ERROR(moved.CheckBegun());
  const Flow& stay = moved.record;
  const bool at_home = stay.host_branch_id() == stay.home_branch_id();
  return at_home && !stay.home_branch_id().empty() ? Refuse(sync::v1::BAD_VALUE, "host_branch_id")
                                                   : absl::OkStatus();
}

absl::Status JudgePassRecord(Lookup& reader, const Moved<Pass>& moved) {
  RETURN_IF_ERROR(moved.CheckBegun());
  if (moved.from != Pass::STATE_UNSPECIFIED) return absl::OkStatus();
  const Pass& pass = moved.record;
  if (pass.until() < pass.from()) return Refuse(sync::v1::BAD_VALUE, "until");
  if (pass.number().size() > kPassNumberBytesMax) return Refuse(sync::v1::BAD_VALUE, "number");
  return MustBelong(reader, pass.member_id(), pass.branch_id());
}

// ---- What follows ---------------------------------------------------------------

std::vector<const FieldRule*> FieldsOf(const RecordType& type, const std::vector<int>& numbers) {
  std::vector<const FieldRule*> fields;
  for (const int number : numbers)
    fields.push_back(type.fields.Find(static_cast<uint32_t>(number)));
  return fields;
}

// The id of the one record of this type that each person has; nothing where a person
// may have several or none.
absl::StatusOr<std::optional<Id>> OnlyOneOf(const RecordType& type, const Id& person) {
  if (type.own_scope == PERSON) return person;
  if (type.id_from.size() != 1) return std::nullopt;
  const FieldRule& rule = *type.fields.Find(type.id_from[0]);
  if (rule.place != PERSON) return std::nullopt;
  const std::unique_ptr<Message> record = ParseAs(type, "");
  record->GetReflection()->SetString(record.get(), rule.descriptor, person.str());
  return DeriveId(type, record->SerializePartialAsString());
}

// What there is one of for each person goes with them; their other records stay where
// they were made.
absl::Status AddMoves(Lookup& reader, const Schema& schema, const Transfer& transfer, Edit* edit) {
  const auto person = Id::FromBytes(transfer.member_id());
  if (!person) return absl::OkStatus();
  for (const RecordType& type : schema.types()) {
    ASSIGN_OR_RETURN(const std::optional<Id> id, OnlyOneOf(type, *person));
    if (!id) continue;
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, *id}));
    if (!state.alive()) continue;
    const std::unique_ptr<Message> record = ParseAs(type, state.body);
    const auto& reflection = *record->GetReflection();
    std::vector<const FieldRule*> moved;
    for (const FieldRule& rule : type.fields.rules()) {
      const FieldDescriptor* field = rule.descriptor;
      if (rule.place != OWNER || field->is_repeated() ||
          reflection.GetString(*record, field) != transfer.from_branch_id()) {
        continue;
      }
      reflection.SetString(record.get(), field, transfer.to_branch_id());
      moved.push_back(&rule);
      if (type.number != TypeOf<Placement>().number) continue;
      auto& placement = static_cast<Placement&>(*record);
      placement.clear_group_id();
      placement.set_since(transfer.received());
      placement.set_arrival(Placement::TRANSFERRED_IN);
      for (const FieldRule* also :
           FieldsOf(type, {Placement::kGroupIdFieldNumber, Placement::kSinceFieldNumber,
                           Placement::kArrivalFieldNumber})) {
        moved.push_back(also);
      }
    }
    AddFields(type, *id, state, moved, *record, edit);
  }
  return absl::OkStatus();
}

// What their placement said before it moves away.
absl::Status AddSinceWhen(Lookup& reader, const RecordType& type, const Id& id,
                          const RecordState& state, Transfer transfer, Edit* edit) {
  const auto person = Id::FromBytes(transfer.member_id());
  if (!person) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RecordKey key, PlacementKey(*person));
  ASSIGN_OR_RETURN(const Placement placement, Get<Placement>(reader, key.id.bytes()));
  transfer.set_here_since(placement.since());
  transfer.set_here_by(placement.arrival());
  AddFields(type, id, state,
            FieldsOf(type, {Transfer::kHereSinceFieldNumber, Transfer::kHereByFieldNumber}),
            transfer, edit);
  return absl::OkStatus();
}

// Each side is told the other's name, whose record it does not hold: of a record that
// began at a step, so that its author could name them both.
absl::Status AddNames(Lookup& reader, const RecordType& type, const Id& id,
                      const RecordState& state, Flow flow, Edit* edit) {
  if (StayLasts(state.body)) flow.set_was_accepted(true);
  if (flow.member_name().empty()) {
    ASSIGN_OR_RETURN(*flow.mutable_member_name(),
                     RegisteredNameOf<Member>(reader, flow.member_id()));
  }
  if (flow.home_name().empty()) {
    ASSIGN_OR_RETURN(*flow.mutable_home_name(),
                     RegisteredNameOf<Organisation>(reader, flow.home_branch_id()));
  }
  if (flow.host_name().empty()) {
    ASSIGN_OR_RETURN(*flow.mutable_host_name(),
                     RegisteredNameOf<Organisation>(reader, flow.host_branch_id()));
  }
  AddFields(type, id, state,
            FieldsOf(type, {Flow::kHomeNameFieldNumber, Flow::kHostNameFieldNumber,
                            Flow::kMemberNameFieldNumber, Flow::kWasAcceptedFieldNumber}),
            flow, edit);
  return absl::OkStatus();
}

absl::Status AddNames(Lookup& reader, const RecordType& type, const Id& id,
                      const RecordState& state, Transfer transfer, Edit* edit) {
  if (!transfer.member_name().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(*transfer.mutable_member_name(),
                   RegisteredNameOf<Member>(reader, transfer.member_id()));
  ASSIGN_OR_RETURN(*transfer.mutable_from_name(),
                   RegisteredNameOf<Organisation>(reader, transfer.from_branch_id()));
  ASSIGN_OR_RETURN(*transfer.mutable_to_name(),
                   RegisteredNameOf<Organisation>(reader, transfer.to_branch_id()));
  AddFields(type, id, state,
            FieldsOf(type, {Transfer::kMemberNameFieldNumber, Transfer::kFromNameFieldNumber,
                            Transfer::kToNameFieldNumber}),
            transfer, edit);
  return absl::OkStatus();
}

absl::Status AddToken(Lookup& reader, const Schema& schema, const Id& id, const RecordState& state,
                      Edit* edit) {
  Pass pass = Parse<Pass>(state.body);
  ASSIGN_OR_RETURN(const std::string secret_key, reader.GetSetting(kCourierKeySetting));
  if (secret_key.empty() || !pass.token().empty()) return absl::OkStatus();
  sync::v1::PassToken token;
  token.set_pass_id(id.str());
  token.set_member_id(pass.member_id());
  token.set_number(pass.number());
  ASSIGN_OR_RETURN(*token.mutable_name(), RegisteredNameOf<Member>(reader, pass.member_id()));
  ASSIGN_OR_RETURN(*token.mutable_issuer(),
                   RegisteredNameOf<Organisation>(reader, pass.branch_id()));
  token.set_from(pass.from());
  token.set_until(pass.until());
  const std::string bytes = SignPass(std::move(token), secret_key).SerializeAsString();
  if (bytes.size() > kPassBytesMax) return absl::OkStatus();  // names that nobody has
  pass.set_token(bytes);
  const RecordType& type = *schema.Find(TypeOf<Pass>().number);
  AddFields(type, id, state, FieldsOf(type, {Pass::kTokenFieldNumber}), pass, edit);
  return absl::OkStatus();
}

bool IsOfMoves(const RecordType& type) { return IsA<Flow>(type) || IsA<Transfer>(type); }

// The person whom a step begins a stay of.
std::optional<Id> BegunOf(const Step& step) {
  if (!IsA<Flow>(step.type) || step.before.alive()) return std::nullopt;
  return Id::FromBytes(Parse<Flow>(step.after.body).member_id());
}

// Of a record that an author changes: by itself, and how many such the edit has.
absl::Status JudgeFlow(const Case& of, const Step& step) {
  const RecordType& type = step.type;
  const auto moves = [](const Step& one) { return IsOfMoves(one.type); };
  const auto moved = std::count_if(of.steps.begin(), of.steps.end(), moves);
  if (moves(step) && moved > kMovesMax) {
    return TooLarge(type.label, static_cast<size_t>(moved), kMovesMax, "records");
  }
  const absl::string_view before = step.body_before();
  const std::string& after = step.after.body;
  if (IsA<Transfer>(type)) {
    return JudgeTransfer(of.lookup, Moved<Transfer>(type, before, after), step.at_ms);
  }
  if (IsA<Flow>(type)) {
    RETURN_IF_ERROR(JudgeStay(Moved<Flow>(type, before, after)));
    const auto person = BegunOf(step);
    if (!person) return absl::OkStatus();
    int begun = 0;  // before this one, of the same edit
    for (const Step& one : of.steps) {
      if (&one == &step) break;
      if (BegunOf(one) == person) ++begun;
    }
    return CheckFew(of.lookup, *person, begun);
  }
  if (IsA<Pass>(type)) return JudgePassRecord(of.lookup, Moved<Pass>(type, before, after));
  return absl::OkStatus();
}

std::optional<Id> PersonOf(const RecordType& type, const Id& id, absl::string_view body) {
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place == PERSON) return placed.scope;
  }
  return std::nullopt;
}

// Adds what follows from a record that has been written; nothing where all is as it must be.
absl::Status AddFlow(Lookup& reader, const Schema& schema, const RecordKey& key,
                     absl::string_view before, Edit* edit) {
  const RecordType& type = *schema.Find(key.type);
  const bool decides = key.type == TypeOf<Flow>().number || key.type == TypeOf<Placement>().number;
  const bool has_guests = TakesGuests(type);
  if (!decides && !has_guests && key.type != TypeOf<Transfer>().number) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(key));
  if (key.type == TypeOf<Transfer>().number) {
    const Moved<Transfer> moved(type, before, state.body);
    if (moved.to == Transfer::STATE_UNSPECIFIED) return absl::OkStatus();
    if (moved.to == Transfer::RECEIVED && moved.from != Transfer::RECEIVED) {
      RETURN_IF_ERROR(AddSinceWhen(reader, type, key.id, state, moved.record, edit));
      return AddMoves(reader, schema, moved.record, edit);
    }
    return AddNames(reader, type, key.id, state, moved.record, edit);
  }
  const std::optional<Id> person = PersonOf(type, key.id, state.body);
  if (!person) return absl::OkStatus();
  if (key.type == TypeOf<Flow>().number) {
    const Moved<Flow> moved(type, before, state.body);
    if (moved.to == Flow::STATE_UNSPECIFIED) return absl::OkStatus();
    RETURN_IF_ERROR(AddNames(reader, type, key.id, state, moved.record, edit));
    return FollowPerson(reader, schema, *person, /*placed=*/false, edit);
  }
  if (key.type == TypeOf<Placement>().number) {
    const bool placed =
        Parse<Placement>(before).branch_id() != Parse<Placement>(state.body).branch_id();
    return FollowPerson(reader, schema, *person, placed, edit);
  }
  if (!state.alive()) return absl::OkStatus();
  if (key.type == TypeOf<Pass>().number) {
    RETURN_IF_ERROR(AddToken(reader, schema, key.id, state, edit));
    if (!edit->changes().empty()) return absl::OkStatus();  // then comes the next call
  }
  return AddGuests(reader, type, key.id, *person, before, state, edit);
}

class Moves : public Rule {
 public:
  explicit Moves(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}

  bool Concerns(const RecordType& type) const override {
    return IsOfMoves(type) || IsA<Pass>(type) || IsA<Placement>(type) || TakesGuests(type);
  }

  absl::Status Judge(const Case& of, const Step& step) const override {
    return JudgeFlow(of, step);
  }

  absl::Status Mark(const Case& /*of*/, const Step& step, Marks* marks) const override {
    if (IsA<Flow>(step.type)) MarkStay(step.id, step.before, step.after, marks);
    return absl::OkStatus();
  }

  absl::Status Follow(const Case& of, const Step& step, Consequences* follows) const override {
    return AddFlow(of.lookup, *schema_, {step.type.number, step.id}, step.body_before(),
                   &follows->edit);
  }

 private:
  const std::shared_ptr<const Schema> schema_;
};

}  // namespace

absl::Status CheckLetter(const Transfer& letter) {
  const auto days = DaysBetween(letter.issued(), letter.valid_until());
  if (letter.letter_number().empty() || !days || *days < 0 || *days > kLetterDaysMax) {
    return Refuse(sync::v1::LETTER_TOO_LONG,
                  absl::StrCat(letter.issued(), " – ", letter.valid_until()));
  }
  return absl::OkStatus();
}

absl::Status CheckRuns(const Transfer& letter, absl::string_view date) {
  return date > letter.valid_until() ? Refuse(sync::v1::LETTER_EXPIRED, letter.valid_until())
                                     : absl::OkStatus();
}

std::unique_ptr<const Rule> FlowRule(std::shared_ptr<const Schema> schema) {
  return std::make_unique<Moves>(std::move(schema));
}

}  // namespace zhibu
