#include "server/flow.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/courier.h"
#include "server/own_edit.h"
#include "server/registration.h"
#include "server/typed.h"
#include "sync/date.h"
#include "sync/pass.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
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

// The longest that a letter may run (X; domain §2). To become a rule's parameter.
constexpr int64_t kLetterDaysMax = 90;
constexpr size_t kPassNumberBytesMax = 64;

// The branch that the person belongs to; empty where they are placed nowhere.
absl::StatusOr<std::string> HomeOf(Reader& reader, absl::string_view person) {
  Placement placement;
  placement.set_member_id(std::string(person));
  ASSIGN_OR_RETURN(const Id id, DeriveId(TypeOf<Placement>(), placement.SerializeAsString()));
  ASSIGN_OR_RETURN(placement, Get<Placement>(reader, id.bytes()));
  return placement.branch_id();
}

absl::Status MustBelong(Reader& reader, absl::string_view person, absl::string_view branch) {
  ASSIGN_OR_RETURN(const std::string home, HomeOf(reader, person));
  return home == branch ? absl::OkStatus() : Refuse(sync::v1::NOT_OF_BRANCH, "member_id");
}

absl::Status JudgeLetter(const Transfer& letter) {
  const auto days = DaysBetween(letter.issued(), letter.valid_until());
  if (letter.letter_number().empty() || !days || *days < 0 || *days > kLetterDaysMax) {
    return Refuse(sync::v1::LETTER_TOO_LONG,
                  absl::StrCat(letter.issued(), " – ", letter.valid_until()));
  }
  return absl::OkStatus();
}

absl::Status JudgeTransfer(Reader& reader, const Transfer& before, const Transfer& after,
                           int64_t at_ms) {
  if (after.state() == before.state()) return absl::OkStatus();
  if (after.from_branch_id() == after.to_branch_id()) {
    return Refuse(sync::v1::BAD_VALUE, "to_branch_id");
  }
  switch (after.state()) {
    case Transfer::REQUESTED:
      return MustBelong(reader, after.member_id(), after.from_branch_id());
    case Transfer::ISSUED:
      RETURN_IF_ERROR(MustBelong(reader, after.member_id(), after.from_branch_id()));
      return JudgeLetter(after);
    case Transfer::RECEIVED:
      if (DateAt(at_ms) > after.valid_until()) {
        return Refuse(sync::v1::LETTER_EXPIRED, after.valid_until());
      }
      // Another letter may have been received since.
      return MustBelong(reader, after.member_id(), after.from_branch_id());
    default:
      return absl::OkStatus();
  }
}

absl::Status JudgeStay(const Flow& stay) {
  const bool at_home = stay.host_branch_id() == stay.home_branch_id();
  return at_home && !stay.home_branch_id().empty() ? Refuse(sync::v1::BAD_VALUE, "host_branch_id")
                                                   : absl::OkStatus();
}

absl::Status JudgePassRecord(Reader& reader, const Pass& before, const Pass& after) {
  if (before.state() != Pass::STATE_UNSPECIFIED) return absl::OkStatus();
  if (after.until() < after.from()) return Refuse(sync::v1::BAD_VALUE, "until");
  if (after.number().size() > kPassNumberBytesMax) return Refuse(sync::v1::BAD_VALUE, "number");
  return MustBelong(reader, after.member_id(), after.branch_id());
}

// ---- What follows ---------------------------------------------------------------

bool IsGuest(const FieldRule& rule) { return rule.place == GUEST && rule.policy == SERVER; }

std::optional<Id> PersonOf(const RecordType& type, const Id& id, absl::string_view body) {
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place == PERSON) return placed.scope;
  }
  return std::nullopt;
}

// The branches that have to do with a person.
struct Branches {
  std::string home;
  std::set<std::string> all;  // that one, and the hosts of stays that last
};

bool Lasts(Flow::State state) {
  return state != Flow::STATE_UNSPECIFIED && state != Flow::ENDED && state != Flow::DECLINED;
}

