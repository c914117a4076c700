// Every type of record, everybody's relation to it, every operation: what the server does
// against what the declarations say, worked out here from the descriptors by other code
// than the server's. And docs/authority.md, whose tables are made from the same.
#include <gmock/gmock.h>
#include <google/protobuf/message.h>

#include <map>
#include <set>

#include "absl/strings/str_join.h"
#include "server/authority/authority.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "tests/support/asked.h"
#include "tests/support/made_page.h"
#include "tests/support/raw_edits.h"
#include "tests/support/specimen.h"
#include "tests/support/village.h"
#include "tests/support/world.h"

namespace zhibu::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using sync::v1::Change;

// ---- What is declared ------------------------------------------------------------

using OfficeSet = std::set<int>;

template <typename Values>
std::set<int> SetOf(const Values& values) {
  return {values.begin(), values.end()};
}
const RecordOptions& OptionsOf(const Descriptor& type) {
  return type.options().GetExtension(zhibu::record);
}
Place PlaceOfField(const FieldDescriptor& field) {
  return field.options().GetExtension(zhibu::place);
}
bool ByServer(const FieldDescriptor& field) {
  return field.options().GetExtension(zhibu::merge) == SERVER;
}
std::vector<const FieldDescriptor*> FieldsOf(const Descriptor& type) {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type.field_count(); ++i) fields.push_back(type.field(i));
  return fields;
}
// The field with steps; null where there is none.
const FieldDescriptor* StepsOf(const Descriptor& type) {
  for (const FieldDescriptor* field : FieldsOf(type)) {
    if (field->options().GetExtension(zhibu::merge) == FORWARD) return field;
  }
  return nullptr;
}
std::vector<const EnumValueDescriptor*> NextOf(const EnumValueDescriptor& from) {
  std::vector<const EnumValueDescriptor*> next;
  for (int n = 0; n < from.options().ExtensionSize(zhibu::next); ++n) {
    next.push_back(from.type()->FindValueByName(from.options().GetExtension(zhibu::next, n)));
  }
  return next;
}
std::set<int> TakersOf(const EnumValueDescriptor& value) {
  return SetOf(value.options().GetRepeatedExtension(zhibu::taken_by));
}

// ---- Who they are ------------------------------------------------------------------

struct Who {
  std::string label;
  Id person;
  std::map<Id, OfficeSet> now;
  std::map<Id, OfficeSet> ended;

  // What counts in a place of that kind.
  OfficeSet In(Place place, const Id& scope, bool once) const {
    if (place == PERSON) return scope == person ? OfficeSet{SELF} : OfficeSet{};
    OfficeSet offices;
    const auto add = [&](const std::map<Id, OfficeSet>& from) {
      const auto it = from.find(scope);
      if (it != from.end()) offices.insert(it->second.begin(), it->second.end());
    };
    add(now);
    if (once) add(ended);
    return offices;
  }
};

using Lies = std::vector<std::pair<Place, Id>>;

Lies PlacesIn(const Message& record, const Id& id) {
  Lies places;
  const Place own = OptionsOf(*record.GetDescriptor()).own_scope();
  if (own != NOWHERE) places.emplace_back(own, id);
  const auto& reflection = *record.GetReflection();
  for (const FieldDescriptor* field : FieldsOf(*record.GetDescriptor())) {
    if (PlaceOfField(*field) == NOWHERE) continue;
    const auto add = [&](const std::string& bytes) {
      if (const auto scope = Id::FromBytes(bytes))
        places.emplace_back(PlaceOfField(*field), *scope);
    };
    if (!field->is_repeated()) add(reflection.GetString(record, field));
    for (int i = 0; field->is_repeated() && i < reflection.FieldSize(record, field); ++i) {
      add(reflection.GetRepeatedString(record, field, i));
    }
  }
  return places;
}

bool Acts(const Who& who, const OfficeSet& asked, const Lies& places, bool as_host,
          const std::set<int>& kinds, bool once) {
  for (const auto& [place, scope] : places) {
    if (place == GUEST && !as_host) continue;
    if (!kinds.empty() && kinds.count(place) == 0) continue;
    for (const int office : who.In(place, scope, once)) {
      if (asked.count(office) > 0) return true;
    }
  }
  return false;
}

// ---- What is expected of each ---------------------------------------------------------

class Expected {
 public:
  explicit Expected(const Message& record, const Id& id, const Who& who)
      : type_(*record.GetDescriptor()), options_(OptionsOf(type_)), who_(who) {
    places_ = PlacesIn(record, id);
    hosts_see_ = HostsSee(record);
    const FieldDescriptor* steps = StepsOf(type_);
    if (steps != nullptr) begun_ = TakersOf(*record.GetReflection()->GetEnum(record, steps));
  }

