// The laws of the merge (see sync/merge/merge.h), first exhaustively on small cases,
// then on random ones. A history is what really can happen:
//
//   every device makes its edits in order, each on what it saw: the first k
//   edits that the server had taken, and its own before it;
//   the server may take the same edits in another order wherever that leaves
//   every device having seen what it saw.
//
// All orders of one history must give the same record.
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "sync/base/reason.h"
#include "tests/sync/story.h"

namespace zhibu {
namespace {

using sync::v1::Change;
using testing::Sampler;

// rapidcheck prints it; RC_PARAMS="seed=…" in the environment takes another.
const bool kSeeded = setenv("RC_PARAMS", "seed=20081231 max_success=300", /*overwrite=*/0) == 0;

// How many times as much as in everyday runs is tried: ZHIBU_LAWS_EFFORT=50.
size_t Effort() {
  const char* effort = getenv("ZHIBU_LAWS_EFFORT");
  return effort == nullptr ? 1 : std::max<size_t>(1, strtoul(effort, nullptr, 10));
}

// What somebody may do to the record; `n` tells one doing of it from another.
struct Act {
  const char* name;
  std::function<void(Sampler&, int n)> change;  // none: delete the record
};

const Act kDelete{"delete", nullptr};

Sampler::Item* ItemOf(Sampler& s, const std::string& key) {
  for (auto& item : *s.mutable_by_key()) {
    if (item.key() == key) return &item;
  }
  auto* item = s.add_by_key();
  item->set_key(key);
  return item;
}

template <typename List>
void Drop(List* list, const std::function<bool(const typename List::value_type&)>& which) {
  list->erase(std::remove_if(list->begin(), list->end(), which), list->end());
}

void DropItem(Sampler& s, const std::string& key) {
  Drop(s.mutable_by_key(), [&](const Sampler::Item& item) { return item.key() == key; });
}
void DropMember(Sampler& s, const std::string& member) {
  Drop(s.mutable_add_wins(), [&](const std::string& m) { return m == member; });
}
void AddMember(Sampler& s, const std::string& member) {
  DropMember(s, member);
  s.add_add_wins(member);
}

// A policy with a handful of acts that matter for it.
struct Case {
  const char* name;
  bool order_decides = false;  // FIRST, FORWARD, SERVER
  std::function<void(Sampler&)> before;
  std::vector<Act> acts;

  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

std::vector<Case> Cases() {
  const auto text = [](int n) { return absl::StrCat("v", n); };
  return {
      {"LATEST",
       false,
       [](Sampler& s) { s.set_latest("o"); },
       {{"set", [=](Sampler& s, int n) { s.set_latest(text(n)); }},
        {"same", [](Sampler& s, int) { s.set_latest("same"); }},
        {"clear", [](Sampler& s, int) { s.clear_latest(); }},
        kDelete}},
      {"LATEST_oneof",
       false,
       [](Sampler& s) { s.set_word("o"); },
       {{"word", [=](Sampler& s, int n) { s.set_word(text(n)); }},
        {"number", [](Sampler& s, int n) { s.set_number(n); }},
        {"clear", [](Sampler& s, int) { s.clear_choice(); }}}},
      {"LATEST_unknown",
       false,
       [](Sampler&) {},
       {{"set",
         [=](Sampler& s, int n) {
           auto* unknown = s.GetReflection()->MutableUnknownFields(&s);
           unknown->Clear();
           unknown->AddLengthDelimited(900, text(n));
         }},
        {"clear", [](Sampler& s, int) { s.GetReflection()->MutableUnknownFields(&s)->Clear(); }},
        kDelete}},
      {"ASK",
       false,
       [](Sampler& s) { s.set_ask("o"); },
       {{"set", [=](Sampler& s, int n) { s.set_ask(text(n)); }},
        {"same", [](Sampler& s, int) { s.set_ask("same"); }},
        {"clear", [](Sampler& s, int) { s.clear_ask(); }},
        kDelete}},
      {"SUM",
       false,
       [](Sampler& s) { s.set_sum(1), s.set_zigzag_sum(-1); },
       {{"add", [](Sampler& s, int n) { s.set_sum(s.sum() + n); }},
        {"take", [](Sampler& s, int n) { s.set_zigzag_sum(s.zigzag_sum() - 10 * n); }},
        {"zero", [](Sampler& s, int) { s.set_sum(0); }},
        kDelete}},
      {"MAX_MIN",
       false,
       [](Sampler& s) { s.mutable_max()->set_seconds(5), s.set_min(2); },
       {{"up", [](Sampler& s, int n) { s.mutable_max()->set_seconds(n * 7 % 10); }},
        {"down", [](Sampler& s, int n) { s.set_min(3 - n * 7 % 10); }},
        {"zero", [](Sampler& s, int) { s.set_min(0); }},
        kDelete}},
      {"ADD_WINS",
       false,
       [](Sampler& s) { AddMember(s, "a"), AddMember(s, "b"); },
       {{"add", [](Sampler& s, int) { AddMember(s, "a"); }},
        {"remove", [](Sampler& s, int) { DropMember(s, "a"); }},
        {"swap", [](Sampler& s, int) { DropMember(s, "b"), AddMember(s, "c"); }},
        kDelete}},
      {"BY_KEY",
       false,
       [](Sampler& s) { ItemOf(s, "k")->set_text("o"), ItemOf(s, "k")->set_votes(1); },
       {{"text", [=](Sampler& s, int n) { ItemOf(s, "k")->set_text(text(n)); }},
        {"votes",
         [](Sampler& s, int n) { ItemOf(s, "k")->set_votes(ItemOf(s, "k")->votes() + n); }},
        {"remove", [](Sampler& s, int) { DropItem(s, "k"); }},
        kDelete}},
      {"BY_KEY_nested",
       false,
       [](Sampler& s) {
         auto* part = ItemOf(s, "k")->add_parts();
         part->set_key("p"), part->set_votes(1), part->add_tags("t");
       },
       {{"part",
         [=](Sampler& s, int n) {
           auto* item = ItemOf(s, "k");
           auto* part = item->parts().empty() ? item->add_parts() : item->mutable_parts(0);
           part->set_key("p"), part->set_votes(part->votes() + n), part->set_text(text(n));
         }},
        {"drop part", [](Sampler& s, int) { ItemOf(s, "k")->clear_parts(); }},
        {"remove", [](Sampler& s, int) { DropItem(s, "k"); }}}},
      {"BY_KEY_map",
       false,
       [](Sampler& s) { (*s.mutable_map())["k"] = 1; },
       {{"set", [](Sampler& s, int n) { (*s.mutable_map())["k"] = n; }},
        {"zero", [](Sampler& s, int) { (*s.mutable_map())["k"] = 0; }},
        {"erase", [](Sampler& s, int) { s.mutable_map()->erase("k"); }},
        kDelete}},
      {"FIRST",
       true,
       [](Sampler&) {},
       {{"set", [=](Sampler& s, int n) { s.set_first(text(n)); }},
        {"same", [](Sampler& s, int) { s.set_first("same"); }},
        {"other", [=](Sampler& s, int n) { s.set_latest(text(n)); }},
        kDelete}},
      {"FORWARD",
       true,
       [](Sampler& s) { s.set_forward(Sampler::OPENED); },
       {{"take", [](Sampler& s, int) { s.set_forward(Sampler::TAKEN); }},
        {"drop", [](Sampler& s, int) { s.set_forward(Sampler::DROPPED); }},
        {"done", [](Sampler& s, int) { s.set_forward(Sampler::DONE); }},
        kDelete}},
      {"SERVER",
       true,
       [](Sampler&) {},
       {{"set", [=](Sampler& s, int n) { s.set_server(text(n)); }},
        {"other", [=](Sampler& s, int n) { s.set_latest(text(n)); }}}},
  };
}

constexpr uint32_t kFirstDevice = 11;

// One edit of a history.
struct Made {
  int device = 0;
  size_t saw = 0;  // how many edits the server had taken when it was made
  const Act* act = nullptr;
  int n = 0;
  Sent sent;
};

// The server's record after each of the edits it took.
class Taken {
 public:
  explicit Taken(RecordState before) : states_{std::move(before)} {}