// A stay that was reported from a former home says nothing any longer.
absl::StatusOr<Branches> BranchesOf(Reader& reader, const Id& person) {
  Branches branches;
  ASSIGN_OR_RETURN(branches.home, HomeOf(reader, person.bytes()));
  if (branches.home.empty()) return branches;
  branches.all.insert(branches.home);
  RETURN_IF_ERROR(
      reader.ListRecords(TypeOf<Flow>().number, person, [&](const Id&, const RecordState& state) {
        const Flow flow = Parse<Flow>(state.body);
        if (flow.member_id() == person.bytes() && flow.home_branch_id() == branches.home &&
            !flow.host_branch_id().empty() && Lasts(flow.state())) {
          branches.all.insert(flow.host_branch_id());
        }
      }));
  return branches;
}

// Fills in the guests of one record.
void AddGuests(const RecordType& type, const Id& id, const RecordState& state,
               const Branches& branches, Edit* edit) {
  if (!state.alive()) return;
  std::set<std::string> others = branches.all;
  for (const Placed& placed : PlacesOf(type, id, state.body)) {
    if (placed.place == OWNER) others.erase(placed.scope.str());
  }
  const std::unique_ptr<Message> record = ParseAs(type, state.body);
  const auto& reflection = *record->GetReflection();
  for (const FieldRule& rule : type.fields.rules()) {
    if (!IsGuest(rule)) continue;
    if (!rule.descriptor->is_repeated()) {
      // As it was at the time: what was done elsewhere stays with the home of then.
      if (reflection.HasField(*record, rule.descriptor) || others.count(branches.home) == 0) {
        continue;
      }
      reflection.SetString(record.get(), rule.descriptor, branches.home);
      continue;
    }
    reflection.ClearField(record.get(), rule.descriptor);
    for (const std::string& branch : others) {
      reflection.AddString(record.get(), rule.descriptor, branch);
    }
  }
  AddChange(type, id, state, *record, edit);
}

// Of all records of the person that hosts see as long as a stay lasts.
absl::Status AddGuestsOfAll(Reader& reader, const Schema& schema, const Id& person, Edit* edit) {
  ASSIGN_OR_RETURN(const Branches branches, BranchesOf(reader, person));
  for (const RecordType& type : schema.types()) {
    const auto& rules = type.fields.rules();
    if (std::none_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
          return IsGuest(rule) && rule.descriptor->is_repeated();
        })) {
      continue;
    }
    RETURN_IF_ERROR(
        reader.ListRecords(type.number, person, [&](const Id& id, const RecordState& state) {
          AddGuests(type, id, state, branches, edit);
        }));
  }
  return absl::OkStatus();
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
absl::Status AddMoves(Reader& reader, const Schema& schema, const Transfer& transfer, Edit* edit) {
  const auto person = Id::FromBytes(transfer.member_id());
  if (!person) return absl::OkStatus();
  for (const RecordType& type : schema.types()) {
    ASSIGN_OR_RETURN(const std::optional<Id> id, OnlyOneOf(type, *person));
    if (!id) continue;
    ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, *id}));
    if (!state.alive()) continue;
    const std::unique_ptr<Message> record = ParseAs(type, state.body);
    const auto& reflection = *record->GetReflection();
    for (const FieldRule& rule : type.fields.rules()) {
      const FieldDescriptor* field = rule.descriptor;
      if (rule.place != OWNER || field->is_repeated() ||
          reflection.GetString(*record, field) != transfer.from_branch_id()) {
        continue;
      }
      reflection.SetString(record.get(), field, transfer.to_branch_id());
      if (type.number != TypeOf<Placement>().number) continue;
      auto& placement = static_cast<Placement&>(*record);
      placement.clear_group_id();
      placement.set_since(transfer.received());
    }
    AddChange(type, *id, state, *record, edit);
  }
  return absl::OkStatus();
}

