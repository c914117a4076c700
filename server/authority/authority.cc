#include "server/authority/authority.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/rules/persons.h"
#include "sync/rules/typed.h"
#include "sync/wire/slots.h"
#include "sync/wire/value.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;

namespace {

uint32_t In(const absl::flat_hash_map<Id, uint32_t>& offices, const Id& scope) {
  const auto it = offices.find(scope);
  return it == offices.end() ? 0 : it->second;
}

// A writer in one of the places that are of such a kind.
bool ActsIn(const RecordType& type, const absl::flat_hash_map<Id, uint32_t>& offices,
            uint32_t kinds, const std::vector<Placed>& places) {
  return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
    if ((kinds & BitOf(placed.place)) == 0) return false;
    return EyesOn({placed}, [&](const Id& scope) { return In(offices, scope); }).Meet(type.writers);
  });
}

absl::flat_hash_map<Id, uint32_t> OnceAndNow(const Offices& offices) {
  absl::flat_hash_map<Id, uint32_t> once = offices.now;
  for (const auto& [scope, audience] : offices.ended) once[scope] |= audience;
  return once;
}

// Somebody who acts for one of the places may write there, and may place a
// record in the care of an organisation only if they belong to it.
bool Entitled(const RecordType& type, uint64_t written, HostSight at_host,
              const absl::flat_hash_map<Id, uint32_t>& offices, const std::vector<Placed>& before,
              const std::vector<Placed>& after) {
  const auto acts_in = [&](const std::vector<Placed>& places) {
    const Eyes eyes = EyesOn(places, [&](const Id& scope) { return In(offices, scope); });
    return eyes.Meet(type.writers) && (written & NotWritableBy(type, eyes, at_host)) == 0;
  };
  if (!before.empty() && !acts_in(before)) return false;
  if (!acts_in(after)) return false;
  return std::all_of(after.begin(), after.end(), [&](const Placed& placed) {
    return placed.place != OWNER || CountingIn(OWNER, In(offices, placed.scope)) != 0 ||
           std::find(before.begin(), before.end(), placed) != before.end();
  });
}

RecordKey OrganisationKey(const Id& id) { return {TypeOf<Organisation>().number, id}; }
RecordKey MemberKey(const Id& id) { return {TypeOf<Member>().number, id}; }
std::string IdOf(const RecordType& type) {
  return absl::StrCat("id ∈ ", type.label, " ", type.name);
}
std::string FieldName(const FieldRule& rule) { return std::string(rule.descriptor->name()); }

// May they change a record that lies in `before` so that it lies in `after`, and these of
// its restricted fields (WrittenBy), of which a host sees as much as `at_host` says? An empty
// `before` makes a new one.
absl::Status MayWrite(Reader& reader, const RecordType& type, const Id& id, uint64_t written,
                      HostSight at_host, const Author& author, const std::vector<Placed>& before,
                      const std::vector<Placed>& after) {
  if (Entitled(type, written, at_host, author.offices.now, before, after)) {
    return absl::OkStatus();
  }
  const std::string what = absl::StrCat(type.label, " ", type.name);
  if (Entitled(type, written, at_host, OnceAndNow(author.offices), before, after)) {
    return Refuse(sync::v1::GRANT_ENDED, what);
  }
  ASSIGN_OR_RETURN(const bool once, MightOnce(reader, type, written, at_host, id, author.person,
                                              author.offices, before, after));
  return once ? Refuse(sync::v1::MOVED_AWAY, type.label) : Refuse(sync::v1::NOT_ENTITLED, what);
}

bool IsOfOthers(const Placed& placed) { return placed.place == GUEST || placed.place == ABOVE; }

// The restricted fields in which something stands.
uint64_t Standing(const RecordType& type, absl::string_view body) {
  Slots slots;
  slots.Parse(type.fields, body);
  uint64_t standing = 0;
  for (size_t i = 0; i < type.restricted.size(); ++i) {
    if (!slots.Get(type.restricted[i]->slot).empty()) standing |= uint64_t{1} << i;
  }
  return standing;
}