  absl::Status Take(const Made& made, Outcome* outcome = nullptr) {
    Outcome unread;
    RecordState next = states_.back();
    Change change = made.sent.change;
    change.set_base(BaseAfter(made.saw));
    const Version version(1 + states_.size());
    absl::Status status =
        Apply(&SamplerType(), change, {made.sent.device, version, made.sent.stamp}, &next,
              outcome == nullptr ? &unread : outcome);
    states_.push_back(std::move(next));
    return status;
  }
  void Undo() { states_.pop_back(); }

  const RecordState& After(size_t count) const { return states_[count]; }
  const RecordState& last() const { return states_.back(); }
  // What a device says it saw that had seen the first `count`.
  uint64_t BaseAfter(size_t count) const {
    return states_[count].alive() ? states_[count].version().value : 1 + count;
  }

 private:
  std::vector<RecordState> states_;
};

std::string TextOf(const std::vector<Made>& made, const std::vector<int>& order) {
  std::string text;
  for (const int i : order) {
    absl::StrAppend(&text, "\n  ", std::string(1, static_cast<char>('A' + made[i].device)),
                    " having seen ", made[i].saw, " at ", made[i].sent.stamp.value, ": ",
                    made[i].act->name, " ", made[i].n);
  }
  return text;
}

// Makes a history, in the order in which the server first takes it.
class Writers {
 public:
  Writers(const RecordState& before, int devices) : taken_(before), devices_(devices) {}

