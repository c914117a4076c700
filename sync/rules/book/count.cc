#include "sync/rules/book/count.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/judged.h"
#include "sync/wire/record.h"

namespace zhibu::rules {
namespace {

using cel::Program;
using cel::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string BytesIn(const Message& record, const FieldDescriptor& field) {
  return record.GetReflection()->GetString(record, &field);
}

// One record by one figure.
class Counting {
 public:
  Counting(const Figure& figure, const Id& id, const Message& record, Neighbours& around,
           std::vector<RecordKey>* looked_at)
      : figure_(figure), id_(id), record_(record), around_(around), looked_at_(looked_at) {
    if (figure.LooksAtOthers()) {
      places_ = PlacesOf(*figure.of, id, record.SerializePartialAsString());
    }
    activation_.Set(figure.self, Value::OfMessage(&record));
    activation_.Set(figure.id, Value::Bytes(id.str()));
  }

  absl::StatusOr<std::vector<Counted>> Run() {
    const std::optional<Id> keeper = Keeper();
    if (keeper) {
      keeper_ = *keeper;
      ASSIGN_OR_RETURN(const bool undone, IsUndone());
      if (!undone) RETURN_IF_ERROR(CountElements());
    }
    RETURN_IF_ERROR(trouble_);
    return std::move(counted_);
  }

  absl::StatusOr<std::optional<Id>> Ended() {
    const auto same = Id::FromBytes(BytesIn(record_, *figure_.followed_by));
    const std::optional<Follower> own = AsFollower();
    if (!same || !own) return std::nullopt;
    ASSIGN_OR_RETURN(const std::vector<Follower>* all, FollowersOf(*same));
    const auto place = std::lower_bound(all->begin(), all->end(), *own);
    if (place == all->begin()) return std::nullopt;
    const Follower& before = *std::prev(place);
    return std::get<0>(before) == std::get<0>(*own) ? std::optional(std::get<2>(before))
                                                    : std::nullopt;
  }

 private:
  std::optional<Id> Keeper() const {
    if (figure_.organisation == nullptr) return id_;
    return Id::FromBytes(BytesIn(record_, *figure_.organisation));
  }

  // It takes another back, or is taken back.
  absl::StatusOr<bool> IsUndone() {
    if (figure_.undone_by == nullptr) return false;
    bool undone = !BytesIn(record_, *figure_.undone_by).empty();
    if (undone) return true;
    // One does; there may be thousands.
    RETURN_IF_ERROR(
        around_.PointingAt(*figure_.of, *figure_.undone_by, id_, [&](const Id&, const Message&) {
          undone = true;
          return false;
        }));
    return undone;
  }

  absl::Status CountElements() {
    if (figure_.each == nullptr) return CountOne();
    const auto& reflection = *record_.GetReflection();
    for (int i = 0; i < reflection.FieldSize(record_, figure_.each); ++i) {
      activation_.Set(figure_.element,
                      Value::OfMessage(&reflection.GetRepeatedMessage(record_, figure_.each, i)));
      RETURN_IF_ERROR(CountOne());
    }
    return absl::OkStatus();
  }

  absl::Status CountOne() {
    Counted counted{.organisation = keeper_};
    fault_.clear();
    day_ = absl::CivilDay();
    std::optional<bool> holds;
    if (!figure_.asks_parameters) holds = Holds();
    if (holds == false) return absl::OkStatus();
    const bool dated = SetDays(&counted);
    if (figure_.asks_parameters) holds = Holds();
    if (holds == false || (dated && IsBefore(counted))) return absl::OkStatus();
    if (dated && figure_.followed_by != nullptr) RETURN_IF_ERROR(EndWithNext(&counted));
    if (counted.from && counted.until && *counted.until <= *counted.from) return absl::OkStatus();
    counted.known = holds.has_value() && dated && SetAmount(&counted);
    for (const Breakdown& by : figure_.by) counted.buckets.push_back(by.BucketOf(Evaluate(*by.is)));
    SetPersons(&counted);
    counted.fault = fault_;
    counted_.push_back(std::move(counted));
    return absl::OkStatus();
  }

  // Nothing: it is not known.
  std::optional<bool> Holds() {
    if (!figure_.when) return true;
    const Value value = Evaluate(*figure_.when);
    return value.is_proper() ? std::optional(value.is_bool(true)) : std::nullopt;
  }

  bool IsBefore(const Counted& counted) const {
    const auto from = DayFrom(figure_.text.from());
    return !figure_.stands() && from && counted.from < from;
  }

  // False: a day is not known.
  bool SetDays(Counted* counted) {
    // The latest parameters, until it is known.
    day_ = kLastDay;
    if (figure_.day && !SetDay(*figure_.day, &counted->from)) return false;
    if (counted->from) day_ = *counted->from;
    return !figure_.until || SetDay(*figure_.until, &counted->until);
  }
  // What stands without a day on which it began always has; without one on which it ended it does.
  bool SetDay(const Program& program, std::optional<absl::CivilDay>* day) {
    const Value value = Evaluate(program);
    const bool none = value.kind() == cel::Kind::kString && value.text().empty();
    if (none && figure_.stands()) return true;
    *day = DayIn(value);
    return day->has_value();
  }

