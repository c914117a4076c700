// Small worlds, all of them: two or three devices that change one record, in every
// order of committing, syncing and failing to sync, for each policy, for deletions
// and for moves between scopes.
//
// A story is a word: a, b, c commit, A, B, C sync, x, y, z are their syncs that are
// cut off, or within which the device or the server is killed. "abAxB" – and then
// everybody syncs, and the record is what the reference says, on the server and on
// all devices.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "tests/sim/every.h"
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
    // The secretary of the first and the third branch; the deputy and a member of
    // the first.
    for (const int index : {0, 2, 4}) devices.push_back(universe.devices()[index].get());
    Everybody();
  }

  void Everybody() {
    for (int round = 0; round < 2; ++round) {
      for (Device* device : devices) universe.Sync(*device);
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

  // Each time otherwise: cut off after some frames, or one of the two sides is
  // killed within some write of it.
  void SyncBadly(Device* device) {
    const int which = disturbed++;
    const int n = 1 + (which / 3) % 7;
    if (which % 3 == 0) return universe.Sync(*device, n);
    Disk& disk = which % 3 == 1 ? device->disk : universe.server().disk;
    disk.DieAtWrite(n);
    universe.Sync(*device);
    universe.Reap();
    disk.Mend();
  }

  std::string On(Device* device) {
    const auto draft = device->store->Edit<Sampler>(sampler);
    return draft.ok() ? Render(draft->message()) : "nothing";
  }

  void Tell(const std::string& story) {
    client::Draft draft = devices[0]->store->New<Sampler>();
    draft.message<Sampler>().set_branch_id(universe.branches()[0].str());
    draft.message<Sampler>().set_latest("at first");
    universe.Commit(*devices[0], {&draft}, {});
    sampler = draft.id();
    Everybody();
    int n = 0;
    for (const char c : story) {
      universe.Wait(5000);
      if (c >= 'a' && c <= 'c') Edit(devices[c - 'a'], ++n);
      if (c >= 'A' && c <= 'C') universe.Sync(*devices[c - 'A']);
      if (c >= 'x' && c <= 'z') SyncBadly(devices[c - 'x']);
    }
    Everybody();
    const RecordKey key{9001, sampler};
    const Ledger::Record* record = universe.ledger().Find(key);
    ASSERT_NE(record, nullptr);
    const std::string expected =
        record->expected.alive ? Render(*record->expected.message) : "nothing";
    const bool in_first =
        PlacesIn(*record->expected.message, sampler).count({universe.branches()[0], OWNER}) > 0;
    for (Device* device : devices) {
      const bool sees = in_first || device == devices[0];
      EXPECT_EQ(On(device), sees ? expected : "nothing") << story << "\n"
                                                         << universe.ledger().HistoryOf(key);
    }
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

  void ExpectWellAtTheEnd() {
    universe.CheckAll();
    EXPECT_FALSE(universe.failure()) << universe.failure()->invariant << "\n"
                                     << universe.failure()->detail;
    RecordProperty("stories", stories);
  }

  Universe universe;
  std::vector<Device*> devices;
  Id sampler;
  int disturbed = 0;
  int stories = 0;
};

TEST_P(SmallWorlds, TwoDevicesEveryOrder) {
  TellAll(4);
  ExpectWellAtTheEnd();
  EXPECT_GT(stories, 100);
}

// Each commits once and syncs once before the end; or one or two of them try to,
// and something goes wrong.
TEST_P(SmallWorlds, ThreeDevicesEveryOrder) {
  int orders = 0;
  for (const char* letters : {"abc", "ABCabc", "abcx", "abcxy"}) {
    std::string story = letters;
    do {
      if (orders++ % Every() == 0) Tell(story);
    } while (!HasFailure() && std::next_permutation(story.begin(), story.end()));
  }
  ExpectWellAtTheEnd();
  EXPECT_EQ(orders, 6 + 720 + 24 + 120);
  EXPECT_EQ(stories, (orders + Every() - 1) / Every());
}

INSTANTIATE_TEST_SUITE_P(Policies, SmallWorlds, ::testing::Range<size_t>(0, Kinds().size()),
                         [](const auto& info) { return Kinds()[info.param].name; });

}  // namespace
}  // namespace zhibu::sim
