// Small worlds, all of them: two devices that both change one record, in every
// order of committing, syncing and being cut off, for each policy, for deletions
// and for moves between scopes.
//
// A story is a word: a and b commit, A and B sync, x and y are syncs that are cut
// off after some frames. "abAxB" – and then everybody syncs, and the record is
// what the reference says, on the server and on both devices.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {
namespace {

using zhibu::testing::Sampler;

// What the nth edit of a story does; false: it deletes.
struct Kind {
  std::string name;
  std::function<bool(Universe*, int n, Sampler*)> change;
};

// The element of that key, made if need be.
Sampler::Item& ItemOf(Sampler* sampler, const std::string& key) {
  for (auto& item : *sampler->mutable_by_key()) {
    if (item.key() == key) return item;
  }
  auto* item = sampler->add_by_key();
  item->set_key(key);
  return *item;
}

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kKinds = {
      {"latest",
       [](Universe*, int n, Sampler* s) {
         s->set_latest(n == 3 ? "" : absl::StrCat("word ", n));
         return true;
       }},
      {"ask",
       [](Universe*, int n, Sampler* s) {
         s->set_ask(absl::StrCat("word ", n));
         return true;
       }},
      {"first",
       [](Universe*, int n, Sampler* s) {
         s->set_first(absl::StrCat("word ", n));
         return true;
       }},
      {"sum",
       [](Universe*, int n, Sampler* s) {
         s->set_sum(s->sum() + n * n);
         s->set_zigzag_sum(s->zigzag_sum() - n);
         return true;
       }},
      {"extremes",
       [](Universe*, int n, Sampler* s) {
         s->mutable_max()->set_seconds(s->max().seconds() + 4 - n);
         s->set_min(s->min() - n);
         return true;
       }},
      {"set",
       [](Universe*, int n, Sampler* s) {
         if (n % 2 == 1 || s->add_wins().empty()) {
           s->add_add_wins(absl::StrCat("member ", n / 3));
         } else {
           s->mutable_add_wins()->RemoveLast();
         }
         return true;
       }},
      {"keyed",
       [](Universe*, int n, Sampler* s) {
         if (n == 2 && s->by_key_size() > 0) {
           s->mutable_by_key()->RemoveLast();
         } else {
           auto& item = ItemOf(s, "key");
           item.set_text(absl::StrCat("word ", n));
           item.set_votes(item.votes() + n);
         }
         return true;
       }},
      {"map",
       [](Universe*, int n, Sampler* s) {
         (*s->mutable_map())["key"] = n;
         if (n == 2) s->mutable_map()->erase("key");
         return true;
       }},
      {"forward",
       [](Universe*, int n, Sampler* s) {
         s->set_forward(s->forward() == Sampler::OPENED && n == 2 ? Sampler::DROPPED
                        : s->forward() == Sampler::OPENED         ? Sampler::TAKEN
                                                                  : Sampler::OPENED);
         return true;
       }},
      {"oneof",
       [](Universe*, int n, Sampler* s) {
         if (n % 2 == 0) {
           s->set_word(absl::StrCat(n));
         } else {
           s->set_number(n);
         }
         return true;
       }},
      {"deletion",
       [](Universe*, int n, Sampler* s) {
         s->set_latest(absl::StrCat("word ", n));
         s->set_sum(s->sum() + n);
         return n == 2;
       }},
      {"move",
       [](Universe* universe, int n, Sampler* s) {
         s->set_branch_id(universe->branches()[n % 2 == 1 ? 2 : 0].str());
         s->set_latest(absl::StrCat("word ", n));
         return true;
       }},
  };
  return kKinds;
}

class SmallWorlds : public ::testing::TestWithParam<size_t> {
 protected:
  SmallWorlds() : universe({.seed = 11, .steps = 0, .devices = 5, .faults = {}}) {
    // The secretary of the first and the third branch; the deputy of the first.
    a = universe.devices()[0].get();
    b = universe.devices()[2].get();
    Everybody();
  }