  // False where the act comes to nothing: there is no record to delete, or the
  // device itself refuses it.
  bool Make(int device, size_t saw, const Act& act, uint64_t haste) {
    Writer& writer = devices_[device];
    saw = std::clamp(saw, writer.saw, made_.size());
    writer.saw = saw;
    RecordState view = View(device, saw);
    Made made{device, saw, &act, static_cast<int>(made_.size()) + 1, {}};
    made.sent.device = DeviceNumber(kFirstDevice + static_cast<uint32_t>(device));
    // A hybrid clock: later than all it has seen, by more or less.
    for (size_t i = 0; i < saw; ++i) {
      writer.clock = std::max(writer.clock, made_[i].sent.stamp.value);
    }
    made.sent.stamp = Stamp(writer.clock += 1 + haste);
    if (!Fill(act, view, &made)) return false;
    made.sent.change.set_base(taken_.BaseAfter(saw));
    Outcome outcome;
    if (!Apply(&SamplerType(), made.sent.change,
               {made.sent.device, kPendingVersion, made.sent.stamp}, &view, &outcome)
             .ok()) {
      return false;
    }
    view_ = std::move(view);
    status_ = taken_.Take(made, &outcomes_.emplace_back());
    made_.push_back(std::move(made));
    return true;
  }

  const std::vector<Made>& made() const { return made_; }
  const Taken& taken() const { return taken_; }
  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  // What the author of the last edit saw once it was made, and the server's answer.
  const RecordState& view() const { return view_; }
  const absl::Status& status() const { return status_; }

 private:
  struct Writer {
    size_t saw = 0;
    uint64_t clock = 0;
  };

  // view = what the server had said, and on top what it has not taken yet
  RecordState View(int device, size_t saw) const {
    RecordState view = taken_.After(saw);
    for (size_t i = saw; i < made_.size(); ++i) {
      if (made_[i].device != device) continue;
      Outcome outcome;
      const Sent& sent = made_[i].sent;
      Apply(&SamplerType(), sent.change, {sent.device, kPendingVersion, sent.stamp}, &view,
            &outcome)
          .IgnoreError();
    }
    return view;
  }

