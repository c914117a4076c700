#include "server/figures/sums.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "sync/base/damage.h"
#include "sync/base/require.h"
#include "sync/base/status.h"
#include "sync/rules/parse.h"
#include "sync/wire/wire.h"

namespace zhibu::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::Figure;
using stored::v1::SumsState;

absl::StatusOr<std::string> MadeBy(Reader& reader, const rules::Book& book) {
  ASSIGN_OR_RETURN(const std::string incarnation, reader.GetSetting(kIncarnation));
  return absl::StrCat(book.figures_digest(), "/", incarnation);
}

absl::StatusOr<SumsState> StoredState(Reader& reader) {
  ASSIGN_OR_RETURN(const std::string bytes, reader.GetSetting(kSumsSetting));
  SumsState state;
  if (!state.ParseFromString(bytes)) state.Clear();
  return state;
}

absl::string_view BodyOf(const RecordState& state) {
  return state.alive() ? absl::string_view(state.body) : absl::string_view();
}

bool Differ(absl::string_view before, absl::string_view after, const Figure::Fields& fields) {
  if (before == after) return false;
  return std::any_of(fields.begin(), fields.end(), [&](const FieldDescriptor* field) {
    const auto number = static_cast<uint32_t>(field->number());
    return wire::ValuesIn(before, number) != wire::ValuesIn(after, number);
  });
}

// Whether a change of the record may change what counts by these fields of it.
bool Concerns(const ChangedRecord& changed, const Figure::Fields& fields) {
  return changed.was->alive() != changed.now->alive() ||
         Differ(BodyOf(*changed.was), BodyOf(*changed.now), fields);
}

// The id in a field of a record that is there.
std::optional<Id> IdIn(absl::string_view body, const FieldDescriptor& field) {
  wire::Reader reader(body);
  wire::Field one;
  std::optional<Id> id;
  while (reader.Next(&one)) {
    if (one.number == static_cast<uint32_t>(field.number())) id = Id::FromBytes(one.payload);
  }
  return id;
}

// Each of that type that hangs on a record, until one says false: of those that take a payment back
// the first settles it. So few are read at first, and then more at once.
absl::Status EachHanging(Reader& reader, const RecordKey& on, const RecordType& type,
                         absl::FunctionRef<absl::StatusOr<bool>(const RecordKey&)> visit) {
  RecordKey after{type.number, Id()};
  for (size_t most = 16;; most *= 4) {
    ASSIGN_OR_RETURN(const std::vector<RecordKey> hanging, reader.HangingOn(on, after, most));
    for (const RecordKey& key : hanging) {
      if (key.type != type.number) return absl::OkStatus();
      ASSIGN_OR_RETURN(const bool more, visit(key));
      if (!more) return absl::OkStatus();
    }
    if (hanging.size() < most) return absl::OkStatus();
    REQUIRE(after < hanging.back());
    after = hanging.back();
  }
}

bool Hangs(const std::map<RecordKey, std::set<RecordKey>>& all, const RecordKey& record,
           const RecordKey& on) {
  const auto found = all.find(record);
  return found != all.end() && found->second.count(on) > 0;
}

}  // namespace

absl::StatusOr<SumsState> SumsStateOf(Reader& reader, const rules::Book& book) {
  ASSIGN_OR_RETURN(SumsState state, StoredState(reader));
  ASSIGN_OR_RETURN(const std::string made_by, MadeBy(reader, book));
  if (state.made_by() == made_by) return state;
  state.Clear();
  state.set_made_by(made_by);
  return state;
}

absl::StatusOr<bool> AreSumsOfOthers(Reader& reader, const rules::Book& book) {
  ASSIGN_OR_RETURN(const SumsState state, StoredState(reader));
  ASSIGN_OR_RETURN(const std::string made_by, MadeBy(reader, book));
  return state.made_by() != made_by;
}

absl::Status PutSumsState(Writer& writer, const SumsState& state) {
  return writer.PutSetting(kSumsSetting, state.SerializeAsString());
}

void ForeseeSums(const rules::Book& book, const RecordType& type, const Id& id,
                 absl::string_view set, Foreseen* foreseen) {
  bool asked = !book.FiguresThatLookAt(type).empty();
  for (const Figure* figure : book.FiguresOf(type)) {
    for (const FieldDescriptor* field : {figure->undone_by, figure->followed_by}) {
      if (field == nullptr) continue;
      asked = true;
      if (const auto other = IdIn(set, *field)) foreseen->hanging.push_back({type.number, *other});
    }
  }
  if (asked) foreseen->hanging.push_back({type.number, id});
  const bool concerned = asked || !book.FiguresOf(type).empty();
  if (concerned && foreseen->settings.empty()) foreseen->settings = {kSumsSetting, kIncarnation};
}

