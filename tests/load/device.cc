#include "tests/load/device.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "tests/load/edits.h"

namespace zhibu::load {
namespace {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

// As client-core has it.
constexpr int64_t kPauseMsMin = 500;
constexpr int64_t kPauseMsMax = 60'000;
constexpr size_t kSentMax = 2000;
// So many due edits a device remembers; more are counted as not offered.
constexpr size_t kDueMax = 100'000;
// While more than this waits for the network, nothing is added.
constexpr size_t kUnsentBytesMax = 64 << 10;
constexpr int64_t kSlowUs = 1'000'000;
constexpr int64_t kSecondUs = 1'000'000;

}  // namespace

int64_t SteadyMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Device::Device(Shared* shared, Enrolled* who, bool slow, int64_t clock_off_ms)
    : shared_(*shared),
      who_(*who),
      slow_(slow),
      clock_off_ms_(clock_off_ms),
      timer_(shared->io),
      later_(shared->io) {}

Device::~Device() { Close(); }

int64_t Device::ByChance(int64_t most) {
  return most <= 0 ? 0 : static_cast<int64_t>(shared_.random() % static_cast<uint64_t>(most + 1));
}

int64_t Device::OwnNowMs() const { return shared_.environment.now_ms() + clock_off_ms_; }

void Device::After(int64_t us, void (Device::*then)()) {
  timer_.expires_after(std::chrono::microseconds(std::max<int64_t>(us, 0)));
  timer_.async_wait([this, then](std::error_code put_off) {
    if (!put_off) (this->*then)();
  });
}

void Device::Open() {
  dialled_us_ = SteadyMicros();
  call_ = Call::Open(&shared_.io, shared_.site->server, "Connect", this);
}

// What is sent may show that the stream is broken, which ends the call.
void Device::Send(ClientFrame frame) {
  if (compresses_) CompressFrame(shared_.compressor, &frame);
  if (const auto call = call_) call->Send(frame);
}

void Device::OnReady() {
  sync::v1::Hello hello;
  hello.set_protocol(kProtocolVersion);
  hello.set_device(who_.number.value);
  hello.set_server_id(shared_.site->server_id);
  hello.set_incarnation(shared_.site->incarnation);
  hello.set_app("zhibu load");
  hello.set_dictionary(DictionaryNumber());
  hello.set_own_as_made(true);
  for (const auto& [scope, cursor] : cursors_) *hello.add_cursors() = cursor;
  if (!sent_.empty()) hello.set_unanswered(sent_.front().edit.number());
  hello_ = hello.SerializeAsString();
  ClientFrame frame;
  frame.set_hello(hello_);
  Send(std::move(frame));
}

void Device::OnMessage(absl::string_view bytes) {
  ServerFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail("unreadable frame", 0);
  }
  if (frame.has_compressed()) {
    auto unpacked = DecompressFrame<ServerFrame>(shared_.compressor, frame.compressed(), 8 << 20);
    if (!unpacked.ok()) return Fail("unreadable frame", 0);
    frame = *std::move(unpacked);
  }
  switch (frame.frame_case()) {
    case ServerFrame::kChallenge: {
      ClientFrame proof;
      proof.mutable_proof()->set_signature(SignProof(who_.keys.secret_key,
                                                     frame.challenge().nonce(),
                                                     shared_.site->server.fingerprint, hello_));
      Send(std::move(proof));
      break;
    }
    case ServerFrame::kWelcome:
      open_ = true;
      compresses_ = frame.welcome().dictionary() == DictionaryNumber();
      hello_.clear();
      Resend();
      Push();
      break;
    case ServerFrame::kUpdate:
      OnUpdate(frame.update());
      break;
    case ServerFrame::kRefusal:
      return Fail(absl::StrCat("refused ", sync::v1::Reason_Name(frame.refusal().reason())),
                  frame.refusal().come_back_ms());
    default:  // Renumber, Restored
      over_ = true;
      return Fail(absl::StrCat("frame ", frame.frame_case()), 0);
  }
  if (!slow_ || !shared_.measuring || call_ == nullptr) return;
  call_->SetReading(false);
  later_.expires_after(std::chrono::microseconds(kSlowUs));
  later_.async_wait([call = std::weak_ptr(call_)](std::error_code put_off) {
    const auto still = call.lock();
    if (!put_off && still != nullptr) still->SetReading(true);
  });
}

