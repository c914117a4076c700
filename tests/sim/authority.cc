#include "tests/sim/authority.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::DuplicatePerson;
using records::v1::Flow;
using records::v1::Member;
using records::v1::Placement;
using sync::v1::Change;

namespace {

constexpr uint32_t kConsenting = 1u << SECRETARY | 1u << DEPUTY;

const RecordOptions& OptionsOf(const Message& message) {
  return message.GetDescriptor()->options().GetExtension(zhibu::record);
}

uint32_t WritersOf(const Message& message) {
  uint32_t bits = 0;
  for (const int office : OptionsOf(message).writers()) bits |= 1u << office;
  return bits;
}

bool IsOrganisations(Place place) { return place == OWNER || place == GUEST || place == ABOVE; }

// The field of the steps; null: there is none.
const FieldDescriptor* StepsOf(const Message& message) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->options().GetExtension(zhibu::merge) == FORWARD) return type->field(i);
  }
  return nullptr;
}

const EnumValueDescriptor& StepOf(const Message& message, const FieldDescriptor& field) {
  return *message.GetReflection()->GetEnum(message, &field);
}

std::vector<int> TakersOf(const EnumValueDescriptor& step) {
  const auto& takers = step.options().GetRepeatedExtension(zhibu::taken_by);
  return {takers.begin(), takers.end()};
}

bool OnlyOthersTake(const EnumValueDescriptor& state) {
  const std::vector<int> takers = TakersOf(state);
  return !takers.empty() && std::all_of(takers.begin(), takers.end(), [](int place) {
    return place == ABOVE || place == PERSON;
  });
}

// Somebody else than who keeps the record steps to the state, and on from it.
bool IsLastWord(const EnumValueDescriptor& state) {
  const auto& next = state.options().GetRepeatedExtension(zhibu::next);
  return OnlyOthersTake(state) && std::all_of(next.begin(), next.end(), [&](const auto& name) {
           return OnlyOthersTake(*state.type()->FindValueByName(name));
         });
}

// Where a field is written that does not say where.
std::vector<int> WrittenAt(const Message& type, const FieldDescriptor& field) {
  const auto& kinds = field.options().GetRepeatedExtension(zhibu::written_at);
  if (!kinds.empty()) return {kinds.begin(), kinds.end()};
  if (!field.options().GetRepeatedExtension(zhibu::written_with).empty()) return {};
  const FieldDescriptor* steps = StepsOf(type);
  if (steps == &field) {
    const auto* states = field.enum_type();
    for (int i = 0; i < states->value_count(); ++i) {
      if (!TakersOf(*states->value(i)).empty()) return {};
    }
  }
  const auto* descriptor = type.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto& options = descriptor->field(i)->options();
    const bool asked =
        options.GetExtension(zhibu::place) == ABOVE && options.GetExtension(zhibu::merge) == SERVER;
    if (asked) return {OWNER, GUEST, PERSON};
  }
  return {};
}

// What names an element among others, as text.
std::string NameOfElement(const Message& element, const FieldDescriptor& list) {
  const auto* type = element.GetDescriptor();
  const auto* key =
      type->FindFieldByName(list.is_map() ? "key" : list.options().GetExtension(zhibu::key));
  std::string name;
  google::protobuf::TextFormat::PrintFieldValueToString(element, key, -1, &name);
  return name;
}

// The values that are somebody's word (said_by), each by the way to it.
using Sayings = std::map<std::string, const EnumValueDescriptor*>;

Sayings SayingsIn(const Message& message, const std::string& way = "") {
  Sayings sayings;
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string here = absl::StrCat(way, "/", std::string(field->name()));
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->enum_type() != nullptr) {
        const auto* value = field->is_repeated() ? reflection.GetRepeatedEnum(message, field, i)
                                                 : reflection.GetEnum(message, field);
        if (value->options().ExtensionSize(zhibu::said_by) == 0) continue;
        sayings[absl::StrCat(here, "=", value->number())] = value;
      } else if (field->options().GetExtension(zhibu::merge) == BY_KEY) {
        const Message& element = reflection.GetRepeatedMessage(message, field, i);
        const std::string name = absl::StrCat(here, "[", NameOfElement(element, *field), "]");
        for (const auto& saying : SayingsIn(element, name)) sayings.insert(saying);
      }
    }
  }
  return sayings;
}

