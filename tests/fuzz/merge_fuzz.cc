// Any changes, by three devices, to one record: one that the merge has made itself, or
// one from outside that no merge would make. What must hold whatever comes:
//
//   refused    → the record is as it was
//   taken      → body and trace can be read again, in the merge's own form
//   not named  → a field that the change says nothing of keeps its bytes
//   Apply(before, Diff(before, after)) == after, had nobody else written
#include <gtest/gtest.h>

#include "absl/container/flat_hash_set.h"
#include "sync/base/reason.h"
#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "sync/wire/slots.h"
#include "sync/wire/worded.h"
#include "tests/fuzz/choices.h"
#include "tests/support/world.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::test {
namespace {

using google::protobuf::Message;
using sync::v1::Change;

std::unique_ptr<Message> Blank(const RecordType& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
}

bool Same(const RecordState& a, const RecordState& b) {
  return a.exists == b.exists && a.touch == b.touch && a.deletion == b.deletion &&
         a.body == b.body && a.trace == b.trace;
}

absl::flat_hash_set<uint32_t> SlotsOf(const Fields& fields, const Change& change) {
  absl::flat_hash_set<uint32_t> named;
  Slots set;
  set.Parse(fields, change.set());
  for (const auto& [slot, raw] : set) named.insert(slot);
  for (const uint32_t number : change.without().cleared()) named.insert(fields.SlotOf(number));
  for (const auto& removed : change.without().removed()) {
    named.insert(fields.SlotOf(removed.field()));
  }
  return named;
}

class Record {
 public:
  Record(const Schema& schema, const RecordType& type) : schema_(schema), type_(type) {}

  // A state that somebody else's program has made.
  void Foreign(Choices* in) {
    foreign_ = true;
    state_.exists = in->Coin();
    state_.touch = ATouch(in);
    if (in->Coin()) state_.deletion = ATouch(in);
    state_.body = in->Coin() ? in->Body(type_) : std::string(in->Bytes());
    state_.trace = std::string(in->Bytes());
  }

  void Change(Choices* in) {
    sync::v1::Change change;
    change.set_id(Id().str());
    in->Fill(type_, &change);
    Take(change, in);
  }

  // By someone who has seen everything, through a message, as an app does it.
  void Edit(Choices* in) {
    const auto wanted = Blank(type_);
    if (!state_.alive() || !wanted->ParseFromString(state_.body)) return;
    in->Fill(wanted.get());
    const std::string after = Canonical(type_.fields, wanted->SerializePartialAsString());
    sync::v1::Change change;
    change.set_type(type_.number);
    change.set_id(Id().str());
    change.set_kind(Change::UPDATE);
    change.set_base(kPendingVersion.value);
    if (!Diff(type_, state_.body, after, &change)) return;
    if (!Take(change, in) || foreign_) return;
    Slots got;
    Slots want;
    EXPECT_TRUE(got.Parse(type_.fields, state_.body) && want.Parse(type_.fields, after));
    for (const FieldRule& rule : type_.fields.rules()) {
      if (rule.policy == MAX || rule.policy == MIN) continue;  // not what was written last
      EXPECT_EQ(got.Get(rule.slot), want.Get(rule.slot)) << rule.descriptor->full_name();
    }
  }

 private:
  using Kind = sync::v1::Change;

  static Touch ATouch(Choices* in) {
    return {Version(in->Number()), DeviceNumber(static_cast<uint32_t>(in->Number())),
            Stamp(in->Number())};
  }

  bool Take(const sync::v1::Change& change, Choices* in) {
    if (!CheckChange(schema_, change).ok()) return false;
    const Origin origin{DeviceNumber(1 + in->Below(3)), Version(++version_), Stamp(in->Number())};
    const RecordState before = state_;
    Outcome outcome;
    const absl::Status status = Apply(&type_, change, origin, &state_, &outcome);
    if (!status.ok()) {
      EXPECT_TRUE(Same(state_, before)) << status;
      EXPECT_TRUE(outcome.conflicts.empty() && outcome.settled.empty());
      EXPECT_TRUE(foreign_ || ReasonOf(status).reason != sync::v1::NO_REASON) << status;
      return false;
    }
    EXPECT_TRUE(state_.exists);
    sync::v1::Trace trace;
    EXPECT_TRUE(trace.ParseFromString(state_.trace));
    if (!foreign_) {
      EXPECT_TRUE(Blank(type_)->ParseFromString(state_.body));
      KeepsTheRest(change, before);
    }
    Read(outcome);
    return true;
  }

  void KeepsTheRest(const sync::v1::Change& change, const RecordState& before) {
    sync::v1::Trace trace;
    trace.ParseFromString(before.trace);
    if (change.kind() != Kind::UPDATE || !before.alive() || !trace.former_lives().empty()) return;
    const auto named = SlotsOf(type_.fields, change);
    Slots was;
    Slots is;
    EXPECT_TRUE(was.Parse(type_.fields, before.body) && is.Parse(type_.fields, state_.body));
    for (const auto& [slot, raw] : was) {
      EXPECT_TRUE(named.contains(slot) || is.Get(slot) == raw) << slot;
    }
  }

  // What is asked of a record once it is merged.
  void Read(const Outcome& outcome) {
    PlacesOf(type_, Id(), state_.body);
    ReadersOf(schema_, type_, state_.body);
    (void)CheckRecord(type_, Id(), state_.body);
    for (const Conflict& conflict : outcome.conflicts) {
      EXPECT_FALSE(JsonOf(conflict.rule, conflict.kept).empty());
      EXPECT_FALSE(JsonOf(conflict.rule, conflict.lost).empty());
    }
    const auto message = Blank(type_);
    if (message->ParseFromString(state_.body)) {
      Lines(*message, {Language::kChinese, nullptr});
    }
  }

  const Schema& schema_;
  const RecordType& type_;
  RecordState state_;
  bool foreign_ = false;
  uint64_t version_ = 0;
};

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  const auto schema = test::WideSchema();
  test::Choices in(data, size);
  test::Record record(*schema, in.Type(*schema));
  if (in.Below(8) == 7) record.Foreign(&in);
  while (!in.done()) {
    if (in.Below(3) == 0) {
      record.Edit(&in);
    } else {
      record.Change(&in);
    }
  }
  return 0;
}