// A host and a superior change what they are shown of a record; that it is there at all is
// theirs who keep it, and the person's. What others have said in it does not go with it: who
// deletes it may write each of its fields, and step to where it is.
absl::Status MayDelete(const RecordType& type, const Offices& offices,
                       const std::vector<Placed>& places, HostSight at_host,
                       absl::string_view body) {
  const auto acts = [&](uint32_t kinds, sync::v1::Reason reason,
                        const std::string& what) -> absl::Status {
    if (ActsIn(type, offices.now, kinds, places)) return absl::OkStatus();
    const bool once = ActsIn(type, OnceAndNow(offices), kinds, places);
    return Refuse(once ? sync::v1::GRANT_ENDED : reason, what);
  };
  const std::string what = absl::StrCat(type.label, " ", type.name);
  RETURN_IF_ERROR(acts(BitOf(OWNER) | BitOf(PERSON), sync::v1::NOT_ENTITLED, what));
  const Eyes eyes = EyesOn(places, [&](const Id& scope) { return In(offices.now, scope); });
  if ((Standing(type, body) & NotWritableBy(type, eyes, at_host)) != 0) {
    return Refuse(sync::v1::NOT_ENTITLED, what);
  }
  for (const FieldRule& rule : type.fields.rules()) {
    const auto takers = rule.taken_by.find(rule.taken_by.empty() ? 0 : EnumOf(rule, body));
    if (takers == rule.taken_by.end()) continue;
    RETURN_IF_ERROR(acts(takers->second, sync::v1::NOT_YOUR_STEP, what));
  }
  return absl::OkStatus();
}

// The values that not everybody may say (said_by), by where they stand: the keys of the
// elements on the way, the field, the value.
using Spoken = std::map<std::tuple<std::string, uint32_t, int>, const FieldRule*>;

void AddSpoken(const Fields& fields, absl::string_view body, const std::string& where,
               Spoken* spoken) {
  Slots slots;
  slots.Parse(fields, body);
  for (const FieldRule& rule : fields.rules()) {
    const absl::string_view raw = slots.Get(rule.slot);
    if (!rule.said_by.empty()) {
      for (const int value : EnumsOf(rule, raw)) {
        if (rule.said_by.contains(value)) spoken->insert({{where, rule.number, value}, &rule});
      }
    }
    if (rule.element == nullptr) continue;
    for (const Element& element : ElementsOf(rule, raw)) {
      AddSpoken(*rule.element, element.body,
                absl::StrCat(where, rule.number, ".", element.key, "."), spoken);
    }
  }
}

Spoken SpokenIn(const Fields& fields, absl::string_view body) {
  Spoken spoken;
  AddSpoken(fields, body, "", &spoken);
  return spoken;
}

// They may place this one record there as its own members may.
Offices WithLoan(Offices offices, const std::optional<Loan>& loan) {
  if (loan) offices.now[loan->scope] |= AudienceOf(MEMBER);
  return offices;
}

// One record of an edit that is merged, and may yet not stay so.
class Judgement {
 public:
  Judgement(Reader& reader, const Author& author, const Step& step, const std::optional<Loan>& loan,
            RecordsNow now)
      : reader_(reader),
        offices_(WithLoan(author.offices, loan)),
        author_{author.person, offices_, author.decides, author.wrote},
        step_(step),
        loan_(loan),
        type_(step.type),
        now_(now),
        fresh_(!step.before.alive()),
        after_(PlacesOf(type_, step.id, step.after.body)) {
    if (step.before.exists) before_ = PlacesOf(type_, step.id, step.before.body);
  }

  absl::Status Run() {
    RETURN_IF_ERROR(MayWrite(reader_, type_, step_.id, WrittenBy(type_, step_.change),
                             HostSightOf(type_, stood()), author_, before_, after_));
    RETURN_IF_ERROR(CheckDeparture());
    RETURN_IF_ERROR(CheckPlaces());
    RETURN_IF_ERROR(CheckBelonging());
    RETURN_IF_ERROR(CheckCompany());
    RETURN_IF_ERROR(CheckSteps());
    RETURN_IF_ERROR(CheckFields());
    return CheckWords();
  }

 private:
  // ---- Places: what they are, and who consents ----