// The records, with those of the edit as it found them or as it leaves them.
class Sums::World final : public rules::Neighbours {
 public:
  World(Reader& reader, absl::Span<const ChangedRecord> changed) : reader_(reader) {
    for (const ChangedRecord& one : changed) changed_[{one.type->number, one.id}] = &one;
  }
  void set_after(bool after) {
    if (after != after_) std::swap(followers(), others_followers_);
    after_ = after;
  }
  // Whether any could not be read.
  bool passed_over() const { return passed_over_; }

  // Empty: it is not there. Nothing: it cannot be read.
  absl::StatusOr<std::optional<std::string>> BodyOf(const RecordKey& key) {
    if (const auto it = changed_.find(key); it != changed_.end()) {
      return std::string(server::BodyOf(after_ ? *it->second->now : *it->second->was));
    }
    const absl::StatusOr<RecordState> state = reader_.GetRecord(key);
    if (IsDamagedRow(state.status())) {
      passed_over_ = true;
      return std::nullopt;
    }
    RETURN_IF_ERROR(state.status());
    return std::string(server::BodyOf(*state));
  }

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    return BodyOf({type.number, id});
  }
  bool Hides(const RecordType& /*type*/, const Id& /*id*/, const Message& /*of*/,
             const FieldDescriptor& /*field*/) const override {
    return false;
  }
  absl::Status PointingAt(const RecordType& type, const FieldDescriptor& field, const Id& id,
                          VisitPointing visit) override {
    return EachHanging(reader_, {type.number, id}, type,
                       [&](const RecordKey& key) -> absl::StatusOr<bool> {
                         ASSIGN_OR_RETURN(const std::optional<std::string> body, BodyOf(key));
                         if (!body || body->empty() || IdIn(*body, field) != id) return true;
                         return visit(key.id, *ParseAs(type, *body));
                       });
  }

 private:
  Reader& reader_;
  std::map<RecordKey, const ChangedRecord*> changed_;
  bool after_ = false;
  rules::Followers others_followers_;  // before, where it is after, and the other way round
  bool passed_over_ = false;
};

absl::StatusOr<bool> Sums::AreKept() {
  if (!state_) {
    ASSIGN_OR_RETURN(state_, SumsStateOf(writer_, book_));
  }
  return state_->phase() != SumsState::DROPPING;
}

bool Sums::IsCounted(const RecordKey& key) const {
  if (state_->phase() == SumsState::MADE) return true;
  const auto reached = Id::FromBytes(state_->id());
  return key <= RecordKey{state_->type(), reached.value_or(Id())};
}

absl::Status Sums::Follow(absl::Span<const ChangedRecord> changed) {
  const bool concerned = std::any_of(changed.begin(), changed.end(), [&](const auto& one) {
    return !book_.FiguresOf(*one.type).empty() || !book_.FiguresThatLookAt(*one.type).empty();
  });
  if (!concerned) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool kept, AreKept());
  if (!kept) return TellThatOthersLack();
  const absl::Status followed = FollowCounted(changed);
  // The edit is none the worse for it; they are made anew at the next start.
  if (IsDamagedRow(followed)) {
    state_->Clear();
  } else if (!followed.ok() || !passed_over_ || state_->incomplete()) {
    return followed;
  }
  state_->set_incomplete(true);
  return PutSumsState(writer_, *state_);
}

absl::Status Sums::TellThatOthersLack() {
  ASSIGN_OR_RETURN(SumsState state, StoredState(writer_));
  if (state.phase() == SumsState::DROPPING || state.incomplete()) return absl::OkStatus();
  state.set_incomplete(true);
  return PutSumsState(writer_, state);
}

absl::Status Sums::Count(const ChangedRecord& reached) {
  ASSIGN_OR_RETURN(const bool kept, AreKept());
  if (!kept) return absl::OkStatus();
  state_->set_type(reached.type->number);
  state_->set_id(reached.id.str());
  return FollowCounted({reached});
}

absl::Status Sums::FollowCounted(absl::Span<const ChangedRecord> changed) {
  Affected affected;
  World world(writer_, changed);
  for (const ChangedRecord& one : changed) RETURN_IF_ERROR(AddAffected(one, &world, &affected));
  if (affected.empty()) return absl::OkStatus();
  Changes changes;
  Hanging hung, hangs;
  world.set_after(false);
  RETURN_IF_ERROR(CountIn(world, affected, false, &changes, &hung));
  for (const ChangedRecord& one : changed) {
    const RecordKey key{one.type->number, one.id};
    if (affected.count(key) > 0 && IsCounted(key)) AddSaid(one, &hung, &hangs);
  }
  // Others find it by what it says, when they are counted.
  RETURN_IF_ERROR(PutHanging(hung, hangs));
  world.set_after(true);
  world.followers().clear();
  Hanging looked_at = hangs;
  RETURN_IF_ERROR(CountIn(world, affected, true, &changes, &looked_at));
  RETURN_IF_ERROR(PutHanging(hung, looked_at));
  RETURN_IF_ERROR(DropHanging(hung, looked_at));
  passed_over_ |= world.passed_over();
  return Write(changes);
}