std::string ValueOf(const Message& message, const FieldDescriptor& field) {
  return message.GetReflection()->GetString(message, &field);
}

bool IsPlacedIn(const Message& message, const std::string& person, const std::string& branch) {
  const auto* placement = dynamic_cast<const Placement*>(&message);
  return placement != nullptr && placement->member_id() == person &&
         placement->branch_id() == branch;
}

// Which the host has accepted, and which lasts.
bool IsStayAt(const Message& message, const std::string& person, const std::string& branch) {
  static const std::set<int> kNot = {Flow::STATE_UNSPECIFIED, Flow::REPORTED, Flow::DECLINED,
                                     Flow::ENDED};
  const auto* stay = dynamic_cast<const Flow*>(&message);
  return stay != nullptr && stay->member_id() == person && stay->host_branch_id() == branch &&
         kNot.count(stay->state()) == 0;
}

std::set<Id> OwnersOf(const Message& message, const Id& id) {
  std::set<Id> owners;
  for (const auto& [scope, place] : PlacesIn(message, id)) {
    if (place == OWNER) owners.insert(scope);
  }
  return owners;
}

std::set<Id> PersonsOf(const Message& message, const Id& id) {
  std::set<Id> persons;
  for (const auto& [scope, place] : PlacesIn(message, id)) {
    if (place == PERSON) persons.insert(scope);
  }
  return persons;
}

// Whether the type says where whom it is about must belong.
bool NamesWhomItKeeps(const Message& message) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto& options = type->field(i)->options();
    if (options.GetExtension(zhibu::place) != PERSON) continue;
    if (!options.GetExtension(zhibu::belongs_to).empty()) return true;
    if (!options.GetExtension(zhibu::kept_with).empty()) return true;
  }
  return false;
}

// Whether it is about another record, and lies where that lies.
bool IsTold(const Message& message) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->options().GetExtension(zhibu::reads_as)) return true;
  }
  return false;
}

// The places that the server has filled in.
Places ComposedGuests(const Message& message) {
  Places guests;
  const auto* type = message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const auto& options = field->options();
    if (options.GetExtension(zhibu::place) != GUEST) continue;
    if (options.GetExtension(zhibu::merge) != SERVER) continue;
    if (!options.GetExtension(zhibu::sent_to).empty()) continue;  // sent.cc
    for (int j = 0; field->is_repeated() && j < reflection.FieldSize(message, field); ++j) {
      const auto id = Id::FromBytes(reflection.GetRepeatedString(message, field, j));
      if (id) guests.insert({*id, GUEST});
    }
    const auto id = field->is_repeated() ? std::nullopt : Id::FromBytes(ValueOf(message, *field));
    if (id) guests.insert({*id, GUEST});
  }
  return guests;
}

}  // namespace

struct Authority::Case {
  const RecordKey& key;
  const Change& change;
  const Message* was;  // null: there never was one
  bool lives = false;  // before
  const Message& is;
  Places before;
  Places after;
  std::vector<const FieldDescriptor*> written;

  // Those that count for a step.
  const Places& stood() const { return before.empty() ? after : before; }
  bool fresh() const { return was == nullptr; }
};

std::string Authority::Objection(const RecordKey& key, const Change& change) const {
  const Ledger::Record* record = ledger_.Find(key);
  const Message* was = record == nullptr ? nullptr : record->expected.message.get();
  const Message& is = *made_.at(key).message;
  const Case one{key,
                 change,
                 was,
                 was != nullptr && record->expected.alive,
                 is,
                 was == nullptr ? Places() : PlacesIn(*was, key.id),
                 PlacesIn(is, key.id),
                 WrittenIn(change, *is.GetDescriptor())};
  using Check = std::string (Authority::*)(const Case&) const;
  for (const Check check : {&Authority::NotMade, &Authority::NotOfItsKind, &Authority::NotDeleted,
                            &Authority::NotWritten, &Authority::NotPlaced, &Authority::NotStepped,
                            &Authority::NotBelonging, &Authority::NotKeptTogether,
                            &Authority::NotDecided, &Authority::NotSpoken}) {
    const std::string objection = (this->*check)(one);
    if (!objection.empty()) return objection;
  }
  return "";
}

uint32_t Authority::OfficesIn(const Id& scope) const {
  return ledger_.OfficesIn(claim_.decider, scope, claim_.at_ms);
}

