#include "client-core/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/refusal.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/ask.h"

namespace zhibu::client {
namespace {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

// Small enough that a broken link costs little, large enough to fill one.
constexpr size_t kPushBytesMax = 64 << 10;
// A server takes no more than 1000.
constexpr size_t kPushEditsMax = 500;
// Of one update, in however many frames: several times what the records of one edit and
// of what follows from it may hold together.
constexpr size_t kUpdateBytesMax = 64 << 20;
// Edits on the way without an answer; more wait until some are answered.
constexpr size_t kUnansweredMax = 2000;
// Of one frame, unpacked; as much as a device takes of one that was not packed.
constexpr size_t kFrameBytesMax = 8 << 20;
// The latest that a stamp can hold.
constexpr int64_t kTimeMsMax = MillisOf(Stamp(std::numeric_limits<uint64_t>::max()));

}  // namespace

Session::Session(Store* store, std::string app) : store_(*store), app_(std::move(app)) {}

void Session::Close(absl::Status status) {
  state_ = State::kClosed;
  status_ = std::move(status);
  out_.clear();
}

absl::Status Session::Start() {
  const absl::StatusOr<Identity> identity = store_.GetIdentity();
  if (!identity.ok()) return identity.status();
  if (auto status = store_.ReadAnewWhatIsUnknown(); !status.ok()) return status;
  const auto cursors = store_.Cursors();
  if (!cursors.ok()) return cursors.status();
  const auto seen = store_.Seen();
  if (!seen.ok()) return seen.status();
  secret_key_ = identity->secret_key;
  fingerprint_ = identity->fingerprint;
  sync::v1::Hello hello;
  hello.set_protocol(kProtocolVersion);
  hello.set_device(identity->device.value);
  hello.set_server_id(identity->server_id);
  hello.set_incarnation(identity->incarnation);
  hello.set_app(app_);
  if (!identity->reached_at.empty()) hello.set_reached_at(LinkTo(identity->reached_at));
  const auto pending = store_.Pending(EditNumber(0), 1);
  if (!pending.ok()) return pending.status();
  if (!pending->empty()) hello.set_unanswered(pending->front().number());
  hello.set_dictionary(DictionaryNumber());
  hello.set_own_as_made(true);
  hello.mutable_cursors()->Add(cursors->begin(), cursors->end());
  hello.mutable_seen()->Add(seen->begin(), seen->end());
  hello_ = hello.SerializeAsString();
  began_ms_ = store_.environment().SteadyMs();
  out_.emplace_back().set_hello(hello_);
  state_ = State::kHello;
  return absl::OkStatus();
}

void Session::OnFrame(const ServerFrame& frame) { TakeFrame(frame, frame.ByteSizeLong()); }

void Session::TakeFrame(const ServerFrame& frame, size_t bytes) {
  if (state_ == State::kClosed) return;
  switch (frame.frame_case()) {
    case ServerFrame::kChallenge:
      return OnChallenge(frame.challenge());
    case ServerFrame::kWelcome:
      return OnWelcome(frame.welcome());
    case ServerFrame::kUpdate:
      return OnUpdate(frame.update(), bytes);
    case ServerFrame::kRenumber:
      return OnRenumber(frame.renumber());
    case ServerFrame::kRestored:
      return BeginAgain(store_.BeginIncarnation(frame.restored().incarnation()));
    case ServerFrame::kPage:
      pages_.push_back(frame.page());
      return;
    case ServerFrame::kRefusal:
      return OnRefusal(frame.refusal());
    case ServerFrame::kCompressed:
      return OnCompressed(frame.compressed(), bytes);
    default:
      return;  // from a newer server, which does not count on an answer
  }
}

void Session::OnCompressed(const std::string& compressed, size_t bytes) {
  if (!compresses_) return Close(Refuse(sync::v1::PROTOCOL_ERROR, "compressed"));
  const auto frame = DecompressFrame<ServerFrame>(compressor_, compressed, kFrameBytesMax);
  if (!frame.ok()) {
    return Close(Refuse(sync::v1::PROTOCOL_ERROR, ReasonOf(frame.status()).detail));
  }
  TakeFrame(*frame, bytes);
}

// Not where that could not be stored: it would be told the same again.
void Session::BeginAgain(absl::Status stored) {
  again_ = stored.ok();
  Close(std::move(stored));
}

void Session::OnRefusal(const sync::v1::Refusal& refusal) {
  if (refusal.reason() == sync::v1::UNKNOWN_DEVICE) {
    const auto went_back = store_.GoBack();
    if (!went_back.ok() || *went_back) return BeginAgain(went_back.status());
  }
  // It was revoked just now: the next session tells what is to be done.
  if (refusal.reason() == sync::v1::DEVICE_REVOKED && state_ == State::kOpen && !left_) {
    return BeginAgain(absl::OkStatus());
  }
  if (refusal.reason() == sync::v1::DEVICE_WIPED && left_) {
    const auto wiped = store_.Wipe(refusal.detail());
    if (!wiped.ok() || !*wiped) return BeginAgain(wiped.status());
  }
  Close(StatusOf(refusal));
}

void Session::OnChallenge(const sync::v1::Challenge& challenge) {
  const int64_t server_ms = challenge.server_time_ms();
  if (state_ != State::kHello || server_ms < 0 || server_ms > kTimeMsMax) {
    return Close(Refuse(sync::v1::PROTOCOL_ERROR, "challenge"));
  }
  out_.emplace_back().mutable_proof()->set_signature(
      SignProof(secret_key_, challenge.nonce(), fingerprint_, hello_));
  state_ = State::kProof;
  const Environment& environment = store_.environment();
  clock_.emplace(environment);
  const int64_t offset = server_ms - environment.now_ms();
  const int64_t took = std::max<int64_t>(0, environment.SteadyMs() - began_ms_);
  if (auto status = store_.Restamp(offset, took); !status.ok()) Close(std::move(status));
}

void Session::OnWelcome(const sync::v1::Welcome& welcome) {
  if (state_ != State::kProof) return Close(Refuse(sync::v1::PROTOCOL_ERROR, "welcome"));
  state_ = State::kOpen;
  in_service_ = welcome.service() == sync::v1::Welcome::IN_SERVICE;
  compresses_ = welcome.dictionary() == DictionaryNumber();
  if (auto status = store_.BeginDownload(welcome); !status.ok()) Close(std::move(status));
}

void Session::OnUpdate(const sync::v1::Update& update, size_t bytes) {
  if (state_ != State::kOpen) return Close(Refuse(sync::v1::PROTOCOL_ERROR, "update"));
  if (!update.continues() && parts_bytes_ == 0) return OnWholeUpdate(update, bytes);
  parts_bytes_ += update.ByteSizeLong();
  parts_came_ += bytes;
  if (parts_bytes_ > kUpdateBytesMax) {
    return Close(TooLarge("update", parts_bytes_, kUpdateBytesMax));
  }
  parts_.MergeFrom(update);
  if (update.continues()) return;
  parts_.clear_continues();
  const sync::v1::Update whole = std::move(parts_);
  parts_.Clear();
  parts_bytes_ = 0;
  OnWholeUpdate(whole, std::exchange(parts_came_, 0));
}

void Session::OnWholeUpdate(const sync::v1::Update& update, size_t bytes) {
  if (auto status = store_.ApplyUpdate(update, bytes); !status.ok()) {
    return Close(std::move(status));
  }
  for (const auto& answer : update.answers()) {
    const auto sent = unanswered_.find(answer.number());
    if (sent != unanswered_.end() && sent->second == answer.link()) unanswered_.erase(sent);
  }
  caught_up_ = !update.catching_up();
}

// Number 0 would make of the device one that is not enrolled.
void Session::OnRenumber(const sync::v1::Renumber& renumber) {
  if (state_ != State::kOpen || renumber.device() == 0) {
    return Close(Refuse(sync::v1::PROTOCOL_ERROR, "renumber"));
  }
  BeginAgain(store_.Renumber(DeviceNumber(renumber.device())));
}

void Session::Push() {
  if (unanswered_.size() > kUnansweredMax) return;
  auto edits = store_.Pending(sent_, kPushBytesMax);
  if (!edits.ok()) return Close(edits.status());
  if (edits->empty()) return;
  if (clock_->WasSet(store_.environment())) return BeginAgain(absl::OkStatus());
  if (edits->size() > kPushEditsMax) edits->resize(kPushEditsMax);
  for (const auto& edit : *edits) unanswered_[edit.number()] = LinkTo(edit.edit());
  sent_ = EditNumber(edits->back().number());
  auto* push = out_.emplace_back().mutable_push();
  push->mutable_edits()->Add(std::make_move_iterator(edits->begin()),
                             std::make_move_iterator(edits->end()));
}

void Session::Ask(sync::v1::Ask ask) {
  const absl::Status status = ask.reason().empty() ? absl::OkStatus() : CheckReason(ask.reason());
  if (status.ok()) return asks_.push_back(std::move(ask));
  const Refused refused = ReasonOf(status);
  sync::v1::Page& page = pages_.emplace_back();
  page.set_id(ask.id());
  page.mutable_refusal()->set_reason(refused.reason);
  page.mutable_refusal()->set_detail(refused.detail);
}

std::optional<sync::v1::Page> Session::TakePage() {
  if (pages_.empty()) return std::nullopt;
  sync::v1::Page page = std::move(pages_.front());
  pages_.pop_front();
  return page;
}

void Session::Leave() {
  left_ = true;
  out_.emplace_back().mutable_leave();
}

bool Session::Next(ClientFrame* frame) {
  if (out_.empty() && state_ == State::kOpen && !asks_.empty()) {
    *out_.emplace_back().mutable_ask() = std::move(asks_.front());
    asks_.pop_front();
  }
  if (out_.empty() && state_ == State::kOpen && !left_) Push();
  if (out_.empty() && done() && !in_service_ && !left_) Leave();
  if (out_.empty()) return false;
  *frame = std::move(out_.front());
  out_.pop_front();
  if (compresses_) CompressFrame(compressor_, frame);
  return true;
}

}  // namespace zhibu::client
