#include "sync/rules/checks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/rules/book/check.h"
#include "sync/rules/book/check_compiler.h"
#include "sync/rules/offices.h"
#include "sync/rules/parse.h"
#include "sync/rules/supplements.h"
#include "sync/rules/typed.h"
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
  Around(const Case& of, When when) : of_(of), when_(when) {}

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

  bool Hides(const RecordType& type, const Id& id, const Message& record,
             const FieldDescriptor& field) const override {
    if (of_.lookup.ReadsAllFields() || &record == made_) return false;
    return rules::MayBeHidden(type, id, record, field, [&](const Id& scope) {
      return OfficesKnownIn(scope, of_.author, of_.now_ms, [&](const RecordKey& key) {
        const absl::StatusOr<RecordState> state = of_.lookup.GetShown(key);
        return state.ok() && state->alive() ? state->body : "";
      });
    });
  }

  // Nothing of a record that is made now is hidden from its maker. It stays as long as this.
  void SetMade(const Message* record) { made_ = record; }

 private:
  static std::optional<std::string> BodyOf(const RecordState& state) {
    return state.alive() ? state.body : "";
  }

  const Case& of_;
  const When when_;
  const Message* made_ = nullptr;
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

  absl::Status Judge(const Case& of, const Step& step) const override {
    if (!step.after.alive()) return absl::OkStatus();
    RETURN_IF_ERROR(JudgeIn(book_, of, step));
    const auto keeper = KeeperOf(step.type, step.after.body);
    if (!keeper) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto supplements, SupplementsFor(of.lookup, *keeper));
    for (const rules::BookPtr& book : supplements) RETURN_IF_ERROR(JudgeIn(*book, of, step));
    return absl::OkStatus();
  }

 private:
  static absl::Status JudgeIn(const rules::Book& book, const Case& of, const Step& step) {
    std::unique_ptr<Message> record;  // most edits touch nothing that a check reads
    Around around(of, Around::When::kAfter);
    for (const Check& check : book.ChecksOf(step.type)) {
      if (!check.text.hard() || !Touches(check, step)) continue;
      if (record == nullptr) {
        record = ParseAs(step.type, step.after.body);
        if (!step.before.alive()) around.SetMade(record.get());
      }
      ASSIGN_OR_RETURN(const Finding found,
                       JudgeBy(check, step.id, *record, DayAt(step.at_ms), &around));
      if (found.outcome != Outcome::kBroken) continue;
      ASSIGN_OR_RETURN(const bool excused, IsExcused(of, step, *record, found));
      if (!excused) return RefuseBy(found);
    }
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

  static absl::StatusOr<bool> IsExcused(const Case& of, const Step& step, const Message& record,
                                        const Finding& found) {
    if (found.day >= DayAt(step.at_ms)) return false;
    if (GivesReason(*found.check, record)) return true;
    if (!step.before.alive()) return false;
    const std::unique_ptr<Message> before = ParseAs(step.type, step.before.body);
    if (GivesReason(*found.check, *before)) return false;
    Around around(of, Around::When::kBefore);
    ASSIGN_OR_RETURN(const Finding was,
                     JudgeBy(*found.check, step.id, *before, DayAt(step.at_ms), &around));
    return was.outcome == Outcome::kBroken;
  }

  const rules::Book& book_;
};

}  // namespace

std::unique_ptr<const Rule> CheckRule(const rules::Book& book) {
  return std::make_unique<ByTheBook>(book);
}

}  // namespace zhibu
