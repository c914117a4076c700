#include "sync/rules/checks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/merge/audience.h"
#include "sync/rules/book/check.h"
#include "sync/rules/book/check_compiler.h"
#include "sync/rules/book/judged.h"
#include "sync/rules/offices.h"
#include "sync/rules/parse.h"
#include "sync/rules/supplements.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "sync/wire/wire.h"

namespace zhibu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::Check;
using rules::Finding;
using rules::Outcome;

// What an edit finds, or leaves: of its own records as they were or will be, of all others as
// they are.
class Around final : public rules::Surroundings {
 public:
  enum class When { kBefore, kAfter };
  // What the server sees: all, or what the author may, so that no rule of somebody else's tells
  // them more.
  enum class Sight { kAll, kAuthors };
  Around(const Case& of, When when, Sight sight) : of_(of), when_(when), sight_(sight) {}

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    for (const Step& step : of_.steps) {
      if (step.type.number == type.number && step.id == id) {
        return BodyOf(when_ == When::kBefore ? step.before : step.after);
      }
    }
    const absl::StatusOr<RecordState> state = of_.lookup.GetShown({type.number, id});
    if (IsNotKnownHere(state.status())) return std::nullopt;
    RETURN_IF_ERROR(state.status());
    return BodyOf(*state);
  }

  // Once for all checks that the edit is judged by.
  absl::StatusOr<rules::ReadingPtr> Read(const RecordType& type, const Id& id) override {
    const RecordKey key{type.number, id};
    if (const auto kept = readings_.find(key); kept != readings_.end()) return kept->second;
    ASSIGN_OR_RETURN(rules::ReadingPtr reading, Surroundings::Read(type, id));
    read_bytes_ += reading == nullptr ? 0 : reading->bytes;
    if (read_bytes_ > kReadBytesMax) {
      return TooLarge("records that the edit is checked by", read_bytes_, kReadBytesMax);
    }
    if (read_bytes_ <= kKeptBytesMax) readings_.emplace(key, reading);
    return reading;
  }

  bool Hides(const RecordType& type, const Id& id, const Message& record,
             const FieldDescriptor& field) const override {
    const bool at_server = of_.lookup.ReadsAllFields();
    if (&record == made_ || (at_server && sight_ == Sight::kAll)) return false;
    // A device has it from somebody who may read it, as far as it goes.
    if (!at_server && !rules::IsEmpty(record, field)) return false;
    const Hidden& hidden = HiddenOf(type, id, record);
    return (at_server && hidden.all) || rules::IsAmong(hidden.fields, type, field);
  }

  // Nothing of a record that is made now is hidden from its maker. It stays as long as it is set.
  void SetMade(const Message* record) { made_ = record; }

 private:
  static std::optional<std::string> BodyOf(const RecordState& state) {
    return state.alive() ? state.body : "";
  }

  struct Hidden {
    bool all = false;  // the author does not see the record
    uint64_t fields = 0;
  };
  // Of each record once: it stays as it is, and so do the author's offices.
  const Hidden& HiddenOf(const RecordType& type, const Id& id, const Message& record) const {
    const auto [it, fresh] = hidden_.try_emplace({type.number, id});
    if (!fresh) return it->second;
    const auto offices_in = [&](const Id& scope) { return OfficesIn(scope); };
    it->second.fields = rules::HiddenIn(type, id, record, offices_in);
    const auto places = PlacesOf(type, id, record.SerializePartialAsString());
    it->second.all = !EyesOn(places, offices_in).Meet(type.readers);
    return it->second;
  }

  uint32_t OfficesIn(const Id& scope) const {
    if (of_.lookup.ReadsAllFields()) {
      if (!offices_) offices_ = OfficesOf(of_.lookup, of_.author, of_.now_ms);
      return offices_->ok() ? (*offices_)->In(scope) : 0;
    }
    return OfficesKnownIn(scope, of_.author, of_.now_ms, [&](const RecordKey& key) {
      const absl::StatusOr<RecordState> state = of_.lookup.GetShown(key);
      return state.ok() && state->alive() ? state->body : "";
    });
  }

  static constexpr size_t kKeptBytesMax = size_t{16} << 20;
  // To read a record of a megabyte takes as long as to write a hundred small ones.
  static constexpr size_t kReadBytesMax = size_t{32} << 20;

  const Case& of_;
  const When when_;
  const Sight sight_;
  const Message* made_ = nullptr;
  std::map<RecordKey, rules::ReadingPtr> readings_;
  size_t read_bytes_ = 0;
  mutable std::map<RecordKey, Hidden> hidden_;
  mutable std::optional<absl::StatusOr<Offices>> offices_;  // of the author
};

// "发展党员步骤·日期", "Development step: done on"
std::string PlaceOf(const Check& check, Language language) {
  const std::string type = WordsOf(*check.of->descriptor, language);
  if (check.field == nullptr) return type;
  return absl::StrCat(type, language == Language::kChinese ? "·" : ": ",
                      WordsOf(*check.field, language));
}

absl::Status RefuseBy(const Finding& found) {
  const Check& check = *found.check;
  const auto say = [&](const std::string& words, Language language) {
    return absl::StrCat(words, " [", PlaceOf(check, language), "; ", check.text.key(), "; ",
                        check.text.source(), "]");
  };
  return Refuse(sync::v1::AGAINST_A_RULE, InBoth(say(found.words.zh(), Language::kChinese),
                                                 say(found.words.en(), Language::kEnglish)));
}