// Oneself counts where one is the subject, an office where the organisation keeps, hosts
// or stands above.
Sight Authority::SightIn(const Places& places) const {
  return ledger_.SightIn(claim_.decider, places, claim_.at_ms);
}

const Message* Authority::There(const RecordKey& key) const {
  const auto it = made_.find(key);
  if (it != made_.end()) return it->second.alive ? it->second.message.get() : nullptr;
  const Ledger::Record* record = ledger_.Find(key);
  return record != nullptr && record->expected.alive ? record->expected.message.get() : nullptr;
}

const Message* Authority::EverThere(const RecordKey& key) const {
  const auto it = made_.find(key);
  if (it != made_.end()) return it->second.message.get();
  const Ledger::Record* record = ledger_.Find(key);
  return record == nullptr ? nullptr : record->expected.message.get();
}

bool Authority::IsA(Place own_scope, const Id& id) const {
  const auto& types = Types();
  return std::any_of(types.begin(), types.end(), [&](const auto& type) {
    return OptionsOf(*type.second).own_scope() == own_scope && There({type.first, id}) != nullptr;
  });
}

// What only the server makes, and what there is to be changed.
std::string Authority::NotMade(const Case& one) const {
  if (one.change.kind() != Change::CREATE && one.fresh()) return "there is no such record";
  if (OptionsOf(one.is).made_by_server() && one.change.kind() != Change::UPDATE) {
    return "only the server makes or deletes it";
  }
  for (const FieldDescriptor* field : one.written) {
    if (field->options().GetExtension(zhibu::merge) == SERVER) {
      return absl::StrCat(field->name(), " is the server's");
    }
  }
  return "";
}

// An id is never two things.
std::string Authority::NotOfItsKind(const Case& one) const {
  if (one.after.count({one.key.id, ABOVE}) > 0) return "nothing stands above itself";
  const Place own = OptionsOf(one.is).own_scope();
  if (own == NOWHERE || one.lives) return "";
  for (const auto& [type, prototype] : Types()) {
    const Place other = OptionsOf(*prototype).own_scope();
    if (other != NOWHERE && other != own && There({type, one.key.id}) != nullptr) {
      return absl::StrCat("it is the id of a ", prototype->GetDescriptor()->name());
    }
  }
  return "";
}

bool Authority::Acts(const Message& type, const Places& places,
                     const std::vector<int>& kinds) const {
  Places counted;
  for (const auto& place : places) {
    if (kinds.empty() || std::count(kinds.begin(), kinds.end(), place.second) > 0) {
      counted.insert(place);
    }
  }
  const Sight sight = SightIn(counted);
  const uint32_t offices = OptionsOf(type).written_at_home() ? sight.home : sight.home | sight.host;
  return (offices & WritersOf(type)) != 0;
}

// What others have said in a record does not go with it.
std::string Authority::NotDeleted(const Case& one) const {
  if (one.change.kind() != Change::DELETE || one.fresh()) return "";
  if (!Acts(one.is, one.before, {OWNER, PERSON})) return "a host or superior does not delete it";
  const Sight sight = SightOn(*one.was, SightIn(one.before));
  const auto* type = one.was->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    const auto& reflection = *one.was->GetReflection();
    const bool stands = field.is_repeated() ? reflection.FieldSize(*one.was, &field) > 0
                                            : reflection.HasField(*one.was, &field);
    if (stands && Restricted(field) && !MayWrite(sight, field)) {
      return absl::StrCat("may not write ", field.name(), ", which would go with it");
    }
  }
  const FieldDescriptor* steps = StepsOf(*one.was);
  if (steps == nullptr) return "";
  const auto& now = StepOf(*one.was, *steps);
  if (TakersOf(now).empty() || Acts(one.is, one.before, TakersOf(now))) return "";
  return absl::StrCat("does not undo ", now.name());
}

std::string Authority::NotWritten(const Case& one) const {
  for (const Places* places : {&one.before, &one.after}) {
    if (places == &one.before && one.fresh()) continue;
    // As it stood: of what a host is not shown it writes nothing.
    const Message& stood = one.fresh() ? one.is : *one.was;
    Places counted = *places;
    if (AtHost(stood) == HOST_SEES_NOTHING) {
      for (auto it = counted.begin(); it != counted.end();) {
        it = it->second == GUEST ? counted.erase(it) : std::next(it);
      }
    }
    if (!Acts(one.is, counted, {})) return "not a writer";
    const Sight sight = SightOn(stood, SightIn(counted));
    for (const FieldDescriptor* field : one.written) {
      if (Restricted(*field) && !MayWrite(sight, *field)) {
        return absl::StrCat("may not write ", field->name());
      }
    }
  }
  for (const FieldDescriptor* field : one.written) {
    const std::vector<int> kinds = WrittenAt(one.is, *field);
    if (!kinds.empty() && !Acts(one.is, one.stood(), kinds)) {
      return absl::StrCat("may not write ", field->name(), " from there");
    }
  }
  return "";
}

