// Test vectors of the merge: a state and a change, what becomes of them, and what is told of it,
// for every policy: tests/data/merge.json. The record is a zhibu.testing.Sampler; those who write
// it are devices 11, 12 and 13, and the server takes their edits in the order of `steps`.
#include <random>

#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/wire/record.h"
#include "tests/interop/sampler.h"
#include "tests/interop/vectors.h"
#include "tests/sync/story.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::interop {
namespace {

using Write = Device::Change;

Json Shown(const Touch& touch) {
  return {touch.version.value, touch.writer.value, touch.stamp.value};
}

Json Shown(const RecordState& state) {
  Json shown = {{"exists", state.exists}};
  shown["touch"] = state.exists ? Shown(state.touch) : Json();
  shown["deletion"] = state.deletion ? Shown(*state.deletion) : Json();
  shown["body"] = Hex(state.body);
  shown["trace"] = Hex(state.trace);
  return shown;
}

Json Shown(const Conflict& conflict) {
  static constexpr const char* kKinds[] = {"OVERWRITTEN", "OPEN_QUESTION", "KEPT_FROM_DELETION"};
  return {{"kind", kKinds[static_cast<int>(conflict.kind)]},
          {"path", conflict.path},
          {"kept", Hex(conflict.kept)},
          {"lost", Hex(conflict.lost)},
          {"kept_touch", Shown(conflict.kept_touch)},
          {"lost_touch", Shown(conflict.lost_touch)}};
}

// One record through its edits.
class Story {
 public:
  explicit Story(std::string name) { story_["name"] = std::move(name); }

  void Apply(const sync::v1::Change& change, const Origin& origin) {
    Outcome outcome;
    const absl::Status status = zhibu::Apply(&SamplerType(), change, origin, &state_, &outcome);
    Json step = {{"device", origin.device.value},
                 {"version", origin.version.value},
                 {"stamp", origin.stamp.value}};
    if (origin.latest != Origin().latest) step["latest"] = origin.latest.value;
    if (origin.base_max != Origin().base_max) step["base_max"] = origin.base_max.value;
    if (origin.made_later != nullptr) {
      for (const Version& version : *origin.made_later) step["made_later"].push_back(version.value);
    }
    step["change"] = Hex(change.SerializeAsString());
    step["reason"] = Reason_Name(ReasonOf(status).reason);
    step["detail"] = ReasonOf(status).detail;
    step["state"] = Shown(state_);
    step["conflicts"] = Json::array();
    for (const Conflict& conflict : outcome.conflicts) {
      step["conflicts"].push_back(Shown(conflict));
    }
    step["settled"] = Json::array();
    for (const Settled& settled : outcome.settled) {
      step["settled"].push_back({settled.path, Shown(settled.touch)});
    }
    step["reads"] = zhibu::TextOf(state_);
    story_["steps"].push_back(std::move(step));
  }
  const Json& shown() const { return story_; }
  const RecordState& state() const { return state_; }

 private:
  Json story_;
  RecordState state_;
};

// As it travels: a story leaves out which record it is.
sync::v1::Change Whole(sync::v1::Change change) {
  change.set_type(SamplerType().number);
  change.set_id("0123456789abcdef");
  return change;
}

// Devices that have all seen the record as it was, write without a network, and send.
class Village {
 public:
  explicit Village(std::string name) : story_(std::move(name)) {}

  Village& Before(const Write& write) {
    a.At(1).Edit(write);
    Take(&a);
    return AllSee();
  }
  Village& Take(Device* device) {
    while (!device->pending().empty()) {
      const Sent sent = device->pending().front();
      device->pending().pop_front();
      if (!CheckChange(SamplerSchema(), Whole(sent.change)).ok()) continue;  // it says nothing
      (void)server_.Take(sent);  // the story says what it made of it
      story_.Apply(sent.change, {sent.device, server_.version(), sent.stamp});
    }
    return *this;
  }
  Village& AllSee() {
    for (Device* device : {&a, &b, &c}) device->See(server_);
    return *this;
  }
  Village& Sync(Device* device) {
    Take(device);
    device->See(server_);
    return *this;
  }
  const Json& shown() const { return story_.shown(); }

  Device a{"A", 11};
  Device b{"B", 12};
  Device c{"C", 13};