  bool Sees() const {
    OfficeSet readers = SetOf(options_.readers());
    // What is about a meeting is for those who read the meeting.
    if (ReadsAsAnother()) {
      const OfficeSet both = SetOf(OptionsOf(*records::v1::Meeting::descriptor()).readers());
      for (auto it = readers.begin(); it != readers.end();) {
        it = both.count(*it) > 0 ? std::next(it) : readers.erase(it);
      }
    }
    return Acts(who_, readers, places_, hosts_see_, {}, false);
  }
  std::string Create() const {
    if (options_.made_by_server()) return "RETURNED SERVER_ONLY";
    for (const bool once : {false, true}) {
      bool may = Writes(once);
      for (const auto& [place, scope] : places_) {
        if (place == OWNER && who_.In(place, scope, once).empty()) may = false;
      }
      if (!may) continue;
      if (!Begins(once)) return once ? "HELD GRANT_ENDED" : "RETURNED NOT_YOUR_STEP";
      return once ? "HELD GRANT_ENDED" : "MERGED";
    }
    return "RETURNED NOT_ENTITLED";
  }
  std::string Change() const { return Outcome({}); }
  std::string Delete() const {
    if (options_.permanent()) return "RETURNED PERMANENT";
    // Those who are shown it have no say in whether it is there.
    if (options_.made_by_server()) return "RETURNED SERVER_ONLY";
    const std::string outcome = Outcome({OWNER, PERSON});
    // Nor have those who could not have taken it to where it is.
    return outcome == "MERGED" && !Begins(false) ? "RETURNED NOT_YOUR_STEP" : outcome;
  }
  std::string Step(const EnumValueDescriptor& to) const {
    if (Change() != "MERGED") return Change();
    std::set<int> takers = TakersOf(to);
    if (takers.empty() && AsksAbove() && !HasTakers(*to.type())) takers = {OWNER, GUEST, PERSON};
    const bool takes = takers.empty() || Acts(who_, SetOf(options_.writers()), places_,
                                              !options_.written_at_home(), takers, false);
    return takes ? "MERGED" : "RETURNED NOT_YOUR_STEP";
  }

 private:
  static constexpr char kEnded[] = "HELD GRANT_ENDED";

  // Whether the server shows it to who stands above its keeper.
  bool AsksAbove() const {
    const auto fields = FieldsOf(type_);
    return std::any_of(fields.begin(), fields.end(), [](const FieldDescriptor* field) {
      return PlaceOfField(*field) == ABOVE && ByServer(*field);
    });
  }
  static bool HasTakers(const EnumDescriptor& states) {
    for (int i = 0; i < states.value_count(); ++i) {
      if (!TakersOf(*states.value(i)).empty()) return true;
    }
    return false;
  }
  // Once they have been asked, and as long as they have not said no.
  static bool HostsSee(const Message& record) {
    const auto& reflection = *record.GetReflection();
    const FieldDescriptor* steps = StepsOf(*record.GetDescriptor());
    if (steps == nullptr) return true;
    std::vector<const FieldDescriptor*> filled;
    reflection.ListFields(record, &filled);
    for (const FieldDescriptor* field : filled) {
      if (field->options().GetExtension(zhibu::taken_by_host)) return true;
    }
    const auto& state = *reflection.GetEnum(record, steps);
    return state.options().GetExtension(zhibu::at_host) != HOST_SEES_NOTHING;
  }
  bool Writes(bool once, const std::set<int>& kinds = {}) const {
    return Acts(who_, SetOf(options_.writers()), places_, !options_.written_at_home(), kinds, once);
  }
  // Of a new one: the step that it begins at is theirs.
  bool Begins(bool once) const { return begun_.empty() || Writes(once, begun_); }
  // Of what only those may do who write it in a place of these kinds.
  std::string Outcome(const std::set<int>& kinds) const {
    const bool now = Writes(false, kinds), ever = Writes(true, kinds);
    if (Sees()) return now ? "MERGED" : ever ? kEnded : "RETURNED NOT_ENTITLED";
    return ever && !now ? kEnded : "RETURNED NO_SUCH_RECORD";
  }
  bool ReadsAsAnother() const {
    const std::vector<const FieldDescriptor*> fields = FieldsOf(type_);
    return std::any_of(fields.begin(), fields.end(), [](const FieldDescriptor* field) {
      return field->options().GetExtension(zhibu::reads_as);
    });
  }

  const Descriptor& type_;
  const RecordOptions& options_;
  const Who& who_;
  Lies places_;
  bool hosts_see_ = true;
  std::set<int> begun_;  // who takes the step that it stands at
};

// ---- The small worlds -------------------------------------------------------------------