// Whoever is affected takes part; and a place is what its kind says.
std::string Authority::NotPlaced(const Case& one) const {
  const auto moved = [](const Places& from, const Places& to) {
    Places moved;
    std::set_difference(from.begin(), from.end(), to.begin(), to.end(),
                        std::inserter(moved, moved.end()));
    return moved;
  };
  for (const auto& [scope, place] : moved(one.after, one.before)) {
    if (scope == one.key.id && OptionsOf(one.is).own_scope() == place) continue;
    // Of what waited it is enough that they were there when it was made (NotBelonging).
    if (place == PERSON && claim_.taken) continue;
    if (!IsA(IsOrganisations(place) ? OWNER : PERSON, scope)) {
      return absl::StrCat(Place_Name(place), " is no such thing");
    }
    if (place == OWNER && OfficesIn(scope) == 0 && claim_.shown_at != scope) {
      return "kept by an organisation that they have nothing to do with";
    }
    if (place == PERSON && !NamesWhomItKeeps(one.is) && !IsOwn(scope.str())) {
      return "put into somebody's person";
    }
  }
  for (const Places& places : {moved(one.after, one.before), moved(one.before, one.after)}) {
    for (const auto& [scope, place] : places) {
      // What was deleted hangs on nobody any more.
      const bool leaves_life = !one.lives && one.before.count({scope, place}) > 0;
      if (place == ABOVE && !leaves_life && (OfficesIn(scope) & kConsenting) == 0) {
        return "the superior has not consented";
      }
    }
  }
  return "";
}

std::string Authority::NotStepped(const Case& one) const {
  const FieldDescriptor* steps = StepsOf(one.is);
  if (steps == nullptr) return "";
  const auto& now = StepOf(one.is, *steps);
  const auto may_take = [&] { return Acts(one.is, one.stood(), TakersOf(now)); };
  const bool stepped = !one.lives ? now.number() != 0 : &StepOf(*one.was, *steps) != &now;
  if (stepped && !TakersOf(now).empty() && !may_take()) {
    return absl::StrCat("not their step: ", now.name());
  }
  const bool last_word = one.lives && !stepped && IsLastWord(now);
  for (const FieldDescriptor* field : one.written) {
    const auto& with = field->options().GetRepeatedExtension(zhibu::written_with);
    const auto& at = field->options().GetRepeatedExtension(zhibu::written_at);
    if (last_word && field != steps && with.empty() &&
        std::count(at.begin(), at.end(), ABOVE) == 0) {
      return absl::StrCat(field->name(), " is changed after ", now.name());
    }
    if (with.empty()) continue;
    if (std::count(with.begin(), with.end(), now.name()) == 0) {
      return absl::StrCat(field->name(), " does not come with ", now.name());
    }
    if (!may_take()) return absl::StrCat(field->name(), " is theirs who step to ", now.name());
  }
  return "";
}

bool Authority::Belongs(const std::string& person, const std::string& branch, bool guests_too,
                        bool once) const {
  bool belongs = false;
  const auto look = [&](const Message& message) {
    belongs = belongs || IsPlacedIn(message, person, branch) ||
              (guests_too && IsStayAt(message, person, branch));
  };
  ledger_.ForEach<Placement>(look);
  ledger_.ForEach<Flow>(look);
  for (const auto& [key, expected] : made_) {
    if (expected.alive) look(*expected.message);
  }
  static const std::set<uint32_t> kTelling = {
      TypeOf(Placement::descriptor()), TypeOf(Flow::descriptor()), TypeOf(Member::descriptor())};
  for (const auto& [key, record] : ledger_.records()) {
    if (!once || belongs || record.expected.message == nullptr) continue;
    if (kTelling.count(key.type) == 0) continue;
    // As it was after each of its changes.
    History history;
    for (const Accepted& accepted : record.history) {
      history.push_back(accepted);
      const Expected then = Evaluate(*record.expected.message, history);
      look(*then.message);
      const Places lay = PlacesIn(*then.message, key.id);
      belongs = belongs || (guests_too && key.id.bytes() == person &&
                            std::any_of(lay.begin(), lay.end(), [&](const auto& place) {
                              return place.first.bytes() == branch;
                            }));
    }
  }
  return belongs;
}

