#include "server/figures/making.h"

#include <optional>
#include <utility>
#include <vector>

#include "server/figures/sums.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

using stored::v1::SumsState;

class Step {
 public:
  Step(Writer& writer, const Schema& schema, const rules::Book& book, size_t at_once)
      : writer_(writer), schema_(schema), book_(book), at_once_(at_once) {}

  absl::StatusOr<bool> Run() {
    ASSIGN_OR_RETURN(SumsState state, SumsStateOf(writer_, book_));
    if (state.phase() == SumsState::MADE) return true;
    if (state.phase() == SumsState::DROPPING) {
      ASSIGN_OR_RETURN(const bool left, writer_.DropSums(at_once_));
      if (!left) state.set_phase(SumsState::COUNTING);
    } else {
      RETURN_IF_ERROR(Count(&state));
    }
    RETURN_IF_ERROR(PutSumsState(writer_, state));
    return state.phase() == SumsState::MADE;
  }

 private:
  absl::Status Count(SumsState* state) {
    ASSIGN_OR_RETURN(const auto records, Next(state));
    Sums sums(writer_, schema_, book_);
    const RecordState none;
    for (const auto& [key, now] : records) {
      RETURN_IF_ERROR(sums.Count({schema_.Find(key.type), key.id, &none, &now}));
      state->set_type(key.type);
      state->set_id(key.id.str());
    }
    if (sums.passed_over()) state->set_incomplete(true);
    if (records.size() < at_once_) state->set_phase(SumsState::MADE);
    return absl::OkStatus();
  }

  // Of the types that are counted, past what is reached.
  absl::StatusOr<std::vector<std::pair<RecordKey, RecordState>>> Next(SumsState* state) {
    std::vector<std::pair<RecordKey, RecordState>> records;
    RecordKey after{state->type(), Id::FromBytes(state->id()).value_or(Id())};
    for (std::optional<uint32_t> type = CountedFrom(after.type); type;
         type = CountedFrom(*type + 1)) {
      if (*type != after.type) after = {*type, Id()};
      RETURN_IF_ERROR(
          writer_.ReadRecords(after, [&](const RecordKey& key, const RecordState* record) {
            if (key.type != *type) return false;
            if (record == nullptr) state->set_incomplete(true);
            if (record != nullptr && record->alive()) records.emplace_back(key, *record);
            return records.size() < at_once_;
          }));
      if (records.size() >= at_once_) break;
    }
    return records;
  }

  std::optional<uint32_t> CountedFrom(uint32_t number) const {
    std::optional<uint32_t> next;
    for (const rules::Figure& figure : book_.figures()) {
      const uint32_t type = figure.of->number;
      if (type >= number && (!next || type < *next)) next = type;
    }
    return next;
  }

  Writer& writer_;
  const Schema& schema_;
  const rules::Book& book_;
  const size_t at_once_;
};

}  // namespace

absl::Status BeginSums(Store& store, const rules::Book& book) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(SumsState state, SumsStateOf(writer, book));
    if (!state.incomplete()) return absl::OkStatus();
    state.Clear();
    return PutSumsState(writer, state);
  });
}

absl::StatusOr<bool> MakeSums(Store& store, const Schema& schema, const rules::Book& book,
                              size_t at_once) {
  bool made = false;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(made, Step(writer, schema, book, at_once).Run());
    return absl::OkStatus();
  }));
  return made;
}

SumsMaker::SumsMaker(Store* store, const Schema* schema, const rules::Book* book,
                     Observer* observer)
    : store_(*store), schema_(*schema), book_(*book), observer_(*observer), thread_([this] {
        Run();
      }) {}

SumsMaker::~SumsMaker() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  thread_.join();
}

void SumsMaker::Run() {
  if (const absl::Status begun = BeginSums(store_, book_); !begun.ok()) {
    observer_.OnTrouble({.what = Trouble::What::kSums, .status = begun});
    return;
  }
  while (!IsStopped()) {
    const absl::StatusOr<bool> made = MakeSums(store_, schema_, book_, kSumsAtOnce);
    if (!made.ok()) {
      observer_.OnTrouble({.what = Trouble::What::kSums, .status = made.status()});
      return;
    }
    if (*made) return;
  }
}

bool SumsMaker::IsStopped() {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

}  // namespace zhibu::server