class ByTheBook : public Rule {
 public:
  explicit ByTheBook(const rules::Book& book) : book_(book) {}

  // What a hard check could be of.
  bool Concerns(const RecordType& type) const override {
    return type.descriptor->FindFieldByName(rules::kIrregularBecause) != nullptr;
  }

  // What checks look at is read once for all records of the edit.
  absl::Status JudgeAll(const Case& of) const override {
    RETURN_IF_ERROR(JudgeByShipped(of));
    return JudgeByAdded(of);
  }

 private:
  struct Judging {
    const Case& of;
    Around& after;
    Around& before;
    rules::Bounds bounds;

    // From there on nothing is refused.
    bool IsSpent() const { return bounds.purse != nullptr && bounds.purse->empty(); }
  };

  absl::Status JudgeByShipped(const Case& of) const {
    Around after(of, Around::When::kAfter, Around::Sight::kAll);
    Around before(of, Around::When::kBefore, Around::Sight::kAll);
    for (const Step& step : of.steps) {
      if (!step.after.alive() || !Concerns(step.type)) continue;
      RETURN_IF_ERROR(JudgeIn(book_, {of, after, before, {}}, step));
    }
    return absl::OkStatus();
  }

  // By what superiors have added: all their checks share one budget.
  absl::Status JudgeByAdded(const Case& of) const {
    Around after(of, Around::When::kAfter, Around::Sight::kAuthors);
    Around before(of, Around::When::kBefore, Around::Sight::kAuthors);
    cel::Purse purse(kAddedStepsMax);
    std::map<Id, std::vector<InForce>> by_keeper;
    for (const Step& step : of.steps) {
      if (!step.after.alive() || !Concerns(step.type)) continue;
      const auto keeper = KeeperOf(step.type, step.after.body);
      if (!keeper) continue;
      const auto [added, fresh] = by_keeper.try_emplace(*keeper);
      if (fresh) {
        ASSIGN_OR_RETURN(added->second, SupplementsFor(of.lookup, *keeper));
      }
      for (const InForce& one : added->second) {
        // What was written before the rules were there is not judged by them.
        if (step.at_ms < one.since_ms) continue;
        const Judging by{of, after, before, {.since = DayAt(one.since_ms), .purse = &purse}};
        RETURN_IF_ERROR(JudgeIn(*one.book, by, step));
      }
    }
    return absl::OkStatus();
  }

  static absl::Status JudgeIn(const rules::Book& book, const Judging& by, const Step& step) {
    std::unique_ptr<Message> record;  // most edits touch nothing that a check reads
    for (const Check& check : book.ChecksOf(step.type)) {
      if (by.IsSpent()) break;
      if (!check.text.hard() || !Touches(check, step)) continue;
      if (record == nullptr) record = ParseAs(step.type, step.after.body);
      by.after.SetMade(step.before.alive() ? nullptr : record.get());
      ASSIGN_OR_RETURN(const Finding found,
                       JudgeBy(check, step.id, *record, DayAt(step.at_ms), &by.after, by.bounds));
      // Else a void act would stand beside a thousand empty lines.
      if (found.outcome == Outcome::kWrong && found.too_long && by.bounds.purse == nullptr) {
        const uint64_t most = rules::kExpressionBudget.steps;
        return TooLarge(step.type.label, most + 1, most, "steps");
      }
      if (found.outcome != Outcome::kBroken) continue;
      ASSIGN_OR_RETURN(const bool excused, IsExcused(by, step, *record, found));
      if (!excused) return RefuseBy(found);
    }
    by.after.SetMade(nullptr);
    return absl::OkStatus();
  }

  // Whether the edit changes anything that the check reads, or what excuses it.
  static bool Touches(const Check& check, const Step& step) {
    const absl::string_view before = step.body_before();
    if (before.empty()) return true;
    const auto changed = [&](const FieldDescriptor* field) {
      // In the one spelling that there is.
      const auto number = static_cast<uint32_t>(field->number());
      return wire::ValuesIn(before, number) != wire::ValuesIn(step.after.body, number);
    };
    return changed(check.because) || std::any_of(check.reads.begin(), check.reads.end(), changed);
  }

  static bool GivesReason(const Check& check, const Message& record) {
    return !record.GetReflection()->GetString(record, check.because).empty();
  }

  static absl::StatusOr<bool> IsExcused(const Judging& by, const Step& step, const Message& record,
                                        const Finding& found) {
    if (found.day >= DayAt(step.at_ms)) return false;
    if (GivesReason(*found.check, record)) return true;
    if (!step.before.alive()) return false;
    const std::unique_ptr<Message> before = ParseAs(step.type, step.before.body);
    if (GivesReason(*found.check, *before)) return false;
    ASSIGN_OR_RETURN(const Finding was, JudgeBy(*found.check, step.id, *before, DayAt(step.at_ms),
                                                &by.before, by.bounds));
    return was.outcome == Outcome::kBroken || by.IsSpent();
  }

  const rules::Book& book_;
};

}  // namespace

std::unique_ptr<const Rule> CheckRule(const rules::Book& book) {
  return std::make_unique<ByTheBook>(book);
}

}  // namespace zhibu