// The person that a record is about belongs to whoever keeps it.
std::string Authority::NotBelonging(const Case& one) const {
  const auto* type = one.is.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const auto& options = field->options();
    const std::string& named = options.GetExtension(zhibu::belongs_to);
    if (named.empty()) continue;
    const FieldDescriptor* owner = type->FindFieldByName(named);
    const std::string person = ValueOf(one.is, *field);
    if (person.empty()) continue;  // it is about nobody
    const std::string branch = ValueOf(one.is, *owner);
    const bool as_before =
        one.lives && ValueOf(*one.was, *field) == person && ValueOf(*one.was, *owner) == branch;
    if (as_before || one.change.kind() == Change::DELETE) continue;
    // Of what waited it is enough that they belonged when it was made.
    if (Belongs(person, branch, options.GetExtension(zhibu::guests_too), claim_.taken)) continue;
    if (options.GetExtension(zhibu::by_code) && claim_.shown_at == Id::FromBytes(branch)) continue;
    return absl::StrCat(field->name(), " does not belong to ", named);
  }
  return "";
}

std::string Authority::NotKeptTogether(const Case& one) const {
  const auto* type = one.is.GetDescriptor();
  const std::set<Id> owners = OwnersOf(one.is, one.key.id);
  if (one.was != nullptr && OwnersOf(*one.was, one.key.id) == owners) return "";
  for (int i = 0; i < type->field_count(); ++i) {
    const std::string& named = type->field(i)->options().GetExtension(zhibu::kept_with);
    if (named.empty()) continue;
    const auto id = Id::FromBytes(ValueOf(one.is, *type->field(i)));
    for (const auto& [number, prototype] : Types()) {
      if (!id || prototype->GetDescriptor()->name() != named) continue;
      const Message* other = EverThere({number, *id});
      // The code is the branch's word that it is theirs.
      if (other == nullptr && claim_.shown_at && owners.count(*claim_.shown_at) > 0) continue;
      if (other == nullptr) return absl::StrCat("nobody has heard of the ", named);
      if (OwnersOf(*other, *id) != owners) {
        return absl::StrCat("not kept where the ", named, " is");
      }
      if (named == type->name() && PersonsOf(*other, *id) != PersonsOf(one.is, one.key.id)) {
        return absl::StrCat("takes back a ", named, " of somebody else");
      }
    }
  }
  return "";
}

// Nobody finds out who they are themselves, and everybody agrees for themself alone.
std::string Authority::NotDecided(const Case& one) const {
  const auto* same = dynamic_cast<const DuplicatePerson*>(&one.is);
  if (same == nullptr) return "";
  const auto* was = dynamic_cast<const DuplicatePerson*>(one.was);
  const bool concerned = IsOwn(same->first_id()) || IsOwn(same->second_id());
  const bool stepped = was == nullptr || was->state() != same->state();
  const bool found = stepped && same->state() != DuplicatePerson::UNDONE;
  const bool turned = was != nullptr && was->kept_id() != same->kept_id();
  if (concerned && (found || turned)) return "they decide on themselves";
  for (const std::string& agreed : same->agreed_ids()) {
    const bool before = was != nullptr &&
                        std::count(was->agreed_ids().begin(), was->agreed_ids().end(), agreed) > 0;
    if (!before && !IsOwn(agreed)) return "they agree for another";
    if (!before && same->state() != DuplicatePerson::AGREED) return "nobody has asked";
  }
  return "";
}

// Those who keep a record note who has done something, if they could have done it.
bool IsNotedByOwner(const Message& record, const FieldDescriptor& name) {
  const FieldDescriptor* steps = StepsOf(record);
  if (steps == nullptr || name.options().GetRepeatedExtension(zhibu::written_with).empty()) {
    return true;
  }
  const std::vector<int> takers = TakersOf(StepOf(record, *steps));
  return takers.empty() || std::count(takers.begin(), takers.end(), OWNER) > 0;
}