void Device::OnUpdate(const sync::v1::Update& update) {
  for (const auto& cursor : update.cursors()) {
    if (cursor.audience() == 0) {
      cursors_.erase(cursor.scope());
    } else {
      cursors_[cursor.scope()] = cursor;
    }
  }
  for (const auto& answer : update.answers()) OnAnswer(answer);
  for (const auto& group : update.groups()) HearOthers(group);
  const bool was_in_step = std::exchange(in_step_, !update.catching_up() && !update.continues());
  if (in_step_ && !was_in_step) {
    ++shared_.opened;
    pause_ms_ = 0;
    shared_.tally.openings.Add(SteadyMicros() - dialled_us_);
  } else if (!in_step_ && was_in_step) {
    --shared_.opened;
  }
  Push();
  GoOn();
}

void Device::OnAnswer(const sync::v1::Answer& answer) {
  const auto found =
      std::lower_bound(sent_.begin(), sent_.end(), answer.number(),
                       [](const Sent& one, uint64_t number) { return one.edit.number() < number; });
  if (found == sent_.end() || found->edit.number() != answer.number()) return;
  const int64_t now_us = SteadyMicros();
  const int64_t due_us = found->due_us;
  sent_.erase(found);
  --shared_.unanswered;
  if (!shared_.measuring) return;
  shared_.tally.answers.Add(now_us - due_us);
  shared_.tally.AnsweredIn(static_cast<size_t>((now_us - shared_.began_us) / kSecondUs));
  if (answer.verdict() == sync::v1::MERGED) {
    ++shared_.tally.merged;
  } else {
    shared_.tally.Error(absl::StrCat(sync::v1::Verdict_Name(answer.verdict()), " ",
                                     sync::v1::Reason_Name(answer.reason())));
  }
}

// A stamp says when its author sent it: both are on this machine.
void Device::HearOthers(const sync::v1::Group& group) {
  shared_.tally.records += static_cast<uint64_t>(group.bodies_size());
  const bool counts = shared_.measuring && in_step_ && shared_.plan->wrong_clock_percent == 0 &&
                      group.writer() != who_.number.value && group.writer() != kServerDevice.value;
  if (!counts) return;
  const Stamp stamp(group.stamp());
  const auto sent_us = MillisOf(stamp) * 1000 + static_cast<int64_t>(stamp.value & 0xffff);
  shared_.tally.others.Add(shared_.environment.NowMicros() - sent_us);
}

void Device::AddDue(int64_t at_us) {
  for (int i = 0; i < shared_.plan->edits; ++i) {
    if (due_us_.size() >= kDueMax) {
      ++shared_.tally.not_offered;
      continue;
    }
    due_us_.push_back(at_us);
    ++shared_.unanswered;
  }
}

sync::v1::NumberedEdit Device::NewEdit() {
  const int64_t off_us = clock_off_ms_ * 1000;
  const int64_t us = shared_.environment.NowMicros() + off_us;
  std::string bytes =
      shared_.plan->mode == Mode::kCheckIn
          ? CheckIn(who_, shared_.site->devices[who_.shows], shared_.environment, OwnNowMs())
          : NoteContact(who_, shared_.environment, OwnNowMs());
  sync::v1::NumberedEdit edit;
  edit.set_number(++who_.last_number);
  edit.set_stamp(StampAt(us / 1000, static_cast<uint64_t>(us % 1000)).value);
  edit.set_previous(std::exchange(who_.last_link, LinkTo(bytes)));
  edit.set_edit(std::move(bytes));
  return edit;
}

void Device::Push() {
  const auto at_once = static_cast<size_t>(shared_.plan->edits);
  while (call_ != nullptr && open_ && !due_us_.empty() && sent_.size() < kSentMax &&
         call_->unsent() < kUnsentBytesMax) {
    ClientFrame frame;
    for (size_t i = 0; i < at_once && !due_us_.empty(); ++i) {
      Sent& sent = sent_.emplace_back(Sent{due_us_.front(), NewEdit()});
      due_us_.pop_front();
      *frame.mutable_push()->add_edits() = sent.edit;
      if (shared_.measuring) ++shared_.tally.sent;
    }
    Send(std::move(frame));
  }
}