class AuthorityTable : public ::testing::TestWithParam<std::string> {
 protected:
  AuthorityTable() {
    records::v1::Organisation below = world.Get<records::v1::Organisation>(branch);
    below.set_parent_id(above.str());
    world.Write(below, branch);
    for (const Office office : {SECRETARY, DEPUTY, COMMITTEE, GROUP_LEADER}) {
      Add(absl::StrCat(Office_Name(office), " at home"), branch, branch, office);
      Add(absl::StrCat(Office_Name(office), " at the host"), host, host, office);
      Add(absl::StrCat(Office_Name(office), " above"), above, above, office);
      Add(absl::StrCat(Office_Name(office), " elsewhere"), other, other, office);
      Add(absl::StrCat(Office_Name(office), " once"), other, branch, office, /*ended=*/true);
    }
    Add("member at home", branch, branch, OFFICE_UNSPECIFIED);
    Add("member at the host", host, host, OFFICE_UNSPECIFIED);
    world.Wait(60'000);
    for (Who& who : everybody) {
      for (const auto& [scope, offices] : who.ended) {
        for (const int office : offices)
          world.Dismiss(who.person, scope, static_cast<Office>(office));
      }
      raws.push_back(std::make_unique<Raw>(world, who.person));
    }
    world.Wait(1000);
  }

  void Add(const std::string& label, const Id& placed, const Id& acts, Office office,
           bool ended = false) {
    Who who;
    who.label = label;
    who.person = world.Person("某", placed);
    who.now[placed].insert(MEMBER);
    if (office != OFFICE_UNSPECIFIED) {
      world.Appoint(who.person, acts, office);
      (ended ? who.ended : who.now)[acts].insert(office);
    }
    everybody.push_back(who);
  }

  const Descriptor& type() { return *world.schema()->FindByName(GetParam())->descriptor; }
  Id NewId() { return world.fate().environment().NewId(); }
  // The id, unless one follows from the fields.
  Id Given(const Id& id) { return OptionsOf(type()).id_from().empty() ? id : Id(); }

  // Somebody of the branch who stays at the host.
  Id Subject(bool placed = true) {
    const Id subject = NewId();
    records::v1::Member member;
    member.set_branch_id(branch.str());
    member.set_name("王");
    world.Write(member, subject);
    if (!placed) return subject;
    world.Place(subject, branch);
    records::v1::Flow stay;
    stay.set_member_id(subject.str());
    stay.set_home_branch_id(branch.str());
    stay.set_host_branch_id(host.str());
    const Id flow = NewId();
    for (const auto state : {records::v1::Flow::REPORTED, records::v1::Flow::ACCEPTED}) {
      stay.set_state(state);
      world.Write(stay, flow);
    }
    return subject;
  }

  // Of the type, about the subject, kept by the branch. `server`: with what only the
  // server writes.
  std::unique_ptr<Message> Record(const Id& subject, bool server) {
    return Record(type(), subject, server);
  }
  std::unique_ptr<Message> Record(const Descriptor& descriptor, const Id& subject, bool server) {
    std::unique_ptr<Message> record(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(&descriptor)->New());
    const auto& reflection = *record->GetReflection();
    for (const FieldDescriptor* field : FieldsOf(descriptor)) {
      const auto& options = field->options();
      if (ByServer(*field) && !server) continue;
      const auto set = [&](const std::string& value) {
        field->is_repeated() ? reflection.AddString(record.get(), field, value)
                             : reflection.SetString(record.get(), field, value);
      };
      switch (PlaceOfField(*field)) {
        case PERSON:
          set(subject.str());
          continue;
        case OWNER:
          set(branch.str());
          continue;
        case GUEST:
          if (!ByServer(*field)) set(host.str());
          continue;
        case ABOVE:
          if (field->name() != "host_parent_id") set(above.str());
          continue;
        default:
          break;
      }
      std::string with = options.GetExtension(zhibu::kept_with);
      if (with.empty() && options.GetExtension(zhibu::required)) {
        with = options.GetExtension(zhibu::refers_to);
      }
      if (with == descriptor.name()) continue;  // one that takes another of its kind back
      if (!with.empty()) {
        set(Companion(*world.schema()->FindByName(with), subject).str());
      } else if (field->name() == "record_id" || field->name() == "reader_id") {
        set(NewId().str());
      } else if (options.GetExtension(zhibu::reads_as)) {
        reflection.SetUInt32(record.get(), field, 31);
      } else if (field->name() == "field") {
        set("place");
      } else if (field == StepsOf(descriptor)) {
        reflection.SetEnum(record.get(), field,
                           NextOf(*field->enum_type()->FindValueByNumber(0))[0]);
      } else if (options.GetExtension(zhibu::required) || MakesId(*field)) {
        Fill(field, record.get());
      }
    }
    if (auto* rules = dynamic_cast<records::v1::RuleSupplement*>(record.get())) {
      rules->set_text(kAnyRule);
    }
    return record;
  }
  // What it is kept with, where the branch keeps it.
  Id Companion(const RecordType& with, const Id& subject) {
    const std::unique_ptr<Message> record = Record(*with.descriptor, subject, /*server=*/true);
    const Id id =
        with.id_from.empty() ? NewId() : DeriveId(with, record->SerializePartialAsString()).value();
    world.Write(*record, id);
    return id;
  }
  static void Copy(const FieldDescriptor* field, const Message& from, Message* to) {
    std::unique_ptr<Message> only(from.New());
    only->CopyFrom(from);
    for (const FieldDescriptor* other : FieldsOf(*from.GetDescriptor())) {
      if (other != field) only->GetReflection()->ClearField(only.get(), other);
    }
    to->GetReflection()->ClearField(to, field);
    to->MergeFrom(*only);
  }
  // Wherever it names the one, it names the other.
  static void Rename(const Id& one, const Id& other, Message* record) {
    const auto& reflection = *record->GetReflection();
    for (const FieldDescriptor* field : FieldsOf(*record->GetDescriptor())) {
      if (field->type() != FieldDescriptor::TYPE_BYTES || field->is_repeated()) continue;
      if (reflection.GetString(*record, field) == one.bytes()) {
        reflection.SetString(record, field, other.str());
      }
    }
  }
  // In the keeping of that organisation.
  static void Keep(const Id& keeper, Message* record) {
    for (const FieldDescriptor* field : FieldsOf(*record->GetDescriptor())) {
      if (PlaceOfField(*field) != OWNER || ByServer(*field) || field->is_repeated()) continue;
      record->GetReflection()->SetString(record, field, keeper.str());
    }
  }
  static bool MakesId(const FieldDescriptor& field) {
    const auto& from = OptionsOf(*field.containing_type()).id_from();
    return std::count(from.begin(), from.end(), field.name()) > 0;
  }
  void Fill(const FieldDescriptor* field, Message* record) {
    const auto& reflection = *record->GetReflection();
    const Format format = field->options().GetExtension(zhibu::format);
    switch (field->type()) {
      case FieldDescriptor::TYPE_INT64:
        return reflection.SetInt64(record, field, 500);
      case FieldDescriptor::TYPE_UINT32:
        return reflection.SetUInt32(record, field, ++number_);  // a year, so that it is another
      case FieldDescriptor::TYPE_ENUM:  // an office: one that gives nobody anything here
        return reflection.SetEnumValue(record, field, GROUP_LEADER);
      case FieldDescriptor::TYPE_BYTES:
        return reflection.SetString(record, field, NewId().str());
      default:
        break;
    }
    const char* month = format == MONTH ? "2026-11" : "某";
    reflection.SetString(record, field,
                         format == DATE || format == DAY_OR_MONTH ? "2026-11-18" : month);
  }

  // Written by the server; as it then stands.
  std::pair<Id, std::unique_ptr<Message>> Stored(const Id& subject,
                                                 const EnumValueDescriptor* state) {
    std::unique_ptr<Message> record = Record(subject, /*server=*/true);
    if (GetParam() == "Transfer") {
      auto& letter = static_cast<records::v1::Transfer&>(*record);
      letter.set_letter_number("1");
      letter.set_issued("2026-11-18");
      letter.set_valid_until("2027-01-18");
    }
    const RecordType& rule = *world.schema()->FindByName(GetParam());
    Id id = GetParam() == "Member" ? subject : NewId();
    if (GetParam() == "Organisation") id = branch;
    if (!rule.id_from.empty()) id = DeriveId(rule, record->SerializePartialAsString()).value();
    for (const EnumValueDescriptor* step : PathTo(state)) {
      record->GetReflection()->SetEnum(record.get(), StepsOf(type()), step);
      world.Write(*AsShown(*record), id);
    }
    if (state == nullptr) world.Write(*AsShown(*record), id);
    record->ParsePartialFromString(world.StateOf({rule.number, id}).body);
    return {id, std::move(record)};
  }

  // Without the superior, where that has not been asked yet.
  static std::unique_ptr<Message> AsShown(const Message& record) {
    std::unique_ptr<Message> shown(record.New());
    shown->CopyFrom(record);
    for (const FieldDescriptor* field : FieldsOf(*record.GetDescriptor())) {
      if (PlaceOfField(*field) == ABOVE && ByServer(*field) && !IsAsked(record)) {
        shown->GetReflection()->ClearField(shown.get(), field);
      }
    }
    return shown;
  }

  // The declared steps that lead there.
  static std::vector<const EnumValueDescriptor*> PathTo(const EnumValueDescriptor* state) {
    if (state == nullptr) return {};
    std::map<const EnumValueDescriptor*, std::vector<const EnumValueDescriptor*>> paths;
    std::vector<const EnumValueDescriptor*> level = {state->type()->FindValueByNumber(0)};
    while (paths.count(state) == 0 && !level.empty()) {
      std::vector<const EnumValueDescriptor*> further;
      for (const EnumValueDescriptor* from : level) {
        const std::vector<const EnumValueDescriptor*> path = paths[from];
        for (const EnumValueDescriptor* to : NextOf(*from)) {
          if (!paths.try_emplace(to, path).second) continue;
          paths[to].push_back(to);
          further.push_back(to);
        }
      }
      level = std::move(further);
    }
    return paths[state];
  }

  // For everybody, and for whom it is about.
  void ForEach(const std::function<void(const Who&, Raw&, const Id& subject)>& ask,
               bool placed = true) {
    for (size_t i = 0; i < everybody.size(); ++i) {
      SCOPED_TRACE(absl::StrCat(GetParam(), ": ", everybody[i].label));
      ask(everybody[i], *raws[i], Subject(placed));
    }
    SCOPED_TRACE(absl::StrCat(GetParam(), ": self"));
    const Id subject = Subject(placed);
    Who self;
    self.person = subject;
    if (placed) self.now[branch].insert(MEMBER);
    Raw raw(world, subject);
    ask(self, raw, subject);
  }

  // A field that any writer may change, and nothing else says how.
  const FieldDescriptor* PlainField() {
    const RecordType& rule = *world.schema()->FindByName(GetParam());
    for (const FieldDescriptor* field : FieldsOf(type())) {
      const FieldRule& one = *rule.fields.Find(static_cast<uint32_t>(field->number()));
      if (one.policy != LATEST || one.place != NOWHERE || one.identity || one.written_at != 0 ||
          !one.written_with.empty() || field->is_repeated() || one.format != ANY ||
          !one.descriptor->options().GetExtension(zhibu::kept_with).empty() ||
          std::count(rule.restricted.begin(), rule.restricted.end(), &one) > 0) {
        continue;
      }
      if (field->type() == FieldDescriptor::TYPE_STRING) return field;
    }
    return nullptr;
  }

  World world;
  const Id branch = world.Branch("青石村党支部");
  const Id host = world.Branch("驻滨海市流动党支部");
  const Id above = world.Branch("镇党委");
  const Id other = world.Branch("云溪村党支部");
  std::vector<Who> everybody;
  std::vector<std::unique_ptr<Raw>> raws;
  uint32_t number_ = 2000;
};

TEST_P(AuthorityTable, WhoMakesOne) {
  ForEach(
      [&](const Who& who, Raw& raw, const Id& subject) {
        const std::unique_ptr<Message> record = Record(subject, /*server=*/false);
        const Id id = NewId();
        EXPECT_EQ(raw.Answer({raw.Create(*record, Given(id))}),
                  Expected(*record, id, who).Create());
      },
      /*placed=*/GetParam() != "Placement");
}

TEST_P(AuthorityTable, WhoSeesOne) {
  ForEach([&](const Who& who, Raw& raw, const Id& subject) {
    const auto stored = Stored(subject, nullptr);
    const auto& id = std::get<0>(stored);
    const auto& record = std::get<1>(stored);
    const uint32_t number = OptionsOf(type()).type();
    const RecordState state = world.StateOf({number, id});
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const Offices offices, OfficesOf(reader, who.person, world.now_ms()));
      EXPECT_EQ(
          server::MaySee(*world.schema(), *world.schema()->Find(number), offices, id, state.body),
          Expected(*record, id, who).Sees());
      return absl::OkStatus();
    }),
              absl::OkStatus());
    (void)raw;
  });
}