  absl::Status CheckPlaces() {
    if (!step_.before.exists && type_.own_scope != NOWHERE) RETURN_IF_ERROR(CheckOwnId());
    for (const FieldRule& rule : type_.fields.rules()) {
      if (rule.policy == SERVER || rule.place == NOWHERE || rule.place == PERSON) continue;
      for (const Id& scope : IdsIn(rule, step_.after.body)) {
        if (Lay(rule, scope)) continue;
        RETURN_IF_ERROR(CheckPlace(rule, scope));
      }
      if (rule.place != ABOVE) continue;
      for (const Id& scope : IdsIn(rule, step_.before.body)) {
        if (!Lies(rule, scope)) RETURN_IF_ERROR(MustConsent(scope));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckPlace(const FieldRule& rule, const Id& scope) {
    ASSIGN_OR_RETURN(const RecordState organisation, now_(OrganisationKey(scope)));
    if (organisation.alive()) {
      return rule.place == ABOVE ? MustConsent(scope) : absl::OkStatus();
    }
    // Who may write there would know it.
    return rule.place == GUEST ? Refuse(sync::v1::BAD_VALUE,
                                        absl::StrCat(FieldName(rule), " ∉ ",
                                                     TypeOf<Organisation>().label, " Organisation"))
                               : NotEntitled();
  }

  // An id names an organisation or a person, never both.
  absl::Status CheckOwnId() {
    for (const RecordType& other : CatalogueSchema()->types()) {
      if (other.own_scope == NOWHERE || other.number == type_.number) continue;
      ASSIGN_OR_RETURN(const RecordState state, now_({other.number, step_.id}));
      if (state.exists) return Refuse(sync::v1::BAD_VALUE, IdOf(other));
    }
    return absl::OkStatus();
  }

  // Nobody hangs an organisation below another, or takes it away, without that one.
  absl::Status MustConsent(const Id& superior) const {
    const uint32_t offices = AudienceOf(SECRETARY) | AudienceOf(DEPUTY);
    if ((In(offices_.now, superior) & offices) != 0) return absl::OkStatus();
    const bool once = (In(OnceAndNow(offices_), superior) & offices) != 0;
    return once ? Refuse(sync::v1::GRANT_ENDED, What()) : NotEntitled();
  }

  // ---- Belonging, and what is kept together ----

  absl::Status CheckBelonging() {
    for (const FieldRule& rule : type_.fields.rules()) {
      if (rule.place != PERSON || rule.policy == SERVER || gone()) continue;
      for (const Id& person : IdsIn(rule, step_.after.body)) {
        RETURN_IF_ERROR(CheckPerson(rule, person));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckPerson(const FieldRule& rule, const Id& person) {
    const FieldRule* owner = rule.kept_with != nullptr ? type_.Keeper() : rule.belongs_to;
    if (owner == nullptr) {
      if (!fresh_ && Lay(rule, person)) return absl::OkStatus();
      const auto& own = offices_.persons;
      return std::find(own.begin(), own.end(), person) != own.end()
                 ? absl::OkStatus()
                 : Refuse(sync::v1::NOT_OF_BRANCH, FieldName(rule));
    }
    for (const Id& organisation : IdsIn(*owner, step_.after.body)) {
      if (!fresh_ && Lay(rule, person) && Lay(*owner, organisation)) continue;
      RETURN_IF_ERROR(MustBelong(rule, person, organisation));
    }
    return absl::OkStatus();
  }

  // Answers alike for persons that do not exist.
  absl::Status MustBelong(const FieldRule& rule, const Id& person, const Id& organisation) {
    ASSIGN_OR_RETURN(const bool belongs, Belongs(rule, person, organisation));
    if (belongs) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool once, BelongedOnce(rule, person, organisation));
    if (!once) return Refuse(sync::v1::NOT_OF_BRANCH, FieldName(rule));
    // What there is one of for each person is of where they belong now.
    const bool dated = type_.id_from.size() != 1 && type_.own_scope == NOWHERE;
    return author_.decides && dated ? absl::OkStatus() : Refuse(sync::v1::MOVED_AWAY, type_.label);
  }

  absl::StatusOr<bool> BelongedOnce(const FieldRule& rule, const Id& person,
                                    const Id& organisation) {
    ASSIGN_OR_RETURN(const RecordKey placement, PlacementKey(person));
    ASSIGN_OR_RETURN(const bool placed, reader_.EverIn(organisation, placement));
    if (placed || !rule.guests_too) return placed;
    return reader_.EverIn(organisation, MemberKey(person));
  }

  absl::StatusOr<bool> Belongs(const FieldRule& rule, const Id& person, const Id& organisation) {
    ASSIGN_OR_RETURN(const RecordState state, now_(MemberKey(person)));
    if (!state.alive()) return false;
    if (rule.kept_with != nullptr) return KeptBy(TypeOf<Member>(), state.body, organisation);
    ASSIGN_OR_RETURN(const RecordKey key, PlacementKey(person));
    ASSIGN_OR_RETURN(const RecordState placement, now_(key));
    if (placement.alive() && KeptBy(TypeOf<Placement>(), placement.body, organisation)) return true;
    if (rule.by_code && loan_ && loan_->scope == organisation) return true;
    return rule.guests_too &&
           Lies({organisation, GUEST}, PlacesOf(TypeOf<Member>(), person, state.body));
  }

  absl::Status CheckCompany() {
    for (const FieldRule& rule : type_.fields.rules()) {
      if (rule.kept_with == nullptr || rule.place == PERSON || gone()) continue;
      const FieldRule& keeper = *type_.Keeper();
      for (const Id& other : IdsIn(rule, step_.after.body)) {
        ASSIGN_OR_RETURN(const RecordState state, now_({rule.kept_with->number, other}));
        for (const Id& organisation : IdsIn(keeper, step_.after.body)) {
          const bool asked =
              fresh_ || Touches(step_.change, rule.number) || !Lay(keeper, organisation);
          // Of what nobody has heard of yet, the code is the branch's word that it is theirs;
          // who would take it at their own takes from others the one record that there can be.
          const bool by_code = !state.exists && loan_ && loan_->scope == organisation;
          const bool together = KeptBy(*rule.kept_with, state.body, organisation) &&
                                (rule.kept_with != &type_ || IsOfTheSame(state.body));
          if (asked && !by_code && !together) {
            return Refuse(
                sync::v1::BAD_VALUE,
                absl::StrCat(FieldName(keeper), " ≠ ", rule.kept_with->label, " ",
                             rule.kept_with->name, ".", FieldName(*rule.kept_with->Keeper())));
          }
        }
      }
    }
    return absl::OkStatus();
  }

  // Whether another of its type, which it takes back, is about the same persons.
  bool IsOfTheSame(absl::string_view other) const {
    const auto& rules = type_.fields.rules();
    return std::all_of(rules.begin(), rules.end(), [&](const FieldRule& rule) {
      return rule.place != PERSON || IdsIn(rule, other) == IdsIn(rule, step_.after.body);
    });
  }

  static bool KeptBy(const RecordType& type, absl::string_view body, const Id& organisation) {
    return IdsIn(*type.Keeper(), body) == std::vector<Id>{organisation};
  }

  // ---- Steps ----

  absl::Status CheckSteps() const {
    const absl::string_view before = fresh_ ? absl::string_view() : step_.before.body;
    for (const FieldRule& rule : type_.fields.rules()) {
      const int to = rule.taken_by.empty() ? 0 : EnumOf(rule, step_.after.body);
      if (to == 0 || EnumOf(rule, before) == to) continue;
      RETURN_IF_ERROR(MustTake(rule, to));
    }
    return absl::OkStatus();
  }

  // What comes with a step, and what only one side writes.
  absl::Status CheckFields() const {
    const int now = type_.steps == nullptr ? 0 : EnumOf(*type_.steps, step_.after.body);
    for (const FieldRule& rule : type_.fields.rules()) {
      if (!Touches(step_.change, rule.number)) continue;
      const std::string& label = rule.descriptor->options().GetExtension(zhibu::label);
      const bool of_the_word = rule.policy == FORWARD || !rule.written_with.empty() ||
                               (rule.written_at & BitOf(ABOVE)) != 0;
      if (!of_the_word && HasLastWord()) {
        return Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(type_.label, " ", label));
      }
      if (rule.written_at != 0) RETURN_IF_ERROR(MustActIn(rule.written_at, label));
      if (rule.written_with.empty()) continue;
      if (!rule.written_with.contains(now)) {
        return Refuse(sync::v1::STEP_NOT_ALLOWED, absl::StrCat(type_.label, " ", label));
      }
      RETURN_IF_ERROR(MustTake(*type_.steps, now));
    }
    return absl::OkStatus();
  }

  // Whether somebody else had the last word before, and has it.
  bool HasLastWord() const {
    if (fresh_ || gone()) return false;
    return std::any_of(
        type_.fields.rules().begin(), type_.fields.rules().end(), [&](const FieldRule& rule) {
          if (rule.last_words.empty()) return false;
          const int state = EnumOf(rule, step_.before.body);
          return rule.last_words.contains(state) && EnumOf(rule, step_.after.body) == state;
        });
  }

  absl::Status MustTake(const FieldRule& rule, int state) const {
    const auto takers = rule.taken_by.find(state);
    if (takers == rule.taken_by.end()) return absl::OkStatus();
    const auto& value = rule.descriptor->enum_type()->FindValueByNumber(state)->options();
    return MustActIn(takers->second, value.GetExtension(value_label));
  }

  // As a writer, where the record lay before; of a new one, lies.
  absl::Status MustActIn(uint32_t kinds, const std::string& what) const {
    const std::vector<Placed>& stood = before_.empty() ? after_ : before_;
    if (ActsIn(type_, offices_.now, kinds, stood)) return absl::OkStatus();
    const bool once = ActsIn(type_, OnceAndNow(offices_), kinds, stood);
    return Refuse(once ? sync::v1::GRANT_ENDED : sync::v1::NOT_YOUR_STEP,
                  absl::StrCat(type_.label, " ", what));
  }

  // ---- In whose name ----

  // Each word of the edit that was not there before is its author's own, or one that those
  // who keep the record say of others.
  absl::Status CheckWords() const {
    const absl::string_view before = fresh_ ? absl::string_view() : step_.before.body;
    const Spoken spoken = SpokenIn(type_.fields, before);
    for (const auto& [word, rule] : SpokenIn(type_.fields, step_.change.set())) {
      if (spoken.count(word) > 0) continue;
      const int value = std::get<int>(word);
      const auto* said = rule->descriptor->enum_type()->FindValueByNumber(value);
      RETURN_IF_ERROR(
          MustSpeak(rule->said_by.at(value), said->options().GetExtension(value_label)));
    }
    for (const FieldRule& rule : type_.fields.rules()) {
      const std::string& what = rule.descriptor->options().GetExtension(zhibu::label);
      if (rule.word_of != nullptr && Touches(step_.change, rule.number) &&
          IsOfAnother(*rule.word_of, before, "")) {
        RETURN_IF_ERROR(MustSpeak(NotersOf(*rule.word_of), what));
      }
      if (rule.names_author && IsOfAnother(rule, step_.change.set(), before)) {
        RETURN_IF_ERROR(MustSpeak(NotersOf(rule), what));
      }
    }
    return absl::OkStatus();
  }

  // Where those act who note what others did: those who keep the record, but not of a step that
  // they do not take.
  uint32_t NotersOf(const FieldRule& rule) const {
    if (rule.written_with.empty()) return BitOf(OWNER);
    const auto takers = type_.steps->taken_by.find(EnumOf(*type_.steps, step_.after.body));
    return takers == type_.steps->taken_by.end() ? BitOf(OWNER) : takers->second & BitOf(OWNER);
  }

  // Whether the field names somebody else than who wrote the edit, and did not in `before`.
  bool IsOfAnother(const FieldRule& rule, absl::string_view body, absl::string_view before) const {
    const std::vector<Id> named = IdsIn(rule, body);
    return !named.empty() && !Wrote(named[0]) && named != IdsIn(rule, before);
  }

  // Of a person: they themselves, also where somebody else decides on what they wrote.
  absl::Status MustSpeak(uint32_t kinds, const std::string& what) const {
    const std::vector<Placed>& stood = before_.empty() ? after_ : before_;
    const bool in_office = ActsIn(type_, offices_.now, kinds, stood);
    const bool in_own_name = std::any_of(stood.begin(), stood.end(), [&](const Placed& placed) {
      return placed.place == PERSON && (kinds & BitOf(PERSON)) != 0 && Wrote(placed.scope);
    });
    if (in_office || in_own_name) return absl::OkStatus();
    const bool once = ActsIn(type_, OnceAndNow(offices_), kinds, stood);
    return Refuse(once ? sync::v1::GRANT_ENDED : sync::v1::OTHERS_TO_SAY,
                  absl::StrCat(type_.label, " ", what));
  }

  bool Wrote(const Id& person) const {
    return std::find(author_.wrote.begin(), author_.wrote.end(), person) != author_.wrote.end();
  }

  // ---- The record ----

  // Nobody is put out of an office by being taken out of the register.
  absl::Status CheckDeparture() const {
    if (!gone() || type_.own_scope != PERSON) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Offices offices, OfficesOf(reader_, step_.id, offices_.at_ms));
    for (const auto& [scope, audience] : offices.now) {
      if ((audience & ~AudienceOf(SELF) & ~AudienceOf(MEMBER)) != 0) {
        return Refuse(sync::v1::HOLDS_OFFICE, type_.label);
      }
    }
    return absl::OkStatus();
  }

  // As it was found; of a new one, as it is made.
  absl::string_view stood() const {
    return step_.before.exists ? absl::string_view(step_.before.body) : step_.after.body;
  }
  bool gone() const { return step_.change.kind() == sync::v1::Change::DELETE; }
  bool Lay(const FieldRule& rule, const Id& scope) const {
    return Lies({scope, rule.place}, before_);
  }
  bool Lies(const FieldRule& rule, const Id& scope) const {
    return Lies({scope, rule.place}, after_);
  }
  static bool Lies(const Placed& placed, const std::vector<Placed>& places) {
    return std::find(places.begin(), places.end(), placed) != places.end();
  }

  std::string What() const { return absl::StrCat(type_.label, " ", type_.name); }
  absl::Status NotEntitled() const { return Refuse(sync::v1::NOT_ENTITLED, What()); }

  Reader& reader_;
  const Offices offices_;
  const Author author_;
  const Step& step_;
  const std::optional<Loan>& loan_;
  const RecordType& type_;
  const RecordsNow now_;
  const bool fresh_;  // it was not there, or deleted
  std::vector<Placed> before_;
  const std::vector<Placed> after_;
};

}  // namespace

absl::StatusOr<Version> OfficesVersion(Reader& reader, const std::vector<Id>& persons) {
  uint64_t sum = 0;  // each of them only ever rises
  for (const Id& person : persons) {
    ASSIGN_OR_RETURN(const Version version, reader.ScopeVersion(person));
    sum += version.value;
  }
  return Version(sum);
}

absl::StatusOr<bool> EverHadOffice(Reader& reader, const Id& person, const Id& scope) {
  // The ids follow from what the records say, so it is known where to look.
  const auto was_there = [&](const google::protobuf::Message& record) -> absl::StatusOr<bool> {
    const RecordType& type = *CatalogueSchema()->Find(record.GetDescriptor());
    ASSIGN_OR_RETURN(const Id id, DeriveId(type, record.SerializeAsString()));
    return reader.EverIn(scope, {type.number, id});
  };
  if (person == scope) return true;
  records::v1::Placement placement;
  placement.set_member_id(person.str());
  ASSIGN_OR_RETURN(bool had, was_there(placement));
  records::v1::Grant grant;
  grant.set_person_id(person.str());
  grant.set_organisation_id(scope.str());
  for (int office = SECRETARY; !had && office <= GROUP_LEADER; ++office) {
    grant.set_office(static_cast<Office>(office));
    ASSIGN_OR_RETURN(had, was_there(grant));
  }
  return had;
}

bool MaySee(const Schema& schema, const RecordType& type, const Offices& offices, const Id& id,
            absl::string_view body) {
  return EyesOn(PlacesOf(type, id, body), [&](const Id& scope) { return offices.In(scope); })
      .Meet(ReadersOf(schema, type, body));
}

absl::StatusOr<bool> MightOnce(Reader& reader, const RecordType& type, uint64_t written,
                               HostSight at_host, const Id& id, const Id& person,
                               const Offices& offices, const std::vector<Placed>& before,
                               const std::vector<Placed>& after) {
  absl::flat_hash_map<Id, uint32_t> once = OnceAndNow(offices);
  for (const Placed& placed : after) {
    if (placed.place != OWNER) continue;
    ASSIGN_OR_RETURN(const RecordState organisation,
                     reader.GetRecord(OrganisationKey(placed.scope)));
    if (!organisation.exists) continue;
    ASSIGN_OR_RETURN(const bool belonged, EverHadOffice(reader, person, placed.scope));
    if (belonged) once[placed.scope] |= AudienceOf(MEMBER);
  }
  std::vector<Placed> formerly;  // where they act, and it lay once; of a new one, nowhere
  for (const auto& [scope, held] : offices.now) {
    if (before.empty() || (held & type.writers.at_home) == 0) continue;
    if (std::any_of(before.begin(), before.end(),
                    [&, in = scope](const Placed& placed) { return placed.scope == in; })) {
      continue;  // it lies there now, and they see it as a guest
    }
    ASSIGN_OR_RETURN(const bool there, reader.EverIn(scope, {type.number, id}));
    if (there) formerly.push_back({scope, (held & AudienceOf(SELF)) != 0 ? PERSON : OWNER});
  }
  const auto and_formerly = [&](std::vector<Placed> places) {
    places.insert(places.end(), formerly.begin(), formerly.end());
    return places;
  };
  return Entitled(type, written, at_host, once, and_formerly(before), and_formerly(after));
}

bool SecretaryMight(const RecordType& type, const sync::v1::Change& change,
                    const RecordState& before, const Placed& placed) {
  if (!before.exists && placed.place != OWNER) return false;  // nobody else makes one
  if (change.kind() == sync::v1::Change::DELETE && IsOfOthers(placed)) return false;
  const Eyes eyes = EyesOn({placed}, [](const Id&) { return AudienceOf(SECRETARY); });
  if (!eyes.Meet(type.writers)) return false;
  const HostSight at_host = HostSightOf(type, before.body);
  if (placed.place == GUEST && at_host == HOST_SEES_NOTHING) return false;
  if ((WrittenBy(type, change) & NotWritableBy(type, eyes, at_host)) != 0) return false;
  const auto takes = [&](const FieldRule& steps, int state) {
    const auto takers = steps.taken_by.find(state);
    return takers == steps.taken_by.end() || (takers->second & BitOf(placed.place)) != 0;
  };
  return std::all_of(
      type.fields.rules().begin(), type.fields.rules().end(), [&](const FieldRule& rule) {
        if (!Touches(change, rule.number)) return true;
        if (rule.written_at != 0 && (rule.written_at & BitOf(placed.place)) == 0) return false;
        if (!rule.taken_by.empty()) return takes(rule, EnumOf(rule, change.set()));
        if (rule.written_with.empty()) return true;
        const int stepped = EnumOf(*type.steps, change.set());
        return takes(*type.steps, stepped != 0 ? stepped : EnumOf(*type.steps, before.body));
      });
}

absl::Status MayTouch(Reader& reader, const Schema& schema, const Author& author,
                      const RecordType& type, const Id& id, const sync::v1::Change& change,
                      const RecordState& before) {
  const bool makes = change.kind() == sync::v1::Change::CREATE;
  if (type.made_by_server && change.kind() != sync::v1::Change::UPDATE) {
    return Refuse(sync::v1::SERVER_ONLY, type.label);
  }
  if (!before.exists) return absl::OkStatus();
  const std::vector<Placed> places = PlacesOf(type, id, before.body);
  const HostSight at_host = HostSightOf(type, before.body);
  absl::Status status =
      MayWrite(reader, type, id, WrittenBy(type, change), at_host, author, places, places);
  if (status.ok() && change.kind() == sync::v1::Change::DELETE) {
    status = MayDelete(type, author.offices, places, at_host, before.body);
  }
  const bool held = !status.ok() && ReasonOf(status).reason != sync::v1::NOT_ENTITLED;
  // Of what is deleted only those hear who may write there.
  const bool there = before.alive() || status.ok();
  if (held || (there && MaySee(schema, type, author.offices, id, before.body))) return status;
  if (makes) return Refuse(sync::v1::NOT_ENTITLED, absl::StrCat(type.label, " ", type.name));
  return Refuse(sync::v1::NO_SUCH_RECORD, type.name);
}

absl::Status MayLeave(Reader& reader, const Author& author, const Step& step,
                      const std::optional<Loan>& loan, RecordsNow now) {
  return Judgement(reader, author, step, loan, now).Run();
}

}  // namespace zhibu::server
