#include "tests/sim/forge.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/sim/bytes.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;
using records::v1::Attendance;
using records::v1::CheckIn;
using records::v1::Contact;
using records::v1::DuplicatePerson;
using records::v1::Flow;
using records::v1::HeldEdit;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;
using records::v1::PrivateDetail;
using records::v1::Transfer;
using sync::v1::Change;

namespace {

const FieldDescriptor* FieldOf(const Piece& piece, const Descriptor& type) {
  return type.FindFieldByNumber(static_cast<int>(piece.number));
}

template <typename T>
uint32_t NumberOf() {
  return TypeOf(T::descriptor());
}

}  // namespace

std::string Forge::Edit() {
  sync::v1::Edit edit;
  const uint32_t changes = dice_.OneIn(40) ? 0 : 1 + (dice_.OneIn(4) ? dice_.Below(3) : 0);
  for (uint32_t i = 0; i < changes; ++i) *edit.add_changes() = Any();
  if (changes > 0 && dice_.OneIn(30)) *edit.add_changes() = edit.changes(0);
  edit.set_device_time_ms(dice_.OneIn(8) ? static_cast<int64_t>(dice_.Next()) : universe_.now_ms());
  edit.set_salt(dice_.OneIn(10) ? dice_.Below(3) : dice_.Next());
  std::string bytes = edit.SerializeAsString();
  return dice_.OneIn(30) ? Twist(*sync::v1::Edit::descriptor(), bytes) : bytes;
}

std::vector<std::string> Forge::Question() {
  for (int i = 0; i < 5; ++i) {
    const RecordKey key = AnyRecord();
    const Ledger::Record* record = universe_.ledger().Find(key);
    if (record == nullptr || universe_.ledger().EverRead(person_, key)) continue;
    const std::unique_ptr<Message> set(PrototypeOf(key.type)->New());
    Fill(set.get(), 4);
    Change change = ChangeOf(*set, key.id, dice_.OneIn(4) ? Change::DELETE : Change::UPDATE);
    if (change.kind() == Change::DELETE) change.clear_set();
    std::vector<std::string> edits;
    for (const std::string& id : {key.id.str(), dice_.Bytes(Id::kSize)}) {
      change.set_id(id);
      sync::v1::Edit edit;
      *edit.add_changes() = change;
      edit.set_device_time_ms(universe_.now_ms());
      edit.set_salt(dice_.Next());
      edits.push_back(edit.SerializeAsString());
    }
    return edits;
  }
  return {};
}

// What anybody might do who is an ordinary member.
Change Forge::Lawful() {
  std::vector<RecordKey> seen;
  for (const RecordKey& key : Keys(NumberOf<zhibu::testing::Sampler>())) {
    if (universe_.ledger().EverRead(person_, key)) seen.push_back(key);
  }
  zhibu::testing::Sampler sampler;
  Fill(&sampler, 5, 1);
  sampler.clear_branch_id();
  sampler.clear_server();
  if (!seen.empty() && !dice_.OneIn(4)) {
    return ChangeOf(sampler, dice_.Of(seen).id, Change::UPDATE);
  }
  sampler.set_branch_id(Branch());
  return ChangeOf(sampler, *Id::FromBytes(dice_.Bytes(Id::kSize)), Change::CREATE);
}

Change Forge::Any() {
  if (dice_.OneIn(4)) return Lawful();
  Change change;
  switch (dice_.Below(8)) {
    case 0:
    case 1:
    case 2:
      change = Recipe();
      break;
    case 3:
    case 4:
      change = Make();
      break;
    default:
      change = Alter();
  }
  const Message* type = PrototypeOf(change.type());
  if (type != nullptr && dice_.OneIn(6)) {
    change.set_set(Twist(*type->GetDescriptor(), change.set()));
  }
  if (dice_.OneIn(60)) change.set_id(Anything());
  if (dice_.OneIn(60)) change.set_type(dice_.Below(100));
  if (dice_.OneIn(30)) change.set_kind(static_cast<Change::Kind>(dice_.Below(4)));
  if (dice_.OneIn(20)) change.clear_special();
  return change;
}

const Message& Forge::AnyType() {
  auto it = Types().begin();
  std::advance(it, dice_.Below(Types().size()));
  return *it->second;
}