TEST_P(AuthorityTable, WhoChangesAndWhoDeletesOne) {
  const FieldDescriptor* field = PlainField();
  ForEach([&](const Who& who, Raw& raw, const Id& subject) {
    const auto [id, record] = Stored(subject, nullptr);
    const Expected expected(*record, id, who);
    if (field != nullptr) {
      std::unique_ptr<Message> set(record->New());
      set->GetReflection()->SetString(set.get(), field, "改");
      EXPECT_EQ(raw.Answer({raw.Update(*set, id)}), expected.Change()) << field->name();
    }
    if (GetParam() == "Organisation" || GetParam() == "Member") return;  // all hangs on it
    EXPECT_EQ(raw.Answer({raw.Deletion(OptionsOf(type()).type(), id)}), expected.Delete());
  });
}

TEST_P(AuthorityTable, WhoTakesWhichStep) {
  const FieldDescriptor* field = StepsOf(type());
  if (field == nullptr || GetParam() == "Organisation") return;
  if (GetParam() == "HeldEdit") return;  // a decision is about an edit: roles_test.cc
  for (int i = 0; i < field->enum_type()->value_count(); ++i) {
    const EnumValueDescriptor& from = *field->enum_type()->value(i);
    if (from.number() == 0) continue;
    for (const EnumValueDescriptor* to : NextOf(from)) {
      SCOPED_TRACE(absl::StrCat(from.name(), " → ", to->name()));
      ForEach([&](const Who& who, Raw& raw, const Id& subject) {
        const auto [id, record] = Stored(subject, &from);
        std::unique_ptr<Message> set(record->New());
        set->GetReflection()->SetEnum(set.get(), field, to);
        EXPECT_EQ(raw.Answer({raw.Update(*set, id)}), Expected(*record, id, who).Step(*to));
      });
    }
  }
}