// Nobody speaks in somebody else's name, but those who keep the record of others.
std::string Authority::NotSpoken(const Case& one) const {
  const std::set<std::string> author = ledger_.EntriesOf(claim_.author);
  const auto is_about_author = [&] {
    return std::any_of(one.stood().begin(), one.stood().end(), [&](const auto& place) {
      return place.second == PERSON && author.count(place.first.str()) > 0;
    });
  };
  const std::unique_ptr<Message> set(one.is.New());
  set->ParsePartialFromString(one.change.set());
  const Sayings before = one.lives ? SayingsIn(*one.was) : Sayings();
  for (const auto& [way, value] : SayingsIn(*set)) {
    const auto& by = value->options().GetRepeatedExtension(zhibu::said_by);
    const std::vector<int> kinds(by.begin(), by.end());
    if (before.count(way) > 0 || Acts(one.is, one.stood(), kinds)) continue;
    if (std::count(kinds.begin(), kinds.end(), PERSON) > 0 && is_about_author()) continue;
    return absl::StrCat("not for them to say: ", way);
  }
  const auto is_another = [&](const std::string& person) {
    return Id::FromBytes(person) && author.count(person) == 0;
  };
  for (const FieldDescriptor* field : one.written) {
    const auto& options = field->options();
    const std::string& teller = options.GetExtension(zhibu::word_of);
    const FieldDescriptor& name =
        teller.empty() ? *field : *one.is.GetDescriptor()->FindFieldByName(teller);
    if (Acts(one.is, one.stood(), {OWNER}) && IsNotedByOwner(one.is, name)) continue;
    if (!teller.empty() && one.lives && is_another(ValueOf(*one.was, name))) {
      return absl::StrCat(field->name(), " is another's word");
    }
    if (!options.GetExtension(zhibu::names_author)) continue;
    const std::string person = ValueOf(*set, *field);
    if (!is_another(person) || (one.lives && ValueOf(*one.was, *field) == person)) continue;
    return absl::StrCat(field->name(), " names somebody else");
  }
  return "";
}

bool Authority::IsOwn(const std::string& person) const {
  return ledger_.EntriesOf(claim_.decider).count(person) > 0;
}

// Whom the server lets see a record as a guest: the person's home, and hosts that have
// accepted them.
void Ledger::JudgePlaces(const Row& row, const std::map<RecordKey, Expected>& made) {
  for (const auto& [key, expected] : made) {
    const Message& is = *expected.message;
    const Record* record = Find(key);
    const Message* was = record == nullptr ? nullptr : record->expected.message.get();
    if (expected.unclear || !expected.alive || IsTold(is)) continue;
    std::set<std::string> persons;
    for (const auto& [scope, place] : PlacesIn(is, key.id)) {
      if (place != PERSON) continue;
      for (const std::string& entry : EntriesOf(scope)) persons.insert(entry);
    }
    const Places before = was == nullptr ? Places() : PlacesIn(*was, key.id);
    const auto has_to_do = [&](const Id& branch) {
      bool has = false;
      const auto look = [&](const Message& message) {
        for (const std::string& person : persons) {
          has = has || IsPlacedIn(message, person, branch.str()) ||
                IsStayAt(message, person, branch.str());
        }
      };
      ForEach<Placement>(look);
      ForEach<Flow>(look);
      for (const auto& [other, changed] : made) look(*changed.message);
      return has;
    };
    // Who keeps a record is told where its person is as long as they have to do with each
    // other; of a check-in by code, that was that person's own doing.
    const std::set<Id> keepers = OwnersOf(is, key.id);
    const auto* check_in = dynamic_cast<const records::v1::CheckIn*>(&is);
    const bool told = keepers.empty() || OptionsOf(is).own_scope() == PERSON ||
                      (check_in != nullptr && check_in->standing() != 0) ||
                      std::any_of(keepers.begin(), keepers.end(), has_to_do);
    for (const auto& [scope, place] : ComposedGuests(is)) {
      if (before.count({scope, place}) > 0) continue;
      if (!has_to_do(scope)) {
        Doubt(row.audit, kAuthority,
              absl::StrCat(NameOf(key), ": shown to a host before it accepts"), key);
      } else if (!told) {
        Doubt(row.audit, kAuthority,
              absl::StrCat(NameOf(key), ": tells a former branch where its person is"), key);
      }
    }
  }
}

}  // namespace zhibu::sim