  static bool Fill(const Act& act, const RecordState& view, Made* made) {
    Change& change = made->sent.change;
    if (act.change == nullptr) {
      change.set_kind(Change::DELETE);
      return view.alive();
    }
    const std::string before = view.alive() ? view.body : "";
    Sampler after;
    after.ParseFromString(before);
    act.change(after, made->n);
    change.set_kind(view.alive() ? Change::UPDATE : Change::CREATE);
    return Diff(SamplerType(), before, after.SerializeAsString(), &change) || !view.alive();
  }

  Taken taken_;
  std::vector<Writer> devices_;
  std::vector<Made> made_;
  std::vector<Outcome> outcomes_;
  RecordState view_;
  absl::Status status_;
};

// Every order in which the server can take the edits of one history.
class Orders {
 public:
  // Called with each order and what the server then has; false ends it.
  using Visit = std::function<bool(const std::vector<int>& order, const Taken& taken)>;

  Orders(const std::vector<Made>& made, const RecordState& before, bool returns)
      : made_(made), taken_(before), returns_(returns), used_(made.size()) {
    for (const Made& m : made) cuts_.insert(m.saw);
  }

  void ForEach(const Visit& visit) { Next(visit); }
  // Of orders that were asked for, how many edits were returned.
  size_t returned() const { return returned_; }

 private:
  // Whether all of the first edits, up to each cut, are the same edits.
  bool MayTake(size_t i) const {
    if (used_[i]) return false;
    const auto cut = cuts_.upper_bound(order_.size());
    if (cut != cuts_.end() && i >= *cut) return false;
    for (size_t j = 0; j < i; ++j) {
      if (!used_[j] && made_[j].device == made_[i].device) return false;
    }
    return made_[i].saw <= order_.size();
  }

  bool Next(const Visit& visit) {
    if (order_.size() == made_.size()) return visit(order_, taken_);
    for (size_t i = 0; i < made_.size(); ++i) {
      if (!MayTake(i)) continue;
      used_[i] = true;
      order_.push_back(static_cast<int>(i));
      const bool went_on = Take(i) && Next(visit);
      taken_.Undo();
      order_.pop_back();
      used_[i] = false;
      if (!went_on) return false;
    }
    return true;
  }

  // An edit is taken whole, or its author is told why not.
  bool Take(size_t i) {
    const RecordState before = taken_.last();
    const absl::Status status = taken_.Take(made_[i]);
    if (status.ok()) return true;
    ++returned_;
    EXPECT_TRUE(returns_) << status;
    EXPECT_NE(ReasonOf(status).reason, sync::v1::NO_REASON) << status;
    EXPECT_EQ(taken_.last().body, before.body);
    EXPECT_EQ(taken_.last().trace, before.trace);
    return returns_;
  }

  const std::vector<Made>& made_;
  Taken taken_;
  const bool returns_;
  std::vector<char> used_;
  std::vector<int> order_;
  std::set<size_t> cuts_;
  size_t returned_ = 0;
};

// Counts what was tried, and tells it at the end.
class Tally {
 public:
  explicit Tally(std::string what) : what_(std::move(what)) {}
  ~Tally() {
    const auto spent = std::chrono::steady_clock::now() - start_;
    std::cout << what_ << ": " << histories << " histories, " << orders << " orders, "
              << std::chrono::duration_cast<std::chrono::milliseconds>(spent).count() << " ms\n";
  }
  size_t histories = 0;
  size_t orders = 0;