  void Everybody() {
    for (int round = 0; round < 2; ++round) {
      universe.Sync(*a);
      universe.Sync(*b);
    }
  }

  void Edit(Device* device, int n) {
    auto draft = device->store->Edit<Sampler>(sampler);
    if (!draft.ok()) return;  // deleted, or moved to where the device does not see it
    const bool keep = GetParam() < Kinds().size() &&
                      Kinds()[GetParam()].change(&universe, n, &draft->message<Sampler>());
    if (!keep) draft->Delete();
    universe.Commit(*device, {&*draft}, {});
  }

  std::string On(Device* device) {
    const auto draft = device->store->Edit<Sampler>(sampler);
    return draft.ok() ? Render(draft->message()) : "nothing";
  }

  void Tell(const std::string& story) {
    client::Draft draft = a->store->New<Sampler>();
    draft.message<Sampler>().set_branch_id(universe.branches()[0].str());
    draft.message<Sampler>().set_latest("at first");
    universe.Commit(*a, {&draft}, {});
    sampler = draft.id();
    Everybody();
    int n = 0;
    for (const char c : story) {
      universe.Wait(5000);
      if (c == 'a' || c == 'b') Edit(c == 'a' ? a : b, ++n);
      if (c == 'A' || c == 'B') universe.Sync(c == 'A' ? *a : *b);
      // Each cut at another frame.
      if (c == 'x' || c == 'y') universe.Sync(c == 'x' ? *a : *b, 1 + cuts++ % 6);
    }
    Everybody();
    const RecordKey key{9001, sampler};
    const Ledger::Record* record = universe.ledger().Find(key);
    ASSERT_NE(record, nullptr);
    const std::string expected =
        record->expected.alive ? Render(*record->expected.message) : "nothing";
    const auto places = PlacesIn(*record->expected.message, sampler);
    EXPECT_EQ(On(a), expected) << story << "\n" << universe.ledger().HistoryOf(key);
    const bool b_sees = places.count({universe.branches()[0], OWNER}) > 0;
    EXPECT_EQ(On(b), b_sees ? expected : "nothing") << story << "\n"
                                                    << universe.ledger().HistoryOf(key);
    EXPECT_FALSE(universe.failure())
        << story << ": " << universe.failure()->invariant << " " << universe.failure()->detail;
    ++stories;
  }

  // Every word of this length that begins with an edit, in which both edit, at
  // most three times in all, and nobody syncs twice in a row.
  void TellAll(size_t length, const std::string& story = "") {
    if (HasFailure()) return;
    const auto count = [&](const char* letters) {
      return std::count_if(story.begin(), story.end(), [&](char c) {
        return std::string(letters).find(c) != std::string::npos;
      });
    };
    if (count("ab") > 3) return;
    if (story.size() == length) {
      if (count("a") > 0 && count("b") > 0) Tell(story);
      return;
    }
    for (const char c : std::string("abABxy")) {
      if (story.empty() && c != 'a' && c != 'b') continue;
      if (!story.empty() && c != 'a' && c != 'b' &&
          ((story.back() == 'A' && (c == 'A' || c == 'x')) ||
           (story.back() == 'B' && (c == 'B' || c == 'y')))) {
        continue;
      }
      TellAll(length, story + c);
    }
  }

  Universe universe;
  Device* a = nullptr;
  Device* b = nullptr;
  Id sampler;
  uint64_t cuts = 0;
  int stories = 0;
};

TEST_P(SmallWorlds, EveryOrder) {
  TellAll(4);
  universe.CheckAll();
  EXPECT_FALSE(universe.failure()) << universe.failure()->invariant << "\n"
                                   << universe.failure()->detail;
  RecordProperty("stories", stories);
  EXPECT_GT(stories, 100);
}

INSTANTIATE_TEST_SUITE_P(Policies, SmallWorlds, ::testing::Range<size_t>(0, Kinds().size()),
                         [](const auto& info) { return Kinds()[info.param].name; });

}  // namespace
}  // namespace zhibu::sim
