#include "server/figures/making.h"

#include <optional>
#include <utility>
#include <vector>

#include "server/figures/sums.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

using stored::v1::SumsState;

constexpr absl::Duration kPause = absl::Seconds(2);

class Step {
 public:
  Step(Writer& writer, const Schema& schema, const rules::Book& book, size_t at_once)
      : writer_(writer), schema_(schema), book_(book), at_once_(at_once) {}

  absl::StatusOr<bool> Run() {
    ASSIGN_OR_RETURN(const bool others, AreSumsOfOthers(writer_, book_));
    ASSIGN_OR_RETURN(SumsState state, SumsStateOf(writer_, book_));
    if (others || state.phase() == SumsState::MADE) return true;
    // Two processes that are at one step do it one after the other, and not twice at once: who
    // writes this second waits here, with nothing done yet.
    RETURN_IF_ERROR(PutSumsState(writer_, state));
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
    RETURN_IF_ERROR(Fetch(records));
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

  absl::Status Fetch(const std::vector<std::pair<RecordKey, RecordState>>& records) {
    if (!writer_.IsFar()) return absl::OkStatus();
    Foreseen foreseen;
    for (const auto& [key, state] : records) {
      ForeseeSums(book_, *schema_.Find(key.type), key.id, state.body, &foreseen);
    }
    return writer_.Fetch(foreseen);
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
    ASSIGN_OR_RETURN(const bool others, AreSumsOfOthers(writer, book));
    ASSIGN_OR_RETURN(const SumsState state, SumsStateOf(writer, book));
    if (!others && !state.incomplete()) return absl::OkStatus();
    SumsState fresh;
    fresh.set_made_by(state.made_by());
    return PutSumsState(writer, fresh);
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
  if (!Try([&]() -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(BeginSums(store_, book_));
        return true;
      })) {
    return;
  }
  Try([&] { return MakeSums(store_, schema_, book_, kSumsAtOnce); });
}

// Until it says that it is done. A database that cannot be reached, or is busy, is tried again.
bool SumsMaker::Try(absl::FunctionRef<absl::StatusOr<bool>()> step) {
  bool told = false;
  while (!IsStoppedWithin(absl::ZeroDuration())) {
    const absl::StatusOr<bool> done = step();
    if (done.ok() && *done) return true;
    if (done.ok()) continue;
    if (!std::exchange(told, true)) {
      observer_.OnTrouble({.what = Trouble::What::kSums, .status = done.status()});
    }
    if (!absl::IsUnavailable(done.status()) || IsStoppedWithin(kPause)) return false;
  }
  return false;
}

bool SumsMaker::IsStoppedWithin(absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&stopped_), patience);
}

}  // namespace zhibu::server