// OWNER or ABOVE a person, PERSON an organisation, GUEST a person, ids of nobody.
TEST_P(AuthorityTable, NobodyGainsByAPlaceOfTheWrongKind) {
  const uint32_t number = OptionsOf(type()).type();
  for (const FieldDescriptor* field : FieldsOf(type())) {
    if (PlaceOfField(*field) == NOWHERE || ByServer(*field)) continue;
    ForEach(
        [&](const Who& who, Raw& raw, const Id& subject) {
          const std::vector<Id> wrong = PlaceOfField(*field) == PERSON
                                            ? std::vector<Id>{branch, host, other, NewId()}
                                            : std::vector<Id>{who.person, subject, NewId()};
          for (const Id& scope : wrong) {
            const std::unique_ptr<Message> record = Record(subject, /*server=*/false);
            record->GetReflection()->SetString(record.get(), field, scope.str());
            const Change change = raw.Create(*record, Given(NewId()));
            EXPECT_THAT(raw.Answer({change}), ::testing::Not("MERGED")) << field->name();
            EXPECT_FALSE(world.StateOf({number, *Id::FromBytes(change.id())}).exists)
                << field->name();
          }
        },
        /*placed=*/GetParam() != "Placement");
  }
}

// What is the answer to somebody who makes a record, where there is one under that id that
// they may neither see nor change, and where there is none?
TEST_P(AuthorityTable, WhoMakesWhatIsThereAndIsNotTheirsHearsWhatIsHeardWhereNothingIs) {
  const RecordType& rule = *world.schema()->FindByName(GetParam());
  const bool derived = !rule.id_from.empty();
  int asked = 0;
  ForEach([&](const Who& who, Raw& raw, const Id& subject) {
    const auto stored = Stored(subject, nullptr);
    const Expected expected(*stored.second, stored.first, who);
    if (expected.Sees()) return;
    // That the organisation is there in which they have had an office, they know.
    if (!who.In(rule.own_scope, stored.first, /*once=*/true).empty()) return;
    const Id nobody = Subject(GetParam() != "Placement");  // nothing is kept of them
    Raw lost(world, who.person);
    world.Revoke(lost.device());
    for (const Id& keeper : {branch, host, above, other, Id()}) {
      for (Raw* by : {&raw, &lost}) {
        SCOPED_TRACE(absl::StrCat("kept by ", world.Get<records::v1::Organisation>(keeper).name(),
                                  by == &lost ? ", from a phone that is revoked" : ""));
        std::unique_ptr<Message> made = Record(derived ? subject : nobody, /*server=*/false);
        Keep(keeper, made.get());
        for (const FieldDescriptor* field : FieldsOf(type())) {
          if (MakesId(*field)) Copy(field, *stored.second, made.get());
        }
        std::unique_ptr<Message> anew(made->New());
        anew->CopyFrom(*made);
        Rename(subject, nobody, anew.get());
        const auto none = by->AnswerOf({by->Create(*anew, Given(NewId()))});
        // Whoever may make one learns that an id is taken that they have not drawn.
        if (none.verdict() == sync::v1::MERGED) continue;
        const auto there = by->AnswerOf({by->Create(*made, Given(stored.first))});
        EXPECT_EQ(VerdictOf(there), VerdictOf(none));
        EXPECT_EQ(there.detail(), none.detail());
        ++asked;
      }
    }
  });
  EXPECT_GT(asked, 0);
}