  std::optional<absl::CivilDay> Day(const Program& program) { return DayIn(Evaluate(program)); }
  std::optional<absl::CivilDay> DayIn(const Value& value) const {
    const std::optional<absl::CivilDay> day = value.is_proper() ? DayOf(value) : std::nullopt;
    return day && kFirstDay <= *day && *day <= kLastDay ? day : std::nullopt;
  }

  // The day of the next with the same in the field, or of one that follows it by its id on the
  // same.
  absl::Status EndWithNext(Counted* counted) {
    const auto same = Id::FromBytes(BytesIn(record_, *figure_.followed_by));
    if (!same || !counted->from) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<Follower>* all, FollowersOf(*same));
    const auto next =
        std::upper_bound(all->begin(), all->end(), Follower(keeper_, *counted->from, id_));
    if (next == all->end() || std::get<0>(*next) != keeper_) return absl::OkStatus();
    const absl::CivilDay day = std::get<1>(*next);
    if (!counted->until || day < *counted->until) counted->until = day;
    return absl::OkStatus();
  }

  absl::StatusOr<const std::vector<Follower>*> FollowersOf(const Id& same) {
    const std::pair<uint32_t, Id> key(figure_.number, same);
    const auto found = around_.followers().find(key);
    if (found != around_.followers().end()) return &found->second;
    std::vector<Follower> all;
    RETURN_IF_ERROR(around_.PointingAt(
        *figure_.of, *figure_.followed_by, same, [&](const Id& id, const Message& other) {
          const auto one = Counting(figure_, id, other, around_, nullptr).AsFollower();
          if (one) all.push_back(*one);
          return true;
        }));
    std::sort(all.begin(), all.end());
    return &around_.followers().emplace(key, std::move(all)).first->second;
  }

  // Nothing: it ends no other.
  std::optional<Follower> AsFollower() {
    const std::optional<Id> keeper = Keeper();
    if (!keeper || Holds() != true) return std::nullopt;
    const auto day = Day(*figure_.day);
    if (!day) return std::nullopt;
    return Follower(*keeper, *day, id_);
  }

  bool SetAmount(Counted* counted) {
    if (!figure_.counts) return true;
    const Value value = Evaluate(*figure_.counts);
    if (!value.is_proper()) return false;
    counted->amount = value.int_value();
    if (-kAmountMax <= counted->amount && counted->amount <= kAmountMax) return true;
    fault_ =
        absl::StrCat(figure_.text.key(), ": counts: ", counted->amount, " is more than can be");
    return false;
  }

  void SetPersons(Counted* counted) const {
    const auto add = [&](absl::string_view bytes) {
      if (const auto id = Id::FromBytes(bytes)) counted->persons.push_back(*id);
    };
    if (figure_.whose_id) return add(id_.bytes());
    if (figure_.whose == nullptr) return;
    if (!figure_.whose->is_repeated()) return add(BytesIn(record_, *figure_.whose));
    const auto& reflection = *record_.GetReflection();
    std::string scratch;
    for (int i = 0; i < reflection.FieldSize(record_, figure_.whose); ++i) {
      add(reflection.GetRepeatedStringReference(record_, figure_.whose, i, &scratch));
    }
  }

  Value Evaluate(const Program& program) {
    const Judged host(day_, *figure_.of, id_, record_, places_, around_, &trouble_, looked_at_);
    activation_.set_host(&host);
    Value value = program.Evaluate(activation_, kExpressionBudget);
    activation_.set_host(nullptr);
    if (value.is_error()) fault_ = absl::StrCat(figure_.text.key(), ": ", value.ToText());
    return value;
  }

  const Figure& figure_;
  const Id& id_;
  const Message& record_;
  Neighbours& around_;
  std::vector<RecordKey>* const looked_at_;
  std::vector<Placed> places_;
  cel::Activation activation_;
  Id keeper_;
  absl::CivilDay day_;
  std::string fault_;
  absl::Status trouble_;
  std::vector<Counted> counted_;
};

}  // namespace

absl::StatusOr<std::vector<Counted>> CountBy(const Figure& figure, const Id& id,
                                             const Message& record, Neighbours* around,
                                             std::vector<RecordKey>* looked_at) {
  return Counting(figure, id, record, *around, looked_at).Run();
}

absl::StatusOr<std::optional<Id>> EndedBy(const Figure& figure, const Id& id, const Message& record,
                                          Neighbours* around) {
  return Counting(figure, id, record, *around, nullptr).Ended();
}

void AddShares(const Figure& figure, const Counted& counted,
               absl::FunctionRef<void(const SumKey&, const Sum&)> add) {
  SumKey key{.figure = figure.number};
  const int32_t begins = counted.from ? MonthOf(*counted.from) : kAllTimes;
  if (!counted.known) {
    key.by = kNotKnown;
    key.month = figure.stands() ? kAllTimes : begins;
    return add(key, {0, 1});
  }
  const auto each = [&](int32_t month, const Sum& sum) {
    key.month = month;
    key.by = kWhole;
    key.bucket = 0;
    add(key, sum);
    for (size_t i = 0; i < counted.buckets.size(); ++i) {
      key.by = static_cast<uint32_t>(i) + 1;
      key.bucket = counted.buckets[i];
      add(key, sum);
    }
  };
  const Sum sum{counted.amount, 1};
  if (!figure.stands()) return each(begins, sum);
  if (counted.from) each(begins, sum);
  if (counted.until) return each(MonthOf(*counted.until), -sum);
  each(kAllTimes, sum);
}

}  // namespace zhibu::rules