void Sums::AddSaid(const ChangedRecord& changed, Hanging* hung, Hanging* hangs) const {
  const RecordKey key{changed.type->number, changed.id};
  for (const Figure* figure : book_.FiguresOf(*changed.type)) {
    for (const FieldDescriptor* field : {figure->undone_by, figure->followed_by}) {
      if (field == nullptr) continue;
      const auto before = IdIn(BodyOf(*changed.was), *field);
      const auto after = IdIn(BodyOf(*changed.now), *field);
      if (before) (*hung)[key].insert({key.type, *before});
      if (after) (*hangs)[key].insert({key.type, *after});
    }
  }
}

absl::Status Sums::AddAffected(const ChangedRecord& changed, World* world, Affected* affected) {
  const RecordType& type = *changed.type;
  const RecordKey key{type.number, changed.id};
  const bool counted = IsCounted(key);
  for (const Figure* figure : book_.FiguresOf(type)) {
    if (!counted || !Concerns(changed, figure->reads)) continue;
    (*affected)[key].insert(figure);
    for (const RecordState* state : {changed.was, changed.now}) {
      const absl::string_view body = BodyOf(*state);
      if (figure->undone_by != nullptr) {
        const auto undone = IdIn(body, *figure->undone_by);
        const RecordKey target{type.number, undone.value_or(Id())};
        if (undone && IsCounted(target)) (*affected)[target].insert(figure);
      }
      if (figure->followed_by == nullptr || body.empty()) continue;
      world->set_after(state == changed.now);
      ASSIGN_OR_RETURN(const std::optional<Id> ended,
                       rules::EndedBy(*figure, changed.id, *ParseAs(type, body), world));
      if (ended) (*affected)[{type.number, *ended}].insert(figure);
    }
  }
  for (const Figure* figure : book_.FiguresThatLookAt(type)) {
    if (!Concerns(changed, figure->others.at(type.number))) continue;
    RETURN_IF_ERROR(AddHangingOn(key, *figure->of, {figure}, affected));
  }
  return absl::OkStatus();
}

absl::Status Sums::AddHangingOn(const RecordKey& on, const RecordType& type, const Figures& figures,
                                Affected* affected) {
  return EachHanging(writer_, on, type, [&](const RecordKey& key) -> absl::StatusOr<bool> {
    (*affected)[key].insert(figures.begin(), figures.end());
    return true;
  });
}

// Where one figure of a record looks at others, all of its figures say what it hangs on.
absl::Status Sums::CountIn(World& world, const Affected& affected, bool after, Changes* changes,
                           Hanging* hangs) {
  for (const auto& [key, figures] : affected) {
    const RecordType& type = *schema_.Find(key.type);
    ASSIGN_OR_RETURN(const std::optional<std::string> body, world.BodyOf(key));
    if (!body || body->empty()) continue;
    const std::unique_ptr<Message> record = ParseAs(type, *body);
    std::vector<RecordKey> looked_at;
    for (const Figure* figure : book_.FiguresOf(type)) {
      const bool concerned = figures.count(figure) > 0;
      if (!concerned && !figure->LooksAtOthers()) continue;
      ASSIGN_OR_RETURN(const std::vector<rules::Counted> counted,
                       rules::CountBy(*figure, key.id, *record, &world, &looked_at));
      for (const rules::Counted& one : counted) {
        if (!concerned) continue;
        SumChanges& sums = (*changes)[one.organisation];
        rules::AddShares(*figure, one, [&](const SumKey& sum_key, const Sum& sum) {
          sums[sum_key] += after ? sum : -sum;
        });
      }
    }
    if (!looked_at.empty()) (*hangs)[key].insert(looked_at.begin(), looked_at.end());
  }
  return absl::OkStatus();
}

absl::Status Sums::PutHanging(const Hanging& before, const Hanging& after) {
  for (const auto& [record, on] : after) {
    for (const RecordKey& one : on) {
      if (!Hangs(before, record, one)) RETURN_IF_ERROR(writer_.PutHanging(one, record));
    }
  }
  return absl::OkStatus();
}

absl::Status Sums::DropHanging(const Hanging& before, const Hanging& after) {
  for (const auto& [record, on] : before) {
    for (const RecordKey& one : on) {
      if (!Hangs(after, record, one)) RETURN_IF_ERROR(writer_.DropHanging(one, record));
    }
  }
  return absl::OkStatus();
}

absl::Status Sums::Write(const Changes& changes) {
  for (const auto& [organisation, sums] : changes) {
    SumChanges differing;
    for (const auto& [key, sum] : sums) {
      if (!sum.empty()) differing.emplace(key, sum);
    }
    if (!differing.empty()) RETURN_IF_ERROR(writer_.AddToSums(organisation, differing));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