 private:
  Server server_;
  Story story_;
};

Sampler::Item* ItemOf(Sampler& s, const std::string& key) {
  for (auto& item : *s.mutable_by_key()) {
    if (item.key() == key) return &item;
  }
  auto* item = s.add_by_key();
  item->set_key(key);
  return item;
}
void Drop(google::protobuf::RepeatedPtrField<std::string>* members, const std::string& member) {
  members->erase(std::remove(members->begin(), members->end(), member), members->end());
}
void DropItem(Sampler& s, const std::string& key) {
  auto& items = *s.mutable_by_key();
  items.erase(std::remove_if(items.begin(), items.end(),
                             [&](const Sampler::Item& item) { return item.key() == key; }),
              items.end());
}

// Two write at the same time, A with the earlier stamp; then B's reaches the server first.
Json Two(const std::string& name, const Write& before, const Write& as, const Write& bs) {
  Village village(name);
  village.Before(before);
  village.a.At(10).Edit(as);
  village.b.At(20).Edit(bs);
  return village.Take(&village.b).Take(&village.a).shown();
}

void AddFields(Json* stories) {
  const auto two = [&](const std::string& name, const Write& before, const Write& as,
                       const Write& bs) { stories->push_back(Two(name, before, as, bs)); };
  const auto latest = [](const char* v) { return [=](Sampler& s) { s.set_latest(v); }; };
  const auto ask = [](const char* v) { return [=](Sampler& s) { s.set_ask(v); }; };
  const auto first = [](const char* v) { return [=](Sampler& s) { s.set_first(v); }; };
  const auto sum = [](int n) {
    return [=](Sampler& s) {
      s.set_sum(s.sum() + n);
      s.set_zigzag_sum(s.zigzag_sum() - n);
    };
  };
  const auto max = [](int n) { return [=](Sampler& s) { s.mutable_max()->set_seconds(n); }; };
  const auto min = [](int n) { return [=](Sampler& s) { s.set_min(n); }; };
  const auto forward = [](Sampler::Step n) { return [=](Sampler& s) { s.set_forward(n); }; };
  two("LATEST: the later write wins", latest("hall"), latest("yard"), latest("school"));
  two("LATEST: equal values are no conflict", latest("hall"), latest("yard"), latest("yard"));
  two(
      "LATEST: cleared by one, set by the other", latest("hall"),
      [](Sampler& s) { s.clear_latest(); }, latest("yard"));
  two("LATEST: fields apart do not meet", latest("hall"), latest("yard"), ask("who?"));
  two(
      "LATEST: members of a oneof are one value", [](Sampler& s) { s.set_word("w"); },
      [](Sampler& s) { s.set_number(0); }, [](Sampler& s) { s.set_word("v"); });
  two(
      "LATEST: a message and a list are one value", latest("hall"),
      [](Sampler& s) { s.mutable_pair()->set_left("l"), s.add_numbers(1); },
      [](Sampler& s) { s.mutable_pair()->set_right("r"), s.add_numbers(2); });
  two("ASK: the earliest holds the field and both stay open", ask("?"), ask("yes"), ask("no"));
  two(
      "ASK: emptied by one", ask("?"), [](Sampler& s) { s.clear_ask(); }, ask("no"));
  two("FIRST: who comes second is told", latest("hall"), first("one"), first("two"));
  two("FIRST: the same value again is no other", latest("hall"), first("one"), first("one"));
  two("SUM: each addition counts", sum(1), sum(10), sum(100));
  two("SUM: to zero", sum(1), sum(-1), sum(0));
  two("MAX: only rises", max(5), max(7), max(6));
  two("MIN: only falls, to zero as well", min(5), min(0), min(3));
  two("FORWARD: the second step is taken while it still is one", forward(Sampler::OPENED),
      forward(Sampler::TAKEN), forward(Sampler::TAKEN));
  two("FORWARD: else who comes second is told", forward(Sampler::OPENED), forward(Sampler::DROPPED),
      forward(Sampler::TAKEN));
  two(
      "SERVER: nobody else writes it", latest("hall"), [](Sampler& s) { s.set_server("x"); },
      latest("yard"));
  two(
      "a field that this build does not know merges as LATEST", latest("hall"),
      [](Sampler& s) { s.GetReflection()->MutableUnknownFields(&s)->AddVarint(99, 1); },
      [](Sampler& s) { s.GetReflection()->MutableUnknownFields(&s)->AddVarint(99, 2); });

  Village settled("ASK: who saw them all settles it by writing");
  settled.Before(ask("?"));
  settled.a.At(10).Edit(ask("yes"));
  settled.b.At(20).Edit(ask("no"));
  settled.Take(&settled.a).Take(&settled.b).AllSee();
  settled.c.Edit(ask("perhaps"));
  stories->push_back(settled.Take(&settled.c).shown());
}

void AddElements(Json* stories) {
  const auto two = [&](const std::string& name, const Write& before, const Write& as,
                       const Write& bs) { stories->push_back(Two(name, before, as, bs)); };
  const auto member = [](const char* m) { return [=](Sampler& s) { s.add_add_wins(m); }; };
  const auto text = [](const char* key, const char* t) {
    return [=](Sampler& s) { ItemOf(s, key)->set_text(t); };
  };
  const auto votes = [](const char* key, int n) {
    return [=](Sampler& s) { ItemOf(s, key)->set_votes(ItemOf(s, key)->votes() + n); };
  };
  two("ADD_WINS: both are in", member("a"), member("b"), member("c"));
  two(
      "ADD_WINS: taken out by one while another adds it again", member("a"),
      [](Sampler& s) { Drop(s.mutable_add_wins(), "a"); },
      [](Sampler& s) { s.add_add_wins("a"), s.add_add_wins("b"); });
  two(
      "ADD_WINS: taken out by both", member("a"),
      [](Sampler& s) { Drop(s.mutable_add_wins(), "a"); },
      [](Sampler& s) { Drop(s.mutable_add_wins(), "a"); });
  two("BY_KEY: elements apart do not meet", text("1", "x"), text("2", "y"), text("3", "z"));
  two("BY_KEY: the same new element by both", text("1", "x"), text("2", "y"), text("2", "z"));
  two("BY_KEY: fields of one element, each by its policy", text("1", "x"), votes("1", 2),
      votes("1", 3));
  two(
      "BY_KEY: taken out by one, changed by the other", text("1", "x"),
      [](Sampler& s) { DropItem(s, "1"); }, text("1", "y"));
  two(
      "BY_KEY: a field of an element is emptied", text("1", "x"),
      [](Sampler& s) { ItemOf(s, "1")->clear_text(); }, votes("1", 1));
  two(
      "BY_KEY: elements within elements",
      [](Sampler& s) { ItemOf(s, "1")->add_parts()->set_key("p"); },
      [](Sampler& s) { ItemOf(s, "1")->mutable_parts(0)->set_text("t"); },
      [](Sampler& s) { ItemOf(s, "1")->clear_parts(); });
  two(
      "BY_KEY: a map", [](Sampler& s) { (*s.mutable_map())["k"] = 1; },
      [](Sampler& s) { (*s.mutable_map())["k"] = 2; },
      [](Sampler& s) { s.mutable_map()->clear(); });

  Village again("BY_KEY: made anew while another changes what was there before");
  again.Before(text("1", "x"));
  again.a.At(10).Edit([](Sampler& s) { DropItem(s, "1"); });
  again.a.Edit(text("1", "new"));
  again.b.At(20).Edit(votes("1", 5));
  stories->push_back(again.Take(&again.a).Take(&again.b).shown());
}

void AddLives(Json* stories) {
  const auto latest = [](const char* v) { return [=](Sampler& s) { s.set_latest(v); }; };
  Village seen("a deletion takes away what its author had seen");
  seen.Before(latest("hall"));
  seen.a.At(10).Delete();
  stories->push_back(seen.Take(&seen.a).shown());

  for (const bool deletion_first : {true, false}) {
    Village kept(deletion_first ? "a change that comes after keeps the record"
                                : "a change that came before keeps the record");
    kept.Before(latest("hall"));
    kept.a.At(10).Delete();
    kept.b.At(20).Edit(latest("yard"));
    kept.Take(deletion_first ? &kept.a : &kept.b).Take(deletion_first ? &kept.b : &kept.a);
    stories->push_back(kept.shown());
  }

  Village anew("made anew by who saw it gone: it starts empty");
  anew.Before(latest("hall"));
  anew.a.At(10).Delete();
  anew.Sync(&anew.a);
  anew.a.Edit([](Sampler& s) { s.set_ask("new"); });
  stories->push_back(anew.Sync(&anew.a).shown());

  Village one("and a change by who knew of neither makes old and new one");
  one.Before(latest("hall"));
  one.b.At(50).Edit([](Sampler& s) { s.set_sum(3); });
  one.a.At(10).Delete();
  one.Sync(&one.a);
  one.a.Edit([](Sampler& s) { s.set_ask("new"); });
  stories->push_back(one.Sync(&one.a).Take(&one.b).shown());

  Village made("made by two who saw no such record: one record");
  made.a.At(10).Edit(latest("yard"));
  made.b.At(20).Edit(latest("school"));
  stories->push_back(made.Take(&made.a).Take(&made.b).shown());

  Story nothing("a change of what never was");
  sync::v1::Change change;
  change.set_set("\x12\x01z");
  nothing.Apply(change, {DeviceNumber(11), Version(1), Stamp(1)});
  stories->push_back(nothing.shown());
}

sync::v1::Change SetLatest(const std::string& value, uint64_t base) {
  sync::v1::Change change;
  change.set_base(base);
  change.set_set(absl::StrCat("\x12", std::string(1, static_cast<char>(value.size())), value));
  return change;
}

void AddOrigins(Json* stories) {
  const auto begin = [](Story* story) {
    sync::v1::Change change = SetLatest("hall", 0);
    change.set_kind(sync::v1::Change::CREATE);
    story->Apply(change, {DeviceNumber(11), Version(5), Stamp(5)});
  };
  Story believed("a base beyond what the device was sent counts as that");
  begin(&believed);
  believed.Apply(SetLatest("yard", 9), {.device = DeviceNumber(12),
                                        .version = Version(6),
                                        .stamp = Stamp(2),
                                        .base_max = Version(4)});
  stories->push_back(believed.shown());

  Story ahead("a write that stands there with a stamp of a wrong clock loses");
  begin(&ahead);
  ahead.Apply(
      SetLatest("yard", 0),
      {.device = DeviceNumber(12), .version = Version(6), .stamp = Stamp(2), .latest = Stamp(3)});
  stories->push_back(ahead.shown());

  Story waited("an edit that waited for a decision has not seen what its device made after it");
  begin(&waited);
  const absl::flat_hash_set<Version> later = {Version(5)};
  waited.Apply(
      SetLatest("yard", 4),
      {.device = DeviceNumber(11), .version = Version(6), .stamp = Stamp(2), .made_later = &later});
  stories->push_back(waited.shown());
}

// ---- And by chance ---------------------------------------------------------------------

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  std::string Word() { return std::string(1, static_cast<char>('a' + Below(3))); }