// Each side is told the other's name, whose record it does not hold.
absl::Status AddNames(Reader& reader, const RecordType& type, const Id& id,
                      const RecordState& state, Flow flow, Edit* edit) {
  if (flow.home_name().empty()) {
    ASSIGN_OR_RETURN(*flow.mutable_home_name(),
                     RegisteredNameOf<Organisation>(reader, flow.home_branch_id()));
  }
  if (flow.host_name().empty()) {
    ASSIGN_OR_RETURN(*flow.mutable_host_name(),
                     RegisteredNameOf<Organisation>(reader, flow.host_branch_id()));
  }
  AddChange(type, id, state, flow, edit);
  return absl::OkStatus();
}

absl::Status AddNames(Reader& reader, const RecordType& type, const Id& id,
                      const RecordState& state, Transfer transfer, Edit* edit) {
  if (!transfer.member_name().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(*transfer.mutable_member_name(),
                   RegisteredNameOf<Member>(reader, transfer.member_id()));
  ASSIGN_OR_RETURN(*transfer.mutable_from_name(),
                   RegisteredNameOf<Organisation>(reader, transfer.from_branch_id()));
  ASSIGN_OR_RETURN(*transfer.mutable_to_name(),
                   RegisteredNameOf<Organisation>(reader, transfer.to_branch_id()));
  AddChange(type, id, state, transfer, edit);
  return absl::OkStatus();
}

absl::Status AddToken(Reader& reader, const Schema& schema, const Id& id, const RecordState& state,
                      Edit* edit) {
  Pass pass = Parse<Pass>(state.body);
  ASSIGN_OR_RETURN(const std::string secret_key, CourierSecretOf(reader));
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
  AddChange(*schema.Find(TypeOf<Pass>().number), id, state, pass, edit);
  return absl::OkStatus();
}

}  // namespace

absl::Status JudgeFlow(Reader& reader, const RecordType& type, absl::string_view before,
                       absl::string_view after, int64_t at_ms) {
  if (type.number == TypeOf<Transfer>().number) {
    return JudgeTransfer(reader, Parse<Transfer>(before), Parse<Transfer>(after), at_ms);
  }
  if (type.number == TypeOf<Flow>().number) return JudgeStay(Parse<Flow>(after));
  if (type.number == TypeOf<Pass>().number) {
    return JudgePassRecord(reader, Parse<Pass>(before), Parse<Pass>(after));
  }
  return absl::OkStatus();
}

absl::Status AddFlow(Reader& reader, const Schema& schema, const RecordKey& key,
                     absl::string_view before, Edit* edit) {
  const RecordType& type = *schema.Find(key.type);
  const auto& rules = type.fields.rules();
  const bool decides = key.type == TypeOf<Flow>().number || key.type == TypeOf<Placement>().number;
  const bool has_guests = std::any_of(rules.begin(), rules.end(), IsGuest);
  if (!decides && !has_guests && key.type != TypeOf<Transfer>().number) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(key));
  if (key.type == TypeOf<Transfer>().number) {
    const Transfer transfer = Parse<Transfer>(state.body);
    if (transfer.state() == Transfer::RECEIVED &&
        Parse<Transfer>(before).state() != Transfer::RECEIVED) {
      return AddMoves(reader, schema, transfer, edit);
    }
    return AddNames(reader, type, key.id, state, transfer, edit);
  }
  const std::optional<Id> person = PersonOf(type, key.id, state.body);
  if (!person) return absl::OkStatus();
  if (decides) {
    if (key.type == TypeOf<Flow>().number) {
      RETURN_IF_ERROR(AddNames(reader, type, key.id, state, Parse<Flow>(state.body), edit));
    }
    return AddGuestsOfAll(reader, schema, *person, edit);
  }
  if (key.type == TypeOf<Pass>().number) {
    RETURN_IF_ERROR(AddToken(reader, schema, key.id, state, edit));
    if (!edit->changes().empty()) return absl::OkStatus();  // then comes the next call
  }
  ASSIGN_OR_RETURN(const Branches branches, BranchesOf(reader, *person));
  AddGuests(type, key.id, state, branches, edit);
  return absl::OkStatus();
}

}  // namespace zhibu::server
