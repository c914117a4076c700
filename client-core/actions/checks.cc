#include "client-core/actions/checks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "sync/rules/offices.h"
#include "sync/rules/supplements.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class OnThisDevice final : public rules::Surroundings {
 public:
  explicit OnThisDevice(Store& store) : store_(store) {
    if (const auto identity = store.GetIdentity(); identity.ok()) owner_ = identity->person;
    if (const auto now_ms = store.ServerNow(); now_ms.ok()) now_ms_ = *now_ms;
  }

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    const RecordType* known = store_.schema().Find(type.number);
    if (known == nullptr) return std::nullopt;
    const absl::StatusOr<Draft> draft = store_.Edit(*known, id);
    if (absl::IsNotFound(draft.status()) || absl::IsDataLoss(draft.status())) return std::nullopt;
    RETURN_IF_ERROR(draft.status());
    return draft->message().SerializePartialAsString();
  }

  bool Hides(const RecordType& type, const Id& id, const Message& of,
             const FieldDescriptor& field) const override {
    if (!rules::IsEmpty(of, field)) return false;
    const RecordKey key{type.number, id};
    if (!last_ || last_->first != key) last_ = {key, HiddenOf(type, id, of)};
    return rules::IsAmong(last_->second, type, field);
  }

 private:
  uint64_t HiddenOf(const RecordType& type, const Id& id, const Message& of) const {
    return rules::HiddenIn(type, id, of, [&](const Id& scope) {
      return OfficesKnownIn(scope, owner_, now_ms_, [&](const RecordKey& key) {
        const absl::StatusOr<Draft> draft = store_.Edit(*store_.schema().Find(key.type), key.id);
        return draft.ok() ? draft->message().SerializePartialAsString() : "";
      });
    });
  }

  Store& store_;
  Id owner_;
  int64_t now_ms_ = 0;
  // Of the record that was asked about last: a rule asks for many fields of one.
  mutable std::optional<std::pair<RecordKey, uint64_t>> last_;
};

std::string ReasonIn(const Message& record, const rules::Check& check) {
  return check.because == nullptr ? "" : record.GetReflection()->GetString(record, check.because);
}

absl::Status AddIrregular(Store& store, const BookHere& here, absl::CivilDay today,
                          OnThisDevice* around, IrregularHere* found) {
  for (const auto& [number, checks] : here.book->checks()) {
    const RecordType& type = *checks.front().of;
    absl::Status trouble;
    const absl::Status listed =
        store.List({.type = type.number}, [&](const Id& id, const Message& record) {
          if (!here.IsFor(type, id, record)) return true;
          // As much as one edit has, so that what is too much there is said here.
          cel::Purse purse(kAddedStepsMax);
          auto findings =
              rules::JudgeByAll(*here.book, type, id, record, today, around, here.BoundsBy(&purse));
          trouble = findings.status();
          if (!trouble.ok()) return false;
          const bool undated = std::any_of(findings->begin(), findings->end(),
                                           [](const auto& one) { return one.no_day; });
          if (undated) found->undated.push_back({id, &type});
          for (rules::Finding& one : *findings) {
            const bool told = std::count(found->faults.begin(), found->faults.end(), one.fault) > 0;
            if (one.outcome == rules::Outcome::kWrong && !told) found->faults.push_back(one.fault);
            if (one.outcome != rules::Outcome::kBroken) continue;
            std::string because = ReasonIn(record, *one.check);
            found->records.push_back({id, std::move(one), std::move(because)});
          }
          return true;
        });
    RETURN_IF_ERROR(trouble);
    // One that is damaged hides nothing else.
    if (!listed.ok() && !absl::IsDataLoss(listed)) return listed;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IrregularHere> WhatIsIrregular(Store& store) {
  IrregularHere found;
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  ASSIGN_OR_RETURN(found.books, BooksHere(store));
  OnThisDevice around(store);
  for (const BookHere& here : found.books) {
    if (here.book != nullptr) RETURN_IF_ERROR(AddIrregular(store, here, today, &around, &found));
  }
  std::stable_sort(
      found.records.begin(), found.records.end(),
      [](const Irregular& a, const Irregular& b) { return b.finding.day < a.finding.day; });
  return found;
}

absl::StatusOr<FoundOfDraft> WhatIsWrongWith(Store& store, const Draft& draft) {
  FoundOfDraft found;
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  ASSIGN_OR_RETURN(found.books, BooksHere(store));
  OnThisDevice around(store);
  for (const BookHere& here : found.books) {
    if (here.book == nullptr || !here.IsFor(draft.type(), draft.id(), draft.message())) continue;
    cel::Purse purse(kAddedStepsMax);
    ASSIGN_OR_RETURN(std::vector<rules::Finding> findings,
                     rules::JudgeByAll(*here.book, draft.type(), draft.id(), draft.message(), today,
                                       &around, here.BoundsBy(&purse)));
    for (rules::Finding& one : findings) {
      if (one.outcome == rules::Outcome::kBroken) found.broken.push_back(std::move(one));
    }
  }
  return found;
}

std::unique_ptr<rules::Surroundings> AroundHere(Store& store) {
  return std::make_unique<OnThisDevice>(store);
}

}  // namespace zhibu::client