void Device::Resend() {
  if (sent_.empty()) return;
  ClientFrame frame;
  for (const Sent& sent : sent_) {
    *frame.mutable_push()->add_edits() = sent.edit;
    if (frame.push().edits_size() < 500) continue;
    Send(frame);
    frame.Clear();
  }
  if (frame.has_push()) Send(std::move(frame));
}

void Device::Begin() {
  writes_ = true;
  const Plan& plan = *shared_.plan;
  if (plan.mode == Mode::kIdle) return;
  if (plan.rate > 0) {
    arrives_us_ = SteadyMicros();
    return WriteIn(ByChance(static_cast<int64_t>(2e6 * plan.devices * plan.edits / plan.rate)));
  }
  WriteIn(ByChance(2 * plan.think_ms * 1000));
}

// With a rate each edit is due at its moment, whatever has become of those before it.
void Device::WriteIn(int64_t us) {
  if (shared_.plan->rate > 0) {
    arrives_us_ += us;
    us = arrives_us_ - SteadyMicros();
  }
  const bool storm = shared_.plan->mode == Mode::kStorm;
  After(us, storm ? &Device::BeginCycle : &Device::Arrive);
}

void Device::Arrive() {
  if (!shared_.offering) return;
  const Plan& plan = *shared_.plan;
  AddDue(plan.rate > 0 ? arrives_us_ : SteadyMicros());
  if (plan.rate > 0) {
    const double mean_us = 1e6 * plan.devices * plan.edits / plan.rate;
    WriteIn(static_cast<int64_t>(std::exponential_distribution(1 / mean_us)(shared_.random)));
  }
  Push();
}

void Device::BeginCycle() {
  if (!shared_.offering) return;
  if (call_ != nullptr) return;
  if (due_us_.empty() && sent_.empty()) AddDue(SteadyMicros());
  Open();
}

void Device::GoOn() {
  if (!writes_ || !in_step_ || !due_us_.empty() || !sent_.empty()) return;
  const Plan& plan = *shared_.plan;
  if (plan.mode == Mode::kStorm) {
    shared_.tally.cycles.Add(SteadyMicros() - dialled_us_);
    Close();
  }
  if (plan.mode == Mode::kIdle || plan.rate > 0 || !shared_.offering) return;
  WriteIn(ByChance(2 * plan.think_ms * 1000));
}

void Device::Close() {
  if (std::exchange(in_step_, false)) --shared_.opened;
  open_ = compresses_ = false;
  if (call_ == nullptr) return;
  shared_.tally.bytes_up += call_->bytes_up();
  shared_.tally.bytes_down += call_->bytes_down();
  std::exchange(call_, nullptr)->Drop();
}

void Device::OnEnd(const absl::Status& why) {
  const sync::v1::Reason reason = ReasonOf(why).reason;
  Fail(reason != sync::v1::NO_REASON ? sync::v1::Reason_Name(reason)
       : why.ok()                    ? "ended"
                  : absl::StrCat(absl::StatusCodeToString(why.code()), " ", why.message()),
       0);
}

// As client-core does it, so that a storm is one of real devices.
void Device::Fail(const std::string& what, int64_t come_back_ms) {
  shared_.tally.Error(what);
  Close();
  if (over_) {
    shared_.unanswered -= static_cast<int64_t>(due_us_.size() + sent_.size());
    due_us_.clear();
    sent_.clear();
    return;
  }
  pause_ms_ = std::clamp(pause_ms_ * 2, kPauseMsMin, kPauseMsMax);
  const int64_t ms =
      std::max(pause_ms_ / 2 + ByChance(pause_ms_), come_back_ms + ByChance(come_back_ms));
  later_.expires_after(std::chrono::milliseconds(ms));
  later_.async_wait([this](std::error_code put_off) {
    if (!put_off && call_ == nullptr) Open();
  });
}

}  // namespace zhibu::load
