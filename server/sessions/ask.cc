#include "server/sessions/ask.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/authority/authority.h"
#include "server/figures/summary.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/above.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/ask.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::TemporaryAccess;

namespace {

constexpr size_t kRecordsMax = 500;
constexpr size_t kPageBytes = 512 << 10;

// One question of one person.
class Question {
 public:
  Question(Reader& reader, const Schema& schema, const Id& asker, int64_t now_ms)
      : reader_(reader), schema_(schema), asker_(asker), now_ms_(now_ms) {}

  absl::Status Begin() {
    ASSIGN_OR_RETURN(offices_, OfficesOf(reader_, asker_, now_ms_));
    return absl::OkStatus();
  }

  // The branch that keeps the member, if the asker may look at what it keeps.
  absl::StatusOr<Id> BranchOf(const Id& member) {
    ASSIGN_OR_RETURN(const auto record, Find<Member>(reader_, member));
    const auto branch = record ? Id::FromBytes(record->branch_id()) : std::nullopt;
    if (!branch) return NotBelow<Member>();
    ASSIGN_OR_RETURN(const bool above, ActsAbove(*branch));
    if (above) below_.insert(*branch);
    if (!above && !ActsFor(*branch)) return NotBelow<Member>();
    return *branch;
  }

  // Whether they have opened it, and the time has not run out.
  absl::StatusOr<bool> HasAccess(const Id& member) {
    bool has = false;
    RETURN_IF_ERROR(reader_.ListRecords(
        TypeOf<TemporaryAccess>().number, member, [&](const Id&, const RecordState& state) {
          const auto access = Parse<TemporaryAccess>(state.body);
          has = has || (access.reader_id() == asker_.bytes() &&
                        now_ms_ < TimeUtil::TimestampToMilliseconds(access.until()));
        }));
    return has;
  }

  absl::Status AskOrganisation(const Id& organisation, const RecordType& type,
                               const sync::v1::Ask& ask, KnownTree* known, sync::v1::Page* page,
                               Disclosures* disclosures) {
    ASSIGN_OR_RETURN(const bool above, ActsAbove(organisation));
    const bool acts = above || ActsFor(organisation);
    if (!acts && offices_.In(organisation) == 0) return NotBelow<Organisation>();
    RETURN_IF_ERROR(acts ? LookUp(organisation, known) : absl::OkStatus());
    // Of whoever only belongs there nothing is below.
    if (!acts) *known = {.root = organisation, .scopes = {organisation}, .all = {organisation}};
    const std::vector<Id>& tree = known->scopes;
    if (acts) tree_ = known;
    if (above) below_.insert(organisation);
    const auto from = After(ask.after());
    // The tree may have changed since the page before: then nothing is left out that
    // still hangs below what comes later.
    auto it = from ? std::find(tree.begin(), tree.end(), from->first) : tree.begin();
    if (from && it == tree.end()) return Refuse(sync::v1::MALFORMED, "after");
    for (; it != tree.end(); ++it) {
      const std::optional<Id> after =
          from && from->first == *it ? std::optional<Id>(from->second) : std::nullopt;
      bool full = false;
      RETURN_IF_ERROR(PassOver(
          reader_.ListFrom(type.number, *it, after, [&](const Id& id, const RecordState& state) {
            const std::vector<Placed> places = PlacesOf(type, id, state.body);
            if (*it != ListedIn(places, *known)) return true;
            const std::optional<Eyes> eyes = ShownTo(type, id, state.body, 0);
            full = eyes && Full(*page, ask);
            if (eyes && !full) {
              Show(type, id, state, *eyes, page, disclosures);
              last_ = {*it, id};
            }
            return !full;
          })));
      if (full) {
        page->set_next(absl::StrCat(last_.first.str(), last_.second.str()));
        return status_;
      }
    }
    return status_;
  }