// A branch's former member, of whom its secretary writes late: a colleague may find that
// it is right, and they themselves may not; what everybody has one of is where they are now.
TEST_P(AuthorityTable, NobodyDecidesOnWhatTheyWroteOfSomebodyWhoHasMovedAway) {
  const RecordOptions& options = OptionsOf(type());
  const auto fields = FieldsOf(type());
  const bool belongs = std::any_of(fields.begin(), fields.end(), [](const FieldDescriptor* field) {
    return PlaceOfField(*field) == PERSON &&
           (!field->options().GetExtension(zhibu::belongs_to).empty() ||
            !field->options().GetExtension(zhibu::kept_with).empty());
  });
  // Of some the secretary writes none.
  const auto& writers = options.writers();
  if (!belongs || std::count(writers.begin(), writers.end(), SECRETARY) == 0) return;
  const Id author = world.Person("甲", branch);
  const Id same = world.Person("甲", branch);  // as whom the author is registered, too
  const Id colleague = world.Person("乙", branch);
  for (const Id& one : {author, same, colleague}) world.Appoint(one, branch, SECRETARY);
  records::v1::DuplicatePerson merged;
  merged.set_first_id(std::min(author, same).str());
  merged.set_second_id(std::max(author, same).str());
  for (const auto state :
       {records::v1::DuplicatePerson::OPEN, records::v1::DuplicatePerson::MERGED}) {
    merged.set_state(state);
    world.Write(merged, Id());
  }
  const Id subject = Subject();
  world.Place(subject, other);
  const std::unique_ptr<Message> record = Record(subject, /*server=*/false);
  Raw writes(world, author);
  const Change made = writes.Create(*record, Given(NewId()));
  ASSERT_EQ(writes.Answer({made}), "HELD MOVED_AWAY");
  records::v1::HeldEdit taken;
  taken.set_state(records::v1::HeldEdit::TAKEN);
  const auto take = [&](const Id& by) {
    Raw decides(world, by);
    return decides.Answer({decides.Update(taken, HeldId(writes.edit()))});
  };
  const RecordKey key{options.type(), *Id::FromBytes(made.id())};
  const std::string before = world.StateOf(key).body;
  if (GetParam() == "Placement") {
    // The one that there is lies with the other branch, and so does what waits to change it.
    for (const Id& one : {author, same}) EXPECT_EQ(take(one), "RETURNED NOT_ENTITLED");
    EXPECT_EQ(take(colleague), "RETURNED NO_SUCH_RECORD");
    EXPECT_EQ(world.StateOf(key).body, before);
    return;
  }
  EXPECT_EQ(take(author), "HELD MOVED_AWAY");
  EXPECT_EQ(take(same), "HELD MOVED_AWAY");
  EXPECT_EQ(world.StateOf(key).body, before);
  const bool one_each = options.own_scope() != NOWHERE || options.id_from_size() == 1;
  // A letter or a pass asks where they belong in any case.
  const bool of_home = GetParam() == "Transfer" || GetParam() == "Pass";
  // Some are begun by the person alone.
  const FieldDescriptor* steps = StepsOf(type());
  const std::set<int> takers = steps == nullptr
                                   ? std::set<int>()
                                   : TakersOf(*record->GetReflection()->GetEnum(*record, steps));
  const bool of_person = takers == std::set<int>{PERSON};
  EXPECT_EQ(take(colleague), one_each    ? "HELD MOVED_AWAY"
                             : of_home   ? "RETURNED NOT_OF_BRANCH"
                             : of_person ? "RETURNED NOT_YOUR_STEP"
                                         : "MERGED");
}

std::vector<std::string> TypesOfTheCatalogue() {
  std::vector<std::string> names;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.name != "DuplicatePerson") names.push_back(type.name);  // persons_test.cc
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Catalogue, AuthorityTable, ::testing::ValuesIn(TypesOfTheCatalogue()),
                         [](const auto& info) { return info.param; });

