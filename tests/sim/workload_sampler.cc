// What people do to a record that has a field of every policy.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "tests/sim/author.h"

namespace zhibu::sim {

using zhibu::testing::Sampler;

namespace {

constexpr char kKey[] = "甲";  // of the item that is taken away and made anew most often

// Few, so that several people meet at one.
std::string Colour(Dice* dice) { return dice->OneIn(2) ? "红" : "黄"; }

// As sums are added (sync/wire/scalar.cc): somebody else may have made it as large as there is.
int64_t Plus(int64_t value, int64_t added) {
  return static_cast<int64_t>(static_cast<uint64_t>(value) + static_cast<uint64_t>(added));
}

void Toggle(const std::string& word, google::protobuf::RepeatedPtrField<std::string>* set) {
  const auto it = std::find(set->begin(), set->end(), word);
  if (it == set->end()) {
    *set->Add() = word;
  } else {
    set->erase(it);
  }
}

}  // namespace

void Author::NewSampler() {
  if (device_.old) return NewOldSampler();
  client::Draft draft = store().New<Sampler>();
  draft.message<Sampler>().set_branch_id(Branch());
  Deltas deltas = Fill(&draft);
  Commit(&draft, deltas);
}

void Author::ChangeSampler() {
  if (device_.old) return ChangeOldSampler();
  auto draft = Any<Sampler>();
  if (!draft) return NewSampler();
  const Deltas deltas = Fill(&*draft);
  Commit(&*draft, deltas);
}

// Ticks what was not ticked or takes an item away, or the other way round, and
// takes it back.
void Author::ThinkAgain() {
  auto draft = device_.old ? std::nullopt : Any<Sampler>();
  if (!draft) return ChangeSampler();
  const bool item = dice_.OneIn(2);
  const std::string colour = Colour(&dice_);
  const auto toggle = [&](Sampler* sampler) {
    if (item) return ToggleItem(sampler->mutable_by_key());
    Toggle(colour, sampler->mutable_add_wins());
  };
  toggle(&draft->message<Sampler>());
  universe_.Commit(device_, {&*draft}, {});
  auto again = store().Edit<Sampler>(draft->id());
  if (!again.ok()) return;
  toggle(&again->message<Sampler>());
  Commit(&*again);
}

// With the app of an earlier version.
void Author::NewOldSampler() {
  client::Draft draft = store().New<OldSampler>();
  draft.message<OldSampler>().set_branch_id(Branch());
  draft.message<OldSampler>().set_latest(Word());
  Commit(&draft);
}

void Author::ChangeOldSampler() {
  auto draft = Any<OldSampler>();
  if (!draft) return NewOldSampler();
  auto& s = draft->message<OldSampler>();
  const int64_t add = dice_.Between(-5, 20);
  switch (dice_.Below(4)) {
    case 0:
      s.set_latest(Word());
      return Commit(&*draft);
    case 3:
      Vote(s.mutable_by_key());
      return Commit(&*draft);
    case 1:
      s.set_ask(Word());
      return Commit(&*draft);
    default:
      s.set_sum(Plus(s.sum(), add));
      return Commit(&*draft, {{{draft->type().number, draft->id()}, add}});
  }
}

void Author::Vote(google::protobuf::RepeatedPtrField<OldSampler::Item>* items) {
  if (items->empty() || dice_.OneIn(4)) {
    if (std::any_of(items->begin(), items->end(), [](const auto& i) { return i.key() == kKey; })) {
      items->DeleteSubrange(static_cast<int>(dice_.Below(items->size())), 1);
      return;
    }
    items->Add()->set_key(kKey);
    return;
  }
  auto& item = *items->Mutable(static_cast<int>(dice_.Below(items->size())));
  item.set_votes(Plus(item.votes(), dice_.Between(-3, 9)));
}

Deltas Author::Fill(client::Draft* draft) {
  auto& s = draft->message<Sampler>();
  Deltas deltas;
  if (dice_.OneIn(4)) {
    Plainly(&s);
    return deltas;
  }
  for (uint32_t i = 1 + dice_.Below(3); i > 0; --i) {
    switch (dice_.Below(16)) {
      case 0:
        s.set_latest(Word());
        break;
      case 1:
        s.set_ask(Word());
        break;
      case 2:
        if (s.first().empty() || dice_.OneIn(5)) s.set_first(Word());
        break;
      case 3:
      case 4: {
        const int64_t add = dice_.Between(-5, 20);
        s.set_sum(Plus(s.sum(), add));
        deltas.push_back({{draft->type().number, draft->id()}, add});
        break;
      }
      case 5:
        s.set_zigzag_sum(s.zigzag_sum() + dice_.Between(-9, 9));
        break;
      case 6:
        if (const int64_t now = device_.environment().now_ms() / 1000; now > s.max().seconds()) {
          s.mutable_max()->set_seconds(now);
        }
        break;
      case 7: {
        // Odd, and so never zero, which cannot be told from nothing.
        const auto low = static_cast<int32_t>(dice_.Between(-50, 50) | 1);
        s.set_min(s.min() == 0 ? low : std::min(s.min(), low));
        break;
      }
      case 8:
      case 9:
        Toggle(Colour(&dice_), s.mutable_add_wins());
        break;
      case 10:
      case 11:
        ChangeItems(s.mutable_by_key(), 2);
        break;
      case 12: {
        const std::string word = Word();
        if (s.map().count(word) > 0 && dice_.OneIn(2)) {
          s.mutable_map()->erase(word);
        } else {
          (*s.mutable_map())[word] = static_cast<int32_t>(dice_.Below(9));
        }
        break;
      }
      case 13:
        s.set_forward(static_cast<Sampler::Step>(1 + dice_.Below(4)));
        break;
      case 14:
        if (dice_.OneIn(3)) s.set_branch_id(Branch());
        if (dice_.OneIn(2)) {
          s.set_word(Word());
        } else {
          s.set_number(static_cast<int32_t>(dice_.Below(5)));
        }
        break;
      default:
        s.mutable_pair()->set_left(Word());
        s.add_numbers(static_cast<int32_t>(dice_.Below(9)));
        if (s.numbers_size() > 4) s.clear_numbers();
    }
  }
  return deltas;
}

// Only what a server that does not know it merges as well as one that does.
void Author::Plainly(Sampler* s) {
  switch (dice_.Below(4)) {
    case 0:
      return s->clear_pair();
    case 1:
      return s->add_numbers(static_cast<int32_t>(dice_.Below(9)));
    case 2:
      if (!s->by_key().empty()) return s->mutable_by_key(0)->set_text(Word());
      [[fallthrough]];
    default:
      s->mutable_pair()->set_right(Word());
  }
}

void Author::ToggleItem(google::protobuf::RepeatedPtrField<Sampler::Item>* items) {
  const auto it = std::find_if(items->begin(), items->end(),
                               [](const auto& item) { return item.key() == kKey; });
  if (it != items->end()) {
    items->erase(it);
    return;
  }
  auto* item = items->Add();
  item->set_key(kKey);
  item->set_text(Word());
}

void Author::ChangeItems(google::protobuf::RepeatedPtrField<Sampler::Item>* items, int depth) {
  static const std::vector<std::string> kKeys = {kKey, "乙", "丙"};
  const std::string& key = dice_.Of(kKeys);
  auto it = std::find_if(items->begin(), items->end(),
                         [&](const auto& item) { return item.key() == key; });
  if (it == items->end()) {
    auto* item = items->Add();
    item->set_key(key);
    item->set_text(Word());
    return;
  }
  switch (dice_.Below(depth > 0 ? 5 : 4)) {
    case 0:
      items->erase(it);
      return;
    case 1:
      it->set_text(Word());
      return;
    case 2:
      it->set_votes(Plus(it->votes(), dice_.Between(-3, 9)));
      return;
    case 3:
      Toggle(Colour(&dice_), it->mutable_tags());
      return;
    default:
      ChangeItems(it->mutable_parts(), depth - 1);
  }
}

}  // namespace zhibu::sim