std::vector<RecordKey> Forge::Keys(uint32_t type) const {
  std::vector<RecordKey> keys;
  const auto& records = universe_.ledger().records();
  for (auto it = records.lower_bound({type, Id()}); it != records.end() && it->first.type == type;
       ++it) {
    keys.push_back(it->first);
  }
  return keys;
}

// Of a type that there is one of; rather a new one.
RecordKey Forge::AnyRecord() {
  for (int i = 0; i < 6; ++i) {
    const std::vector<RecordKey> keys = Keys(TypeOf(AnyType().GetDescriptor()));
    if (keys.empty()) continue;
    const size_t recent = std::min<size_t>(keys.size(), 4);
    return dice_.OneIn(2) ? dice_.Of(keys) : keys[keys.size() - 1 - dice_.Below(recent)];
  }
  return {NumberOf<Member>(), person_};
}

std::string Forge::Branch() {
  std::vector<Id> mine;
  for (const Id& one : universe_.organisations()) {
    if (universe_.ledger().OfficesIn(person_, one, universe_.now_ms()) != 0) mine.push_back(one);
  }
  return (mine.empty() ? dice_.Of(universe_.branches()) : dice_.Of(mine)).str();
}

std::string Forge::Other() { return dice_.Of(universe_.organisations()).str(); }

std::string Forge::Person() {
  if (dice_.OneIn(3)) return person_.str();
  const std::vector<RecordKey> members = Keys(NumberOf<Member>());
  return dice_.OneIn(3) && !members.empty() ? dice_.Of(members).id.str()
                                            : dice_.Of(universe_.people()).str();
}

std::string Forge::Anything() {
  switch (dice_.Below(7)) {
    case 0:
      return "";
    case 1:
      return dice_.Bytes(dice_.Below(40));
    case 2:
      return dice_.Bytes(Id::kSize);
    case 3:
      return person_.str();
    case 4:
      return Other();
    case 5:
      return Person();
    default:
      return AnyRecord().id.str();
  }
}

std::string Forge::IdFor(Place place) {
  if (dice_.OneIn(8)) return Anything();
  switch (place) {
    case NOWHERE:
      return dice_.OneIn(2) ? AnyRecord().id.str() : Person();
    case PERSON:
      return Person();
    default:
      return dice_.OneIn(2) ? Branch() : Other();
  }
}

std::string Forge::Day() {
  return absl::StrCat(2025 + dice_.Below(3), "-0", 1 + dice_.Below(9), "-1", dice_.Below(10));
}