// ---- docs/authority.md -----------------------------------------------------------------

constexpr char kMarker[] =
    "<!-- From here on made from the declarations: authority_table_test.cc -->\n";

std::string LabelOf(const FieldRule& rule) {
  const std::string& label = rule.descriptor->options().GetExtension(zhibu::label);
  return absl::StrCat("`", std::string(rule.descriptor->name()), "`", label.empty() ? "" : " ",
                      label);
}
std::string OfficeLabel(Office office) {
  return zhibu::Office_descriptor()->FindValueByNumber(office)->options().GetExtension(
      zhibu::value_label);
}
const char* Yes(bool yes) { return yes ? "yes" : "–"; }

// What somebody with these eyes does not see of it.
std::string Sight(const RecordType& type, const Eyes& eyes) {
  if (!eyes.Meet(type.readers)) return "–";
  std::vector<std::string> hidden;
  for (const FieldRule* rule : type.restricted) {
    if (!eyes.Meet(rule->readers)) hidden.push_back(std::string(rule->descriptor->name()));
  }
  return hidden.empty() ? "yes" : absl::StrCat("not ", absl::StrJoin(hidden, ", "));
}

std::string StepsFor(const RecordType& type, const Eyes& eyes, Place place) {
  if (!eyes.Meet(type.writers)) return "–";
  std::vector<std::string> steps;
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.policy != FORWARD) continue;
    const auto* values = rule.descriptor->enum_type();
    for (int i = 0; i < values->value_count(); ++i) {
      const auto* value = values->value(i);
      const auto takers = rule.taken_by.find(value->number());
      if (value->number() == 0) continue;
      if (takers != rule.taken_by.end() && (takers->second & BitOf(place)) == 0) continue;
      steps.push_back(value->options().GetExtension(value_label));
    }
  }
  return steps.empty() ? "–" : absl::StrJoin(steps, " ");
}

std::string Row(const RecordType& type, const std::string& who, const Eyes& eyes, Place place) {
  const bool writes = eyes.Meet(type.writers);
  const bool makes = writes && !type.made_by_server && place != GUEST && place != ABOVE;
  return absl::StrCat("| ", who, " | ", Sight(type, eyes), " | ", Yes(makes), " | ", Yes(writes),
                      " | ", Yes(makes && !type.permanent), " | ", StepsFor(type, eyes, place),
                      " |\n");
}

bool HasPlace(const RecordType& type, Place place) {
  return type.own_scope == place ||
         std::any_of(type.fields.rules().begin(), type.fields.rules().end(),
                     [&](const FieldRule& rule) { return rule.place == place; });
}

std::string Rows(const RecordType& type) {
  std::string rows;
  const auto add = [&](const std::string& where, Place place, bool as_host) {
    for (const Office office : {SECRETARY, DEPUTY, COMMITTEE, GROUP_LEADER, MEMBER}) {
      const uint32_t set = AudienceOf(office);
      const Eyes eyes = as_host ? Eyes{0, set} : Eyes{set, 0};
      if (!eyes.Meet(type.readers) && !eyes.Meet(type.writers)) continue;
      absl::StrAppend(&rows, Row(type, absl::StrCat(OfficeLabel(office), " ", where), eyes, place));
    }
  };
  if (HasPlace(type, OWNER)) add("of who keeps it", OWNER, false);
  if (HasPlace(type, GUEST)) add("of a host or home (GUEST)", GUEST, true);
  if (HasPlace(type, ABOVE)) add("of one above", ABOVE, false);
  const Eyes self{AudienceOf(SELF), 0};
  if (HasPlace(type, PERSON) && self.Meet(type.readers)) {
    absl::StrAppend(&rows, Row(type, OfficeLabel(SELF), self, PERSON));
  }
  const Eyes superior{AudienceOf(SUPERIOR), 0};
  if (superior.Meet(type.readers)) {
    absl::StrAppend(&rows,
                    Row(type, absl::StrCat(OfficeLabel(SUPERIOR), ", by query"), superior, ABOVE));
  }
  const char* once = type.writers == Eyes() ? "–" : "held";
  absl::StrAppend(&rows, "| who was one of these | – | ", type.made_by_server ? "–" : once, " | ",
                  once, " | ", type.made_by_server || type.permanent ? "–" : once, " | ", once,
                  " |\n", "| anybody else | – | – | – | – | – |\n");
  return rows;
}

void AddList(const std::string& head, const std::vector<std::string>& lines, std::string* text) {
  if (lines.empty()) return;
  absl::StrAppend(text, "\n", head, "\n\n");
  for (const std::string& line : lines) absl::StrAppend(text, "- ", line, "\n");
}

std::string PlacesLine(const FieldRule& rule) {
  std::string line = absl::StrCat(LabelOf(rule), ": ", Place_Name(rule.place));
  if (rule.policy == SERVER) absl::StrAppend(&line, ", by the server");
  if (rule.belongs_to != nullptr) {
    absl::StrAppend(&line, "; belongs to `", std::string(rule.belongs_to->descriptor->name()), "`",
                    rule.guests_too ? ", or is its guest" : "",
                    rule.by_code ? ", or was shown its code" : "");
  }
  if (rule.kept_with != nullptr) absl::StrAppend(&line, "; kept with their ", rule.kept_with->name);
  return line;
}