  Write AnyWrite() {
    const std::string word = Word();
    const std::string other = Word();
    const int n = Below(9) - 3;
    switch (Below(15)) {
      case 0:
        return [=](Sampler& s) { s.set_latest(word); };
      case 1:
        return [=](Sampler& s) { s.clear_latest(); };
      case 2:
        return [=](Sampler& s) { s.set_ask(word); };
      case 3:
        return [=](Sampler& s) { s.set_sum(s.sum() + n), s.set_zigzag_sum(s.zigzag_sum() + n); };
      case 4:
        return [=](Sampler& s) { s.mutable_max()->set_seconds(s.max().seconds() + n); };
      case 5:
        return [=](Sampler& s) { s.set_min(n); };
      case 6:
        return [=](Sampler& s) { s.add_add_wins(word); };
      case 7:
        return [=](Sampler& s) { Drop(s.mutable_add_wins(), word); };
      case 8:
        return [=](Sampler& s) { ItemOf(s, word)->set_text(other); };
      case 9:
        return [=](Sampler& s) { ItemOf(s, word)->set_votes(ItemOf(s, word)->votes() + n); };
      case 10:
        return [=](Sampler& s) { DropItem(s, word); };
      case 11:
        return [=](Sampler& s) { ItemOf(s, word)->add_tags(other); };
      case 12:
        return [=](Sampler& s) { ItemOf(s, word)->clear_tags(), ItemOf(s, word)->clear_text(); };
      case 13:
        return [=](Sampler& s) { (*s.mutable_map())[word] = n; };
      default:
        return [=](Sampler& s) { s.set_forward(static_cast<Sampler::Step>(1 + (n + 3) % 4)); };
    }
  }

 private:
  std::mt19937_64 random_;
};

Json ByChance(uint64_t seed) {
  Chance chance(seed);
  Village village(absl::StrCat("by chance ", seed));
  village.Before([](Sampler& s) { ItemOf(s, "a")->set_text("a"), s.set_latest("a"); });
  Device* devices[] = {&village.a, &village.b, &village.c};
  for (int i = 0; i < 14; ++i) {
    Device* device = devices[chance.Below(3)];
    const int what = chance.Below(10);
    if (what < 6) device->At(chance.Below(40)).Edit(chance.AnyWrite());
    if (what == 6) device->Delete();
    if (what > 6) village.Sync(device);
  }
  for (Device* device : devices) village.Sync(device);
  return village.shown();
}

TEST(Vectors, OfTheMerge) {
  Json stories = Json::array();
  AddFields(&stories);
  AddElements(&stories);
  AddLives(&stories);
  AddOrigins(&stories);
  for (uint64_t seed = 1; seed <= 40; ++seed) stories.push_back(ByChance(seed));
  ExpectVectors("merge.json", stories);
}

}  // namespace
}  // namespace zhibu::interop
