#include "sync/rules/references.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"

namespace zhibu {
namespace {

absl::Status RefuseReference(const Step& step, const FieldRule& rule) {
  const auto say = [&](Language language) {
    return absl::StrCat(WordsOf(*step.type.descriptor, language), " ",
                        WordsOf(*rule.descriptor, language));
  };
  return Refuse(sync::v1::POINTS_NOWHERE, InBoth(say(Language::kChinese), say(Language::kEnglish)));
}

class PointAtWhatIsThere : public Rule {
 public:
  bool Concerns(const RecordType& type) const override {
    const auto& rules = type.fields.rules();
    return std::any_of(rules.begin(), rules.end(),
                       [](const FieldRule& rule) { return rule.refers_to != nullptr; });
  }

  absl::Status Judge(const Case& of, const Step& step) const override {
    if (!step.after.alive()) return absl::OkStatus();
    for (const FieldRule& rule : step.type.fields.rules()) {
      // Only what this edit says: what others wrote before it is theirs.
      if (rule.refers_to == nullptr) continue;
      const auto said = LastOf(*rule.descriptor, step.change.set());
      if (!said || said->payload.empty()) continue;
      const auto id = Id::FromBytes(said->payload);
      if (!id) return RefuseReference(step, rule);
      RETURN_IF_ERROR(MustBeNear(of, step, rule, *id));
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status MustBeNear(const Case& of, const Step& step, const FieldRule& rule,
                                 const Id& id) {
    const RecordKey key{rule.refers_to->number, id};
    ASSIGN_OR_RETURN(const RecordState state, Find(of, key));
    if (!state.exists) return RefuseReference(step, rule);
    const std::vector<Placed> there = PlacesOf(*rule.refers_to, id, state.body);
    for (const Placed& here : PlacesOf(step.type, step.id, step.after.body)) {
      if (std::any_of(there.begin(), there.end(),
                      [&](const Placed& one) { return one.scope == here.scope; })) {
        return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(const bool once, of.lookup.EverIn(here.scope, key));
      if (once) return absl::OkStatus();
    }
    return RefuseReference(step, rule);
  }

  static absl::StatusOr<RecordState> Find(const Case& of, const RecordKey& key) {
    for (const Step& step : of.steps) {
      if (step.type.number == key.type && step.id == key.id) return step.after;
    }
    return of.lookup.GetShown(key);
  }
};

}  // namespace

std::unique_ptr<const Rule> ReferencesRule() { return std::make_unique<PointAtWhatIsThere>(); }

}  // namespace zhibu