 private:
  const std::string what_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The order law for one history; false where it does not hold.
bool SameInEveryOrder(const Writers& writers, const RecordState& before, size_t orders_max,
                      Tally* tally) {
  ++tally->histories;
  std::string first;
  std::vector<int> first_order;
  bool same = true;
  size_t orders = 0;
  Orders(writers.made(), before, /*returns=*/false)
      .ForEach([&](const std::vector<int>& order, const Taken& taken) {
        const std::string text = TextOf(taken.last());
        if (first_order.empty()) {
          first_order = order;
          first = text;
        } else if (text != first) {
          same = false;
          ADD_FAILURE() << "one order:" << TextOf(writers.made(), first_order) << "\ngives  "
                        << first << "\nother order:" << TextOf(writers.made(), order) << "\ngives  "
                        << text;
        }
        return same && ++orders < orders_max;
      });
  tally->orders += orders;
  return same && orders > 0;
}

RecordState Before(const std::function<void(Sampler&)>& change) {
  RecordState state;
  if (change == nullptr) return state;
  Server server;
  Device secretary("secretary", 10);
  secretary.Edit(change);
  EXPECT_TRUE(server.Take(secretary).ok());
  return server.state();
}

class EveryOrder : public ::testing::TestWithParam<Case> {
 protected:
  // All words of `length` letters out of `alphabet`.
  static bool Advance(std::vector<size_t>* word, size_t alphabet) {
    for (size_t& letter : *word) {
      if (++letter < alphabet) return true;
      letter = 0;
    }
    return false;
  }

  // `exact`: passes over words that say no more than others.
  static bool PartlySeen(int devices, const std::vector<size_t>& word, const RecordState& before,
                         bool exact, Tally* tally) {
    const Case& c = GetParam();
    Writers writers(before, devices);
    for (size_t letter : word) {
      const auto take = [&](size_t count) {
        const size_t digit = letter % count;
        letter /= count;
        return digit;
      };
      const Act& act = c.acts[take(c.acts.size())];
      const int device = static_cast<int>(take(static_cast<size_t>(devices)));
      const size_t saw = take(word.size() + 1);
      // Tried as another word already.
      if (exact && saw > writers.made().size()) return true;
      writers.Make(device, saw, act, letter % 3);
    }
    return writers.made().empty() || SameInEveryOrder(writers, before, 500, tally);
  }