// Who says which of its values, or those of its elements' fields.
std::vector<std::string> WordsOf(const FieldRule& rule) {
  std::vector<std::string> words;
  const auto* values = rule.descriptor->enum_type();
  for (int i = 0; values != nullptr && i < values->value_count(); ++i) {
    const auto said = rule.said_by.find(values->value(i)->number());
    if (said == rule.said_by.end()) continue;
    std::vector<std::string> places;
    for (const Place place : {OWNER, GUEST, PERSON, ABOVE}) {
      if ((said->second & BitOf(place)) != 0) places.push_back(Place_Name(place));
    }
    words.push_back(absl::StrCat(values->value(i)->options().GetExtension(value_label), " said at ",
                                 absl::StrJoin(places, " or "), " only"));
  }
  if (rule.element == nullptr) return words;
  for (const FieldRule& inner : rule.element->rules()) {
    for (const std::string& word : WordsOf(inner)) words.push_back(word);
  }
  return words;
}

std::string FieldLine(const RecordType& type, const FieldRule& rule) {
  std::vector<std::string> says;
  if (rule.kept_with != nullptr && rule.place == NOWHERE) {
    says.push_back(absl::StrCat("kept with the ", rule.kept_with->name, " that it names"));
  }
  if (rule.refers_to != nullptr) {
    says.push_back(absl::StrCat("names a ", rule.refers_to->name, " that lies there too"));
  }
  if (!rule.written_with.empty()) {
    std::vector<std::string> steps;
    for (int i = 0; i < type.steps->descriptor->enum_type()->value_count(); ++i) {
      const auto* value = type.steps->descriptor->enum_type()->value(i);
      if (rule.written_with.contains(value->number())) {
        steps.push_back(value->options().GetExtension(value_label));
      }
    }
    says.push_back(
        absl::StrCat("written with ", absl::StrJoin(steps, " or "), ", by who takes it"));
  }
  for (const Place place : {OWNER, GUEST, PERSON, ABOVE}) {
    if ((rule.written_at & BitOf(place)) == 0) continue;
    says.push_back(absl::StrCat("written at ", Place_Name(place), " only"));
  }
  if (rule.names_author) {
    says.push_back("names its author, but where those write it who keep the record");
  }
  if (rule.word_of != nullptr) {
    says.push_back(absl::StrCat("changed by whom ", LabelOf(*rule.word_of),
                                " names, or by those who keep the record"));
  }
  for (const std::string& word : WordsOf(rule)) says.push_back(word);
  return says.empty() ? "" : absl::StrCat(LabelOf(rule), ": ", absl::StrJoin(says, "; "));
}

// By state; where nothing is said they see all.
std::vector<std::string> HostLines(const RecordType& type) {
  if (type.at_host == nullptr) return {};
  std::vector<std::string> shown, taken, lines;
  for (const FieldRule& rule : type.fields.rules()) {
    const std::string name = absl::StrCat("`", std::string(rule.descriptor->name()), "`");
    if (rule.shown_when_asked && rule.readers.as_host != 0) shown.push_back(name);
    if (rule.taken_by_host) taken.push_back(name);
  }
  const auto* states = type.at_host->descriptor->enum_type();
  for (int i = 1; i < states->value_count(); ++i) {
    const auto sight = type.at_host->at_host.find(states->value(i)->number());
    if (sight == type.at_host->at_host.end()) continue;
    lines.push_back(absl::StrCat(
        states->value(i)->options().GetExtension(value_label), ": ",
        sight->second == HOST_IS_ASKED
            ? absl::StrCat("it is asked, and sees no more than ", absl::StrJoin(shown, ", "))
            : "it sees nothing",
        taken.empty() ? "" : absl::StrCat("; all, where there is ", absl::StrJoin(taken, " or "))));
  }
  return lines;
}

std::string Tables() {
  std::map<uint32_t, const RecordType*> types;
  for (const RecordType& type : CatalogueSchema()->types()) types[type.number] = &type;
  std::string text;
  for (const auto& [number, type] : types) {
    absl::StrAppend(&text, "\n### ", number, " ", type->label, " ", type->name, "\n\n");
    if (type->made_by_server) absl::StrAppend(&text, "Made and deleted by the server only.\n\n");
    absl::StrAppend(&text, "| who | sees | makes | changes | deletes | steps |\n",
                    "|---|---|---|---|---|---|\n", Rows(*type));
    std::vector<std::string> places;
    if (type->own_scope != NOWHERE) {
      places.push_back(absl::StrCat("its own id: ", Place_Name(type->own_scope)));
    }
    std::vector<std::string> fields;
    for (const FieldRule& rule : type->fields.rules()) {
      if (rule.place != NOWHERE) places.push_back(PlacesLine(rule));
      if (const std::string line = FieldLine(*type, rule); !line.empty()) fields.push_back(line);
    }
    AddList("Places:", places, &text);
    AddList("Fields:", fields, &text);
    AddList("What a host sees:", HostLines(*type), &text);
  }
  return text;
}

TEST(AuthorityPage, SaysWhatIsDeclared) { ExpectMade("authority.md", kMarker, Tables()); }

}  // namespace
}  // namespace zhibu::test