std::string Forge::Text(const FieldDescriptor& field) {
  static const std::vector<std::string> kTexts = {"",
                                                  "礼堂",
                                                  "系统维护",
                                                  "\x1b[2J",
                                                  "\u202e卡片",
                                                  "11010519491231002X",
                                                  "13800138000",
                                                  "王秀英",
                                                  "甲",
                                                  "2026-1-1",
                                                  "name",
                                                  "1980-01-01",
                                                  "红",
                                                  "1２３４５６"};
  const Format format = field.options().GetExtension(zhibu::format);
  if (!dice_.OneIn(6) && format == DATE) return Day();
  if (!dice_.OneIn(6) && format == DAY_OR_MONTH) {
    return dice_.OneIn(3) ? Day().substr(0, 7) : Day();
  }
  if (!dice_.OneIn(6) && format == MONTH) return Day().substr(0, 7);
  if (dice_.OneIn(200)) return std::string(900'000, 'x');
  if (dice_.OneIn(40)) return std::string(20'000, 'x');
  return dice_.Of(kTexts);
}

void Forge::Set(Message* message, const FieldDescriptor& field, int depth) {
  const auto& r = *message->GetReflection();
  const bool list = field.is_repeated();
  const auto number = [&] {
    static const std::vector<int64_t> kNumbers = {0, 1, -1, 7, INT32_MAX, INT32_MIN, INT64_MAX};
    return dice_.OneIn(3) ? dice_.Of(kNumbers) : dice_.Between(0, 9);
  };
  if (field.is_map()) return;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value = field.type() == FieldDescriptor::TYPE_BYTES
                                    ? IdFor(field.options().GetExtension(zhibu::place))
                                    : Text(field);
      return list ? r.AddString(message, &field, value) : r.SetString(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value =
          dice_.OneIn(30) ? 99 : static_cast<int>(dice_.Below(field.enum_type()->value_count()));
      return list ? r.AddEnumValue(message, &field, value) : r.SetEnumValue(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(number());
      return list ? r.AddInt32(message, &field, value) : r.SetInt32(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<uint32_t>(number());
      return list ? r.AddUInt32(message, &field, value) : r.SetUInt32(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_INT64:
      return list ? r.AddInt64(message, &field, number()) : r.SetInt64(message, &field, number());
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto value = static_cast<uint64_t>(number());
      return list ? r.AddUInt64(message, &field, value) : r.SetUInt64(message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (depth == 0) return;
      Message* part = list ? r.AddMessage(message, &field) : r.MutableMessage(message, &field);
      auto* time = dynamic_cast<Timestamp*>(part);
      if (time == nullptr) return Fill(part, 2, depth - 1);
      time->set_seconds(dice_.OneIn(12) ? number() : universe_.now_ms() / 1000 + dice_.Below(99));
      if (dice_.OneIn(12)) time->set_nanos(static_cast<int32_t>(number()));
      return;
    }
    default:
      return;
  }
}

void Forge::Fill(Message* message, uint32_t one_in, int depth) {
  const Descriptor* type = message->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    const auto& options = field.options();
    const bool wanted = one_in == 2 && (options.GetExtension(zhibu::required) ||
                                        options.GetExtension(zhibu::place) != NOWHERE);
    // What is the server's, from time to time.
    const bool others = options.GetExtension(zhibu::merge) == SERVER && !dice_.OneIn(6);
    if (others || !(wanted ? !dice_.OneIn(20) : dice_.OneIn(one_in))) continue;
    Set(message, field, depth);
  }
}

uint64_t Forge::Base() {
  switch (dice_.Below(4)) {
    case 0:
      return 0;
    case 1:
      return dice_.Below(500);
    case 2:
      return dice_.Next();
    default:
      return 1'000'000'000;
  }
}

Change Forge::ChangeOf(const Message& set, const Id& id, Change::Kind kind) {
  const RecordType& type = *TodaysSchema()->Find(set.GetDescriptor());
  Change change;
  change.set_type(type.number);
  change.set_id(id.str());
  change.set_kind(kind);
  Diff(type, "", Canonical(type.fields, set.SerializePartialAsString()), &change);
  change.set_base(Base());
  if (kind != Change::CREATE && dice_.OneIn(2)) change.mutable_without()->clear_nested();
  return change;
}

Id Forge::DerivedOr(const Message& message, const Id& id) {
  const RecordType& type = *TodaysSchema()->Find(message.GetDescriptor());
  if (type.id_from.empty() || dice_.OneIn(12)) return id;
  return DeriveId(type, Canonical(type.fields, message.SerializePartialAsString())).value_or(id);
}

Change Forge::Make() {
  const std::unique_ptr<Message> message(AnyType().New());
  Fill(message.get(), 2);
  Id id = *Id::FromBytes(dice_.Bytes(Id::kSize));
  if (dice_.OneIn(6)) id = Id::FromBytes(Anything()).value_or(id);
  return ChangeOf(*message, DerivedOr(*message, id), Change::CREATE);
}

Change Forge::Alter() {
  const RecordKey key = AnyRecord();
  const std::unique_ptr<Message> set(PrototypeOf(key.type)->New());
  Fill(set.get(), dice_.OneIn(3) ? 3 : 6);
  Change change = ChangeOf(*set, key.id, Change::UPDATE);
  if (dice_.OneIn(10)) {
    change.set_kind(Change::DELETE);
    change.clear_set();
    change.clear_without();
    change.clear_special();
    change.clear_within();
  }
  const auto number = [&] { return static_cast<uint32_t>(1 + dice_.Below(16)); };
  if (dice_.OneIn(6)) change.mutable_without()->add_cleared(number());
  if (dice_.OneIn(20)) {
    auto* removed = change.mutable_without()->add_removed();
    removed->set_field(number());
    removed->add_elements(dice_.OneIn(2) ? Anything() : "红");
  }
  if (dice_.OneIn(30)) {
    auto* nested = change.mutable_without()->add_nested();
    nested->set_field(number());
    nested->set_key(dice_.OneIn(2) ? Anything() : "甲");
    nested->set_created(dice_.OneIn(2));
  }
  return change;
}

Change Forge::Recipe() {
  const Id fresh = *Id::FromBytes(dice_.Bytes(Id::kSize));
  const auto make = [&](const Message& message) {
    return ChangeOf(message, DerivedOr(message, fresh), Change::CREATE);
  };
  switch (dice_.Below(14)) {
    case 0: {  // a letter of one's own
      Transfer transfer;
      transfer.set_member_id(Person());
      transfer.set_from_branch_id(Branch());
      transfer.set_to_branch_id(Other());
      transfer.set_state(static_cast<Transfer::State>(1 + dice_.Below(6)));
      transfer.set_letter_number("7");
      transfer.set_issued("2026-11-20");
      transfer.set_valid_until("2027-01-01");
      Change change = make(transfer);
      if (dice_.OneIn(2)) {
        change.mutable_set()->append(BytesOf(Piece{5, kFixed32, Transfer::REQUESTED, "", true}));
      }
      return change;
    }
    case 1: {  // a member who has the id of an organisation
      Member member;
      member.set_branch_id(Branch());
      member.set_name("甲");
      return ChangeOf(member, Id::FromBytes(Other()).value_or(fresh), Change::CREATE);
    }
    case 2: {  // somebody's record, kept by oneself
      PrivateDetail detail;
      detail.set_member_id(Person());
      detail.set_branch_id(dice_.OneIn(2) ? person_.str() : Branch());
      detail.set_identity_number("11010519491231002X");
      return make(detail);
    }
    case 3:
    case 4: {  // first at what follows from others
      const std::vector<RecordKey> meetings = Keys(NumberOf<Meeting>());
      if (meetings.empty()) return Make();
      const std::string meeting = dice_.Of(meetings).id.str();
      if (dice_.OneIn(2)) {
        CheckIn check_in;
        check_in.set_activity_id(meeting);
        check_in.set_member_id(Person());
        check_in.set_branch_id(dice_.OneIn(3) ? person_.str() : Branch());
        check_in.add_ways()->set_how(static_cast<CheckIn::How>(1 + dice_.Below(3)));
        if (dice_.OneIn(4)) check_in.set_standing(CheckIn::VERIFIED);
        return make(check_in);
      }
      Attendance attendance;
      attendance.set_meeting_id(meeting);
      attendance.set_member_id(Person());
      attendance.set_branch_id(Branch());
      attendance.set_state(Attendance::ABSENT);
      return make(attendance);
    }
    case 5: {  // two who are one
      DuplicatePerson same;
      std::string one = Person();
      std::string other = Person();
      if (other < one) std::swap(one, other);
      same.add_scopes(Branch());
      same.set_first_id(one);
      same.set_second_id(other);
      same.set_state(static_cast<DuplicatePerson::State>(1 + dice_.Below(4)));
      return make(same);
    }
    case 6: {  // or so it is decided
      const std::vector<RecordKey> found = Keys(NumberOf<DuplicatePerson>());
      if (found.empty()) return Make();
      DuplicatePerson same;
      same.set_state(static_cast<DuplicatePerson::State>(1 + dice_.Below(4)));
      if (dice_.OneIn(2)) same.set_kept_id(Person());
      return ChangeOf(same, dice_.Of(found).id, Change::UPDATE);
    }
    case 7: {  // a stay that is accepted at once
      Flow flow;
      flow.set_member_id(Person());
      flow.set_home_branch_id(Branch());
      flow.set_host_branch_id(Other());
      flow.set_state(static_cast<Flow::State>(dice_.OneIn(2) ? 1 : 1 + dice_.Below(7)));
      if (dice_.OneIn(3)) flow.set_accepted_by_id(Person());
      return make(flow);
    }
    case 8: {  // hung on whom one likes
      Organisation organisation;
      (dice_.OneIn(2) ? organisation.mutable_parent_id() : organisation.mutable_host_parent_id())
          ->assign(dice_.OneIn(4) ? Anything() : Other());
      return ChangeOf(organisation, Id::FromBytes(Branch()).value_or(fresh), Change::UPDATE);
    }
    case 9: {  // where is somebody?
      Contact contact;
      contact.set_member_id(Person());
      contact.set_branch_id(dice_.OneIn(3) ? Other() : Branch());
      contact.set_said("在哪里");
      if (dice_.OneIn(2)) contact.set_by_id(Person());
      return make(contact);
    }
    case 10: {  // moves somebody
      Placement placement;
      placement.set_branch_id(dice_.OneIn(2) ? Branch() : Other());
      Placement named;
      named.set_member_id(Person());
      return ChangeOf(placement, DerivedOr(named, fresh), Change::UPDATE);
    }
    case 11: {  // decides on what is held
      const std::vector<RecordKey> held = Keys(NumberOf<HeldEdit>());
      if (held.empty()) return Make();
      HeldEdit decision;
      decision.set_state(dice_.OneIn(3) ? HeldEdit::RETURNED : HeldEdit::TAKEN);
      return ChangeOf(decision, dice_.Of(held).id, Change::UPDATE);
    }
    case 12: {  // keeps it after the office
      const RecordKey key = AnyRecord();
      const std::unique_ptr<Message> set(PrototypeOf(key.type)->New());
      const Descriptor* type = set->GetDescriptor();
      for (int i = 0; i < type->field_count(); ++i) {
        const FieldDescriptor& field = *type->field(i);
        if (field.options().GetExtension(zhibu::place) == OWNER && !field.is_repeated()) {
          set->GetReflection()->SetString(set.get(), &field,
                                          dice_.OneIn(2) ? person_.str() : IdFor(OWNER));
        }
      }
      return ChangeOf(*set, key.id, Change::UPDATE);
    }
    default: {  // the next step, whoever's it is
      static const std::vector<uint32_t> kTypes = {NumberOf<Flow>(), NumberOf<Transfer>(),
                                                   NumberOf<records::v1::Pass>()};
      const std::vector<RecordKey> keys = Keys(dice_.Of(kTypes));
      if (keys.empty()) return Make();
      const RecordKey key = dice_.Of(keys);
      const std::unique_ptr<Message> set(PrototypeOf(key.type)->New());
      Fill(set.get(), 5);
      const FieldDescriptor* state = set->GetDescriptor()->FindFieldByName("state");
      set->GetReflection()->SetEnumValue(
          set.get(), state, static_cast<int>(dice_.Below(state->enum_type()->value_count())));
      return ChangeOf(*set, key.id, Change::UPDATE);
    }
  }
}

std::string Forge::Twist(const Descriptor& type, std::string bytes) {
  auto pieces = PiecesOf(bytes);
  if (!pieces || pieces->empty()) return bytes + VarintOf(dice_.Below(4000));
  const size_t at = dice_.Below(pieces->size());
  Piece& piece = (*pieces)[at];
  const FieldDescriptor* field = FieldOf(piece, type);
  switch (dice_.Below(9)) {
    case 0:
    case 1: {  // again, with something else
      Piece again = piece;
      if (again.type == kBytes) {
        again.payload =
            field == nullptr ? Anything() : IdFor(field->options().GetExtension(zhibu::place));
      } else {
        again.value = dice_.Below(9);
      }
      pieces->insert(pieces->begin() + static_cast<std::ptrdiff_t>(at + dice_.Below(2)), again);
      return BytesOf(*pieces);
    }
    case 2: {  // again, as something else
      Piece again = piece;
      static const std::vector<int> kTypes = {kVarint, kFixed64, kBytes, kFixed32};
      again.type = dice_.Of(kTypes);
      again.value = dice_.Below(9);
      again.payload = IdFor(OWNER);
      pieces->push_back(again);
      return BytesOf(*pieces);
    }
    case 3: {  // at length
      std::string padded;
      for (size_t i = 0; i < pieces->size(); ++i) {
        padded += BytesOf((*pieces)[i], i == at ? 1 + static_cast<int>(dice_.Below(3)) : 0);
      }
      return padded;
    }
    case 4:
      std::reverse(pieces->begin(), pieces->end());
      return BytesOf(*pieces);
    case 5:  // of an app that is to come
      pieces->push_back(
          {type.field_count() == 0 ? 1 : 19 + dice_.Below(200), kBytes, 0, IdFor(OWNER), true});
      return BytesOf(*pieces);
    case 6:
      bytes.resize(dice_.Below(bytes.size()));
      return bytes;
    case 7:
      piece.value = ~uint64_t{0} - dice_.Below(2);
      return BytesOf(*pieces);
    default:
      if (field == nullptr || field->message_type() == nullptr || piece.type != kBytes)
        return bytes;
      piece.payload = Twist(*field->message_type(), piece.payload);
      return BytesOf(*pieces);
  }
}

}  // namespace zhibu::sim
