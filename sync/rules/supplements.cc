#include "sync/rules/supplements.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/typed.h"

namespace zhibu {
namespace {

using google::protobuf::util::TimeUtil;
using records::v1::RuleSupplement;

class Supplement : public Rule {
 public:
  bool Concerns(const RecordType& type) const override { return IsA<RuleSupplement>(type); }

  absl::Status Judge(const Case& of, const Step& step) const override {
    if (!step.after.alive()) return absl::OkStatus();
    const auto made = Parse<RuleSupplement>(step.after.body);
    const auto before = Parse<RuleSupplement>(step.body_before());
    // What a newer build has written is repealed by an older one, too.
    if (made.text() != before.text()) {
      const auto book = rules::CompileSupplement(made.text());
      if (!book.ok()) return Refuse(sync::v1::BAD_VALUE, book.status().message());
    }
    return Begins(step) ? CheckNumber(of, step, made) : absl::OkStatus();
  }

  // From here on it is in force, by the clock of nobody who might gain by it.
  absl::Status Follow(const Case& of, const Step& step, Consequences* follows) const override {
    auto made = Parse<RuleSupplement>(step.after.body);
    const bool fresh =
        step.after.alive() && made.state() == RuleSupplement::IN_FORCE && !made.has_in_force_from();
    if (!fresh) return absl::OkStatus();
    *made.mutable_in_force_from() = TimeUtil::MillisecondsToTimestamp(of.now_ms);
    const FieldRule* from = step.type.fields.Find(RuleSupplement::kInForceFromFieldNumber);
    AddFields(step.type, step.id, step.after, {from}, made, &follows->edit);
    return absl::OkStatus();
  }

 private:
  // Whether it is in force from this edit on.
  static bool Begins(const Step& step) {
    return step.after.alive() &&
           Parse<RuleSupplement>(step.after.body).state() == RuleSupplement::IN_FORCE &&
           Parse<RuleSupplement>(step.body_before()).state() != RuleSupplement::IN_FORCE;
  }

  static absl::Status CheckNumber(const Case& of, const Step& step, const RuleSupplement& made) {
    const auto maker = Id::FromBytes(made.organisation_id());
    if (!maker) return absl::OkStatus();
    size_t in_force = 1;
    size_t kept = 1;
    RETURN_IF_ERROR(of.lookup.ListRecords(
        TypeOf<RuleSupplement>().number, *maker, [&](const Id& id, const RecordState& state) {
          const auto one = Parse<RuleSupplement>(state.body);
          if (id == step.id || one.organisation_id() != made.organisation_id()) return;
          ++kept;
          in_force += one.state() == RuleSupplement::IN_FORCE ? 1 : 0;
        }));
    // With it in the same edit.
    for (const Step& other : of.steps) {
      if (!IsA<RuleSupplement>(other.type) || other.id == step.id || !Begins(other)) continue;
      const auto one = Parse<RuleSupplement>(other.after.body);
      if (one.organisation_id() != made.organisation_id()) continue;
      kept += other.before.alive() ? 0 : 1;
      ++in_force;
    }
    RETURN_IF_ERROR(CheckAtMost(in_force, kSupplementsMax));
    return CheckAtMost(kept, kSupplementsKeptMax);
  }

  static absl::Status CheckAtMost(size_t number, size_t most) {
    if (number <= most) return absl::OkStatus();
    return Refuse(sync::v1::TOO_LARGE,
                  absl::StrCat(TypeOf<RuleSupplement>().label, ": ", number, " > ", most));
  }
};

}  // namespace

std::unique_ptr<const Rule> SupplementRule() { return std::make_unique<Supplement>(); }

uint32_t SupplementType() { return TypeOf<RuleSupplement>().number; }

bool IsInForceFor(const RuleSupplement& supplement, const Id& organisation) {
  const auto& sent = supplement.receiver_ids();
  return supplement.state() == RuleSupplement::IN_FORCE &&
         std::count(sent.begin(), sent.end(), organisation.bytes()) > 0;
}

std::optional<int64_t> InForceSince(const RuleSupplement& supplement) {
  if (!supplement.has_in_force_from()) return std::nullopt;
  return TimeUtil::TimestampToMilliseconds(supplement.in_force_from());
}

absl::StatusOr<std::vector<InForce>> SupplementsFor(Lookup& lookup, const Id& organisation) {
  std::map<std::string, std::vector<RuleSupplement>> by_maker;
  RETURN_IF_ERROR(lookup.ListShown(
      TypeOf<RuleSupplement>().number, organisation, [&](const Id&, const RecordState& state) {
        auto supplement = Parse<RuleSupplement>(state.body);
        if (!IsInForceFor(supplement, organisation) || !InForceSince(supplement)) return;
        std::vector<RuleSupplement>& of_maker = by_maker[supplement.organisation_id()];
        if (of_maker.size() < kSupplementsMax) of_maker.push_back(std::move(supplement));
      }));
  std::vector<InForce> in_force;
  for (const auto& [maker, of_maker] : by_maker) {
    for (const RuleSupplement& supplement : of_maker) {
      auto book = rules::CompileSupplement(supplement.text());
      if (book.ok()) in_force.push_back({*std::move(book), *InForceSince(supplement)});
    }
  }
  return in_force;
}

}  // namespace zhibu