  absl::Status SumUp(const rules::Book& book, const sync::v1::Ask& ask, KnownTree* known,
                     rules::v1::Report* report) {
    const auto organisation = Id::FromBytes(ask.organisation_id());
    const auto period = rules::Months::From(ask.sum_up());
    if (!organisation || ask.type() != 0) return Refuse(sync::v1::MALFORMED, "ask");
    if (!period) return Refuse(sync::v1::MALFORMED, "sum_up");
    ASSIGN_OR_RETURN(const bool above, ActsAbove(*organisation));
    if (!above && !ActsFor(*organisation)) return NotBelow<Organisation>();
    RETURN_IF_ERROR(LookUp(*organisation, known));
    // What they read of their own organisation they need not read below it.
    Eyes eyes{.at_home = offices_.In(*organisation), .as_host = offices_.In(*organisation)};
    if (above || known->scopes.size() > 1) eyes = {.at_home = AudienceOf(SUPERIOR)};
    const auto sees = [&](const rules::Figure& figure) {
      if (figure.MayBeReadBy(eyes, schema_)) return rules::Sight::kAll;
      return figure.text.smallest_group() > 0 ? rules::Sight::kGroups : rules::Sight::kNothing;
    };
    ASSIGN_OR_RETURN(
        *report, SummaryOf(reader_, book, known->scopes, *period, MonthOf(DayAt(now_ms_)), sees));
    for (auto& balance : *report->mutable_balances()) {
      for (auto& open : *balance.mutable_open()) {
        ASSIGN_OR_RETURN(*open.mutable_organisation_name(),
                         RegisteredNameOf<Organisation>(reader_, open.organisation_id()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AskMember(const Id& member, const RecordType& type, const sync::v1::Ask& ask,
                         sync::v1::Page* page, Disclosures* disclosures) {
    ASSIGN_OR_RETURN(const Id branch, BranchOf(member));
    ASSIGN_OR_RETURN(const bool temporary, HasAccess(member));
    const auto after = Id::FromBytes(ask.after());
    Id last;
    RETURN_IF_ERROR(PassOver(
        reader_.ListFrom(type.number, member, after, [&](const Id& id, const RecordState& state) {
          const bool opened = temporary && IsOfMember(type, id, state.body, member, branch);
          const uint32_t as = opened ? AudienceOf(SECRETARY) : 0;
          const std::optional<Eyes> eyes = ShownTo(type, id, state.body, as);
          if (!eyes) return true;
          if (Full(*page, ask)) {
            page->set_next(last.str());
            return false;
          }
          Show(type, id, state, *eyes, page, disclosures);
          last = id;
          return true;
        })));
    const bool ends_empty = page->ids().empty() && !after;
    if (ends_empty && !temporary && NeedsReason(type, member, branch)) {
      return Refuse(sync::v1::ASK_WITHOUT_REASON, type.label);
    }
    return status_;
  }

 private:
  template <typename T>
  static absl::Status NotBelow() {
    return Refuse(sync::v1::ASK_NOT_BELOW, TypeOf<T>().label);
  }

  absl::Status LookUp(const Id& organisation, KnownTree* known) {
    ASSIGN_OR_RETURN(const int64_t moves, reader_.MovesOf(TypeOf<Organisation>().number));
    if (known->root == organisation && known->at == moves) return absl::OkStatus();
    ASSIGN_OR_RETURN(known->scopes, Below(reader_, organisation));
    known->root = organisation;
    known->at = moves;
    known->all = {known->scopes.begin(), known->scopes.end()};
    return absl::OkStatus();
  }

  // Whether a reason opens such records of the member, and nothing else does. It does not say
  // whether there are any.
  bool NeedsReason(const RecordType& type, const Id& member, const Id& branch) const {
    const Eyes eyes{.at_home = offices_.In(member) | OfficesAt(branch)};
    return !type.made_by_server && !eyes.Meet(type.readers) &&
           Eyes{.at_home = AudienceOf(SECRETARY)}.Meet(type.readers);
  }

  // A superior's among them.
  uint32_t OfficesAt(const Id& scope) const {
    return offices_.In(scope) | (IsBelow(scope) ? AudienceOf(SUPERIOR) : 0);
  }

  // Whether the asker acts above the organisation.
  bool IsBelow(const Id& scope) const {
    return below_.count(scope) > 0 ||
           (tree_ != nullptr && scope != tree_->root && tree_->all.contains(scope));
  }

  bool ActsFor(const Id& organisation) const {
    constexpr uint32_t kActs = 1u << SECRETARY | 1u << DEPUTY | 1u << COMMITTEE;
    return (offices_.In(organisation) & kActs) != 0;
  }

  // Whether the asker acts for an organisation above this one.
  absl::StatusOr<bool> ActsAbove(const Id& organisation) {
    ASSIGN_OR_RETURN(const auto above, Above(reader_, organisation));
    return std::any_of(above.begin(), above.end(),
                       [&](const auto& one) { return one.second > 0 && ActsFor(one.first); });
  }

  bool Full(const sync::v1::Page& page, const sync::v1::Ask& ask) const {
    const size_t limit =
        ask.limit() == 0 ? kRecordsMax : std::min<size_t>(ask.limit(), kRecordsMax);
    return static_cast<size_t>(page.ids_size()) >= limit || bytes_ >= kPageBytes;
  }

  // The organisation and the record where the page before ended.
  static std::optional<std::pair<Id, Id>> After(absl::string_view after) {
    if (after.size() != 2 * Id::kSize) return std::nullopt;
    return std::pair(*Id::FromBytes(after.substr(0, Id::kSize)),
                     *Id::FromBytes(after.substr(Id::kSize)));
  }

  // A record that lies in several of the organisations is shown once: where it is
  // kept, else in the first.
  static Id ListedIn(const std::vector<Placed>& places, const KnownTree& tree) {
    for (const Placed& placed : places) {
      if (placed.place == OWNER && tree.all.contains(placed.scope)) return placed.scope;
    }
    return *std::find_if(tree.scopes.begin(), tree.scopes.end(), [&](const Id& scope) {
      return std::any_of(places.begin(), places.end(),
                         [&](const Placed& placed) { return placed.scope == scope; });
    });
  }

  // With which eyes the asker is shown the record; nothing where they may not see it. Nothing on a
  // page, its end neither, hangs on what is not shown.
  std::optional<Eyes> ShownTo(const RecordType& type, const Id& id, absl::string_view body,
                              uint32_t also) const {
    Eyes eyes = EyesOn(PlacesOf(type, id, body), [&](const Id& scope) { return OfficesAt(scope); });
    eyes.at_home |= also;
    return eyes.Meet(ReadersOf(schema_, type, body)) ? std::optional(eyes) : std::nullopt;
  }

  // Adds the record as these eyes may read it.
  void Show(const RecordType& type, const Id& id, RecordState state, const Eyes& eyes,
            sync::v1::Page* page, Disclosures* disclosures) {
    state.trace.clear();  // a page holds none
    Redact(type, HiddenFrom(type, eyes, HostSightOf(type, state.body)), &state);
    status_.Update(
        AddDisclosures(reader_, schema_, type, id, state, offices_.persons, disclosures));
    bytes_ += Id::kSize + state.body.size();
    page->add_ids(id.str());
    page->add_bodies(std::move(state.body));
  }

  // What the member's branch keeps of them and of nobody else: that is what a reason opens.
  static bool IsOfMember(const RecordType& type, const Id& id, absl::string_view body,
                         const Id& member, const Id& branch) {
    bool kept = false;
    for (const Placed& placed : PlacesOf(type, id, body)) {
      if (placed.place == PERSON && placed.scope != member) return false;
      kept = kept || (placed.place == OWNER && placed.scope == branch);
    }
    return kept && !type.made_by_server;
  }

  Reader& reader_;
  const Schema& schema_;
  const Id asker_;
  const int64_t now_ms_;
  Offices offices_;
  std::set<Id> below_;  // organisations that the asker acts above, beside those of the tree
  const KnownTree* tree_ = nullptr;  // whose root the asker acts for, or above
  size_t bytes_ = 0;                 // of the page
  std::pair<Id, Id> last_;
  absl::Status status_;  // of what could not be looked up on the way
};

}  // namespace

absl::Status OpenAccess(Writer& writer, const Ingest& ingest, const Environment& environment,
                        const Id& asker, const sync::v1::Ask& ask) {
  const auto member = Id::FromBytes(ask.member_id());
  if (!member) return Refuse(sync::v1::MALFORMED, "member_id");
  RETURN_IF_ERROR(CheckReason(ask.reason()));
  const int64_t now_ms = environment.now_ms();
  Question question(writer, ingest.schema(), asker, now_ms);
  RETURN_IF_ERROR(question.Begin());
  ASSIGN_OR_RETURN(const Id branch, question.BranchOf(*member));
  // The reason that it was opened with stands until then.
  ASSIGN_OR_RETURN(const bool open, question.HasAccess(*member));
  if (open) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Id> superiors, ParentsOf(writer, branch));
  TemporaryAccess access;
  access.set_member_id(member->str());
  for (const Id& superior : superiors) access.add_superior_ids(superior.str());
  access.set_reader_id(asker.str());
  ASSIGN_OR_RETURN(*access.mutable_reader_name(), RegisteredNameOf<Member>(writer, asker.bytes()));
  access.set_reason(ask.reason());
  *access.mutable_from() = TimeUtil::MillisecondsToTimestamp(now_ms);
  *access.mutable_until() = TimeUtil::MillisecondsToTimestamp(now_ms + kTemporaryMs);
  sync::v1::Edit edit;
  AddChange(*ingest.schema().Find(TemporaryAccess::descriptor()), environment.NewId(),
            RecordState(), access, &edit);
  return ingest.WriteOwn(writer, edit).status();
}

absl::Status AnswerAsk(Reader& reader, const Ingest& ingest, const Id& asker, int64_t now_ms,
                       const sync::v1::Ask& ask, KnownTree* tree, sync::v1::Page* page,
                       Disclosures* disclosures) {
  const Schema& schema = ingest.schema();
  if (!ask.sum_up().empty()) {
    Question question(reader, schema, asker, now_ms);
    RETURN_IF_ERROR(question.Begin());
    return question.SumUp(ingest.book(), ask, tree, page->mutable_report());
  }
  const RecordType* type = schema.Find(ask.type());
  if (type == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, absl::StrCat(ask.type()));
  Question question(reader, schema, asker, now_ms);
  RETURN_IF_ERROR(question.Begin());
  if (const auto organisation = Id::FromBytes(ask.organisation_id())) {
    return question.AskOrganisation(*organisation, *type, ask, tree, page, disclosures);
  }
  if (const auto member = Id::FromBytes(ask.member_id())) {
    return question.AskMember(*member, *type, ask, page, disclosures);
  }
  return Refuse(sync::v1::MALFORMED, "ask");
}

}  // namespace zhibu::server
