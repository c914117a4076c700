// Devices and a server that share one record, as the merge's tests tell of them:
//
//   Server server;
//   Device a("A", 11), b("B", 12);
//   a.Edit([](Sampler& s) { s.set_latest("x"); });   // offline
//   b.Edit([](Sampler& s) { s.set_latest("y"); });
//   server.Take(a), server.Take(b);                  // in this order
//   EXPECT_EQ(server.Text(), R"(latest: "y")");
//
// A device's edit is made by Diff from what the device sees, and carries what it
// had seen. Its clock is a hybrid one: later than everything it has seen.
#ifndef ZHIBU_TESTS_SYNC_STORY_H_
#define ZHIBU_TESTS_SYNC_STORY_H_

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "proto/policies.pb.h"
#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "sync/schema/schema.h"

namespace zhibu {

using testing::Sampler;

inline const RecordType& SamplerType() {
  static const auto schema = Schema::Compile({Sampler::descriptor()->file()}).value();
  return *schema->Find(9001);
}

inline std::string TextOf(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return std::string(absl::StripSuffix(text, " "));
}

// "(none)" and "(deleted)" where there is nothing to read.
inline std::string TextOf(const RecordState& state) {
  if (!state.exists) return "(none)";
  if (!state.alive()) return "(deleted)";
  Sampler sampler;
  return sampler.ParseFromString(state.body) ? TextOf(sampler) : "(damaged)";
}

// An edit of the record, on its way.
struct Sent {
  sync::v1::Change change;
  DeviceNumber device;
  Stamp stamp;
};

class Server;

class Device {
 public:
  using Change = std::function<void(Sampler&)>;

  Device(std::string name, uint32_t number) : name_(std::move(name)), number_(number) {}

  // What the device's clock says at least, from now on.
  Device& At(uint64_t clock) {
    clock_ = std::max(clock_, clock - 1);
    return *this;
  }
  // Makes the record where the device sees none.
  Device& Edit(const Change& change) {
    Sampler after;
    const bool there = view_.alive();
    const std::string before = there ? view_.body : "";
    after.ParseFromString(before);
    change(after);
    sync::v1::Change made;
    made.set_kind(there ? sync::v1::Change::UPDATE : sync::v1::Change::CREATE);
    // Canonical, because Diff's law is in terms of bytes: unknown fields go last.
    Diff(SamplerType(), before, after.SerializeAsString(), &made);
    Make(std::move(made));
    return *this;
  }
  Device& Delete() {
    if (!view_.alive()) return *this;
    sync::v1::Change made;
    made.set_kind(sync::v1::Change::DELETE);
    Make(std::move(made));
    return *this;
  }
  // Sees what the server has, with its own pending edits on top.
  inline void See(const Server& server);

  const std::string& name() const { return name_; }
  DeviceNumber number() const { return number_; }
  const RecordState& view() const { return view_; }
  std::deque<Sent>& pending() { return pending_; }
  // What became of the last edit at the device itself.
  const absl::Status& status() const { return status_; }
  const Outcome& outcome() const { return outcome_; }

 private:
  void Make(sync::v1::Change change) {
    change.set_base(confirmed_.alive() ? confirmed_.version().value : seen_.value);
    Sent sent{std::move(change), number_, Stamp(++clock_)};
    status_ = View(sent);
    if (status_.ok()) pending_.push_back(std::move(sent));
  }
  absl::Status View(const Sent& sent) {
    return Apply(&SamplerType(), sent.change, {number_, kPendingVersion, sent.stamp}, &view_,
                 &outcome_);
  }

  std::string name_;
  DeviceNumber number_;
  uint64_t clock_ = 0;
  Version seen_;
  RecordState confirmed_;
  RecordState view_;  // = confirmed_, with pending_ merged in
  std::deque<Sent> pending_;
  absl::Status status_;
  Outcome outcome_;
};

// The server: it takes edits in the order in which they arrive.
class Server {
 public:
  absl::Status Take(const Sent& sent) {
    max_stamp_ = std::max(max_stamp_, sent.stamp.value);
    ++version_.value;
    return Apply(&SamplerType(), sent.change, {sent.device, version_, sent.stamp}, &state_,
                 &outcome_);
  }
  // The next `count` edits of a device, or all.
  absl::Status Take(Device& device, size_t count = SIZE_MAX) {
    absl::Status first;
    for (; count > 0 && !device.pending().empty(); --count) {
      first.Update(Take(device.pending().front()));
      device.pending().pop_front();
    }
    return first;
  }
  // The device sends what it has and sees the result.
  absl::Status Sync(Device& device) {
    absl::Status status = Take(device);
    device.See(*this);
    return status;
  }

  const RecordState& state() const { return state_; }
  Version version() const { return version_; }
  uint64_t max_stamp() const { return max_stamp_; }
  const Outcome& outcome() const { return outcome_; }
  std::string Text() const { return TextOf(state_); }
  // "overwritten latest: 12 over 11; …", by device numbers.
  std::string Conflicts() const { return ConflictsOf(outcome_); }

  static std::string ConflictsOf(const Outcome& outcome) {
    return absl::StrJoin(outcome.conflicts, "; ", [](std::string* out, const Conflict& c) {
      static constexpr const char* kKinds[] = {"overwritten", "open", "kept from deletion"};
      absl::StrAppend(out, kKinds[static_cast<int>(c.kind)], c.path.empty() ? "" : " ", c.path,
                      ": ", c.kept_touch.writer.value, " over ", c.lost_touch.writer.value);
    });
  }

 private:
  Version version_;
  uint64_t max_stamp_ = 0;
  RecordState state_;
  Outcome outcome_;
};

inline void Device::See(const Server& server) {
  confirmed_ = server.state();
  seen_ = server.version();
  clock_ = std::max(clock_, server.max_stamp());
  view_ = confirmed_;
  for (const Sent& sent : pending_) status_ = View(sent);
}

}  // namespace zhibu

#endif  // ZHIBU_TESTS_SYNC_STORY_H_