  // Offline: nobody sees anything of the others. Device d does the acts
  // d*edits … d*edits+edits-1.
  void Offline(int devices, int edits, const RecordState& before, size_t every, Tally* tally) {
    const Case& c = GetParam();
    std::vector<size_t> acts(static_cast<size_t>(devices * edits));
    std::mt19937_64 random(7);
    do {
      if (random() % every >= Effort()) continue;
      Writers writers(before, devices);
      for (size_t i = 0; i < acts.size(); ++i) {
        writers.Make(static_cast<int>(i) / edits, 0, c.acts[acts[i]], random() % 3);
      }
      if (!SameInEveryOrder(writers, before, SIZE_MAX, tally)) return;
    } while (Advance(&acts, c.acts.size()));
  }
};

TEST_P(EveryOrder, OfDevicesThatAreOfflineGivesTheSameRecord) {
  const Case& c = GetParam();
  if (c.order_decides) GTEST_SKIP() << "the server's order decides";
  Tally tally(absl::StrCat(c.name, " offline"));
  for (const RecordState& before : {Before(c.before), Before(nullptr)}) {
    const bool few = c.acts.size() < 4;
    Offline(2, 3, before, before.exists ? 1 : 4, &tally);
    Offline(3, 2, before, few ? 2 : 16, &tally);
    Offline(3, 3, before, few ? 4096 : 32768, &tally);
  }
}

TEST_P(EveryOrder, OfDevicesThatSeeSomeOfItGivesTheSameRecord) {
  const Case& c = GetParam();
  if (c.order_decides) GTEST_SKIP() << "the server's order decides";
  Tally tally(absl::StrCat(c.name, " partly seen"));
  const RecordState before = Before(c.before);
  // A word says who writes, what, and having seen how much. Three edits of two
  // devices in every way, more of them in some.
  std::vector<size_t> word(3);
  do {
    if (!PartlySeen(2, word, before, /*exact=*/true, &tally)) return;
  } while (Advance(&word, c.acts.size() * 2 * (word.size() + 1)));
  std::mt19937_64 random(8);
  for (const auto& [devices, edits] : {std::pair(2, 4), {3, 4}, {2, 6}, {3, 6}}) {
    for (size_t i = 0; i < 500 * Effort(); ++i) {
      std::vector<size_t> any(static_cast<size_t>(edits));
      for (size_t& letter : any) letter = random() >> 8;
      if (!PartlySeen(devices, any, before, /*exact=*/false, &tally)) return;
    }
  }
}

// FIRST, FORWARD, SERVER: whoever comes second is told.
TEST_P(EveryOrder, TakesAnEditWholeOrReturnsIt) {
  const Case& c = GetParam();
  if (!c.order_decides) GTEST_SKIP() << "no order decides";
  Tally tally(absl::StrCat(c.name, " returned or taken"));
  size_t returned = 0;
  const RecordState before = Before(c.before);
  std::vector<size_t> acts(4);
  do {
    Writers writers(before, 2);
    for (size_t i = 0; i < acts.size(); ++i) {
      writers.Make(static_cast<int>(i) / 2, 0, c.acts[acts[i]], 0);
    }
    ++tally.histories;
    Orders orders(writers.made(), before, /*returns=*/true);
    orders.ForEach([&](const std::vector<int>& order, const Taken& taken) {
      ++tally.orders;
      for (size_t i = 0; i < order.size(); ++i) {
        const Made& made = writers.made()[static_cast<size_t>(order[i])];
        const RecordState& after = taken.After(i + 1);
        const bool taken_in =
            after.touch.writer == made.sent.device && after.touch.stamp == made.sent.stamp;
        if (!taken_in || !after.alive()) continue;  // returned, deleted
        Sampler written, now;
        written.ParseFromString(made.sent.change.set());
        now.ParseFromString(after.body);
        if (!written.first().empty()) {
          EXPECT_EQ(now.first(), written.first());
        }
        if (written.forward() != 0) {
          EXPECT_EQ(now.forward(), written.forward());
        }
        EXPECT_EQ(now.server(), "");
      }
      return true;
    });
    returned += orders.returned();
  } while (!HasFailure() && Advance(&acts, c.acts.size()));
  if (absl::string_view(c.name) != "SERVER") {
    EXPECT_GT(returned, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Policy, EveryOrder, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

// --- Random histories over all policies at once ---

const std::vector<Act>& AllActs() {
  static const std::vector<Act> acts = [] {
    std::vector<Act> all;
    for (const Case& c : Cases()) {
      if (c.order_decides) continue;
      for (const Act& act : c.acts) all.push_back(act);
    }
    return all;
  }();
  return acts;
}

struct Move {
  int device;
  size_t saw;
  size_t act;
  uint64_t haste;
};

void showValue(const Move& move, std::ostream& os) {
  os << "{" << move.device << " saw " << move.saw << " " << AllActs()[move.act].name << " "
     << move.haste << "}";
}

rc::Gen<std::vector<Move>> Moves(bool deletes) {
  const auto act = rc::gen::suchThat(rc::gen::inRange<size_t>(0, AllActs().size()),
                                     [=](size_t i) { return deletes || AllActs()[i].change; });
  return rc::gen::container<std::vector<Move>>(
      rc::gen::construct<Move>(rc::gen::inRange(0, 3), rc::gen::inRange<size_t>(0, 9), act,
                               rc::gen::inRange<uint64_t>(0, 4)));
}

void Everything(Sampler& s) {
  for (const Case& c : Cases()) {
    if (!c.order_decides) c.before(s);
  }
}

constexpr size_t kMovesMax = 8;

Writers Play(const std::vector<Move>& moves, const RecordState& before) {
  Writers writers(before, 3);
  for (const Move& move : moves) {
    if (writers.made().size() == kMovesMax) break;
    writers.Make(move.device, move.saw, AllActs()[move.act], move.haste);
  }
  return writers;
}

// Which edits the author of an edit had seen, by position.
bool Saw(const std::vector<Made>& made, size_t later, size_t earlier) {
  return earlier < made[later].saw ||
         (earlier < later && made[earlier].device == made[later].device);
}

RC_GTEST_PROP(RandomHistory, GivesTheSameRecordInEveryOrder, ()) {
  const auto moves = *Moves(true);
  static Tally tally("random order");
  const RecordState before = Before(*rc::gen::arbitrary<bool>() ? Everything : nullptr);
  const Writers writers = Play(moves, before);
  if (writers.made().empty()) return;
  RC_ASSERT(SameInEveryOrder(writers, before, 200, &tally));
}

RC_GTEST_PROP(RandomHistory, LosesNothingOfLatest, ()) {
  const auto moves = *Moves(true);
  const Writers writers = Play(moves, Before(Everything));
  const auto& made = writers.made();
  const auto written = [&](const Made& m) {
    Sampler set;
    set.ParseFromString(m.sent.change.set());
    return set.latest();
  };
  const auto replaces = [&](const Made& m) {
    const auto& cleared = m.sent.change.without().cleared();
    return m.act->change == nullptr || m.sent.change.kind() == Change::CREATE ||
           !written(m).empty() || std::find(cleared.begin(), cleared.end(), 2u) != cleared.end();
  };
  Sampler final;
  final.ParseFromString(writers.taken().last().body);
  for (size_t i = 0; i < made.size(); ++i) {
    const std::string value = written(made[i]);
    bool found = value.empty() || final.latest() == value;
    // Overwritten by someone who had seen the value, whoever wrote it.
    for (size_t k = 0; k < made.size(); ++k) {
      if (written(made[k]) != value) continue;
      for (size_t j = k + 1; j < made.size(); ++j) {
        found = found || (Saw(made, j, k) && replaces(made[j]));
      }
    }
    for (const Outcome& outcome : writers.outcomes()) {
      for (const Conflict& conflict : outcome.conflicts) {
        found =
            found || absl::EndsWith(conflict.kept, value) || absl::EndsWith(conflict.lost, value);
      }
    }
    RC_ASSERT(found);
  }
}

RC_GTEST_PROP(RandomHistory, HasConflictsOnlyBetweenConcurrentDifferentWrites, ()) {
  const auto moves = *Moves(true);
  const Writers writers = Play(moves, Before(Everything));
  const auto& made = writers.made();
  const auto find = [&](const Touch& touch) -> size_t {
    for (size_t i = 0; i < made.size(); ++i) {
      if (made[i].sent.device == touch.writer && made[i].sent.stamp == touch.stamp) return i;
    }
    return made.size();
  };
  for (const Outcome& outcome : writers.outcomes()) {
    for (const Conflict& conflict : outcome.conflicts) {
      if (conflict.kind == Conflict::Kind::kKeptFromDeletion) continue;
      RC_ASSERT(conflict.kept != conflict.lost);
      const size_t kept = find(conflict.kept_touch);
      const size_t lost = find(conflict.lost_touch);
      RC_ASSERT(kept < made.size() && lost < made.size());
      RC_ASSERT(!Saw(made, kept, lost) && !Saw(made, lost, kept));
    }
  }
}

RC_GTEST_PROP(RandomHistory, IsAtTheDeviceAsTheServerWillHaveIt, ()) {
  const auto moves = *Moves(true);
  Writers writers(Before(Everything), 3);
  for (const Move& move : moves) {
    const size_t n = writers.made().size();
    if (n == kMovesMax) break;
    if (!writers.Make(move.device, move.saw, AllActs()[move.act], move.haste)) continue;
    RC_ASSERT(writers.status().ok());
    // Had nobody else written since its author last saw the server.
    bool alone = true;
    for (size_t i = 0; i < n; ++i) alone = alone && Saw(writers.made(), n, i);
    if (alone) RC_ASSERT(TextOf(writers.view()) == TextOf(writers.taken().last()));
  }
}

RC_GTEST_PROP(RandomHistory, CountsEveryAdditionOnce, ()) {
  const auto moves = *Moves(false);
  const RecordState before = Before(Everything);
  const Writers writers = Play(moves, before);
  Sampler start, final;
  start.ParseFromString(before.body);
  final.ParseFromString(writers.taken().last().body);
  absl::int128 sum = start.sum();
  absl::int128 zigzag = start.zigzag_sum();
  for (const Made& made : writers.made()) {
    Sampler addends;
    addends.ParseFromString(made.sent.change.set());
    sum += addends.sum();
    zigzag += addends.zigzag_sum();
  }
  RC_ASSERT(static_cast<absl::int128>(final.sum()) == sum);
  RC_ASSERT(static_cast<absl::int128>(final.zigzag_sum()) == zigzag);
}

// A set is the additions that no removal had seen.
RC_GTEST_PROP(RandomHistory, HasInASetWhatNobodyWhoSawItRemoved, ()) {
  const auto moves = *Moves(false);
  const Writers writers = Play(moves, Before(Everything));
  const auto& made = writers.made();
  std::vector<std::pair<std::string, int>> tags = {{"a", -1}, {"b", -1}};
  for (size_t i = 0; i < made.size(); ++i) {
    for (const auto& removed : made[i].sent.change.without().removed()) {
      if (removed.field() != 9) continue;
      for (const std::string& member : removed.elements()) {
        Drop(&tags, [&](const auto& tag) {
          return tag.first == member &&
                 (tag.second < 0 || Saw(made, i, static_cast<size_t>(tag.second)));
        });
      }
    }
    Sampler added;
    added.ParseFromString(made[i].sent.change.set());
    for (const std::string& m : added.add_wins()) tags.emplace_back(m, static_cast<int>(i));
  }
  std::set<std::string> expected;
  for (const auto& tag : tags) expected.insert(tag.first);
  Sampler final;
  final.ParseFromString(writers.taken().last().body);
  RC_ASSERT(std::set<std::string>(final.add_wins().begin(), final.add_wins().end()) == expected);
  RC_ASSERT(std::is_sorted(final.add_wins().begin(), final.add_wins().end()));
}

// A bystander that sees everything at once would have the same.
RC_GTEST_PROP(RandomHistory, LeavesABodyInCanonicalForm, ()) {
  const auto moves = *Moves(true);
  const Writers writers = Play(moves, Before(Everything));
  const std::string& body = writers.taken().last().body;
  RC_ASSERT(Canonical(SamplerType().fields, body) == body);
  Change nothing;
  RC_ASSERT(!Diff(SamplerType(), body, body, &nothing));
}

RC_GTEST_PROP(RandomDiff, IsWhatLeadsFromBeforeToAfter, ()) {
  const auto play = [](const std::vector<size_t>& acts) {
    Sampler sampler;
    int n = 0;
    for (const size_t act : acts) {
      // MAX only rises and MIN only falls, so no edit leads back from either.
      if (AllActs()[act].change) AllActs()[act].change(sampler, ++n);
    }
    sampler.clear_max();
    sampler.clear_min();
    return sampler;
  };
  const auto acts =
      rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, AllActs().size()));
  const std::string before = play(*acts).SerializeAsString();
  const std::string after = play(*acts).SerializeAsString();
  RecordState state = Before([&](Sampler& s) { s.ParseFromString(before); });
  RC_ASSERT(state.body == Canonical(SamplerType().fields, before));
  Change change;
  change.set_base(1);
  const bool changed = Diff(SamplerType(), before, after, &change);
  RC_ASSERT(changed ==
            (Canonical(SamplerType().fields, before) != Canonical(SamplerType().fields, after)));
  Outcome outcome;
  RC_ASSERT(
      Apply(&SamplerType(), change, {DeviceNumber(11), Version(2), Stamp(9)}, &state, &outcome)
          .ok());
  RC_ASSERT(state.body == Canonical(SamplerType().fields, after));
  RC_ASSERT(outcome.conflicts.empty());
}

}  // namespace
}  // namespace zhibu
