#include "client-core/sessions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sync/base/reason.h"
#include "sync/base/refusal.h"

namespace zhibu::client {
namespace {

constexpr int64_t kPauseMsMin = 500;
constexpr int64_t kPauseMsMax = 60'000;
// What a server may ask for.
constexpr int64_t kComeBackMsMax = 600'000;
constexpr int64_t kLongAgo = std::numeric_limits<int64_t>::min();
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

absl::Status Offline() { return Refuse(sync::v1::OFFLINE, ""); }

int64_t UntilMs(int64_t now_ms, int64_t within_ms) {
  return within_ms > 0 && within_ms < kNever - now_ms ? now_ms + within_ms : kNever;
}

}  // namespace

absl::Status WhyEnded(absl::StatusCode code, absl::string_view text, absl::string_view details) {
  switch (code) {
    case absl::StatusCode::kOk:
      return absl::OkStatus();
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
      return Offline();
    case absl::StatusCode::kResourceExhausted:
      return Refuse(sync::v1::LIMIT_REACHED, text);
    default:
      break;
  }
  sync::v1::Refusal refusal;
  if (refusal.ParseFromArray(details.data(), static_cast<int>(details.size())) &&
      refusal.reason() != sync::v1::NO_REASON) {
    return StatusOf(refusal);
  }
  return Refuse(sync::v1::SERVER_TROUBLE, text);
}

Sessions::Sessions(Store* store, Options options)
    : store_(*store),
      options_(std::move(options)),
      until_ms_(UntilMs(store->environment().SteadyMs(), options_.within_ms)),
      wait_until_ms_(kLongAgo) {}

Advice Sessions::Advise() {
  while (!end_) {
    if (store_.suspended()) {
      Drop();
      return {Advice::What::kWait, kPauseMsMax, "", "", Refuse(sync::v1::SUSPENDED, "")};
    }
    if (session_) {
      if (auto advice = Converse()) return *std::move(advice);
    } else if (TimeIsUp()) {
      Fail(Offline());
    } else if (const int64_t now = NowMs(); now < wait_until_ms_) {
      return {Advice::What::kWait, wait_until_ms_ - now, "", "", why_};
    } else if (auto advice = Connect()) {
      return *std::move(advice);
    }
  }
  return *end_;
}

std::optional<Advice> Sessions::Converse() {
  sync::v1::ClientFrame frame;
  if (!next_ && session_->Next(&frame)) next_ = std::move(frame);
  if (session_->closed()) {
    const absl::Status status = session_->status();
    if (!session_->again()) {
      Fail(status);
      return std::nullopt;
    }
    Drop();  // and begins again, at the server that it has found
    tried_ = 0;
    return std::nullopt;
  }
  if (next_) return Advice{Advice::What::kSend};
  const bool was_in_step = std::exchange(in_step_, session_->caught_up());
  if (in_step_ && !was_in_step && options_.mode != Options::Mode::kUnnoted) {
    const absl::Status noted = store_.EndAttempt(absl::OkStatus());
    if (!noted.ok()) {
      Fail(noted);
      return std::nullopt;
    }
    if (options_.mode == Options::Mode::kOnce) {
      Drop();
      end_ = Advice{Advice::What::kDone};
      return std::nullopt;
    }
  }
  if (TimeIsUp()) {
    Fail(Offline());
    return std::nullopt;
  }
  return Advice{Advice::What::kIdle, until_ms_ == kNever ? 0 : until_ms_ - NowMs()};
}

std::optional<Advice> Sessions::Connect() {
  const absl::StatusOr<Identity> identity = store_.GetIdentity();
  if (!identity.ok()) {
    Fail(identity.status());
    return std::nullopt;
  }
  connecting_ = true;
  return Advice{Advice::What::kConnect, 0, identity->address, identity->fingerprint, {}, ++stream_};
}

void Sessions::Connected() {
  if (!std::exchange(connecting_, false)) return;
  connected_ms_ = NowMs();
  session_.emplace(&store_, options_.app);
  if (absl::Status status = session_->Start(); !status.ok()) return Fail(std::move(status));
  for (const sync::v1::Ask& ask : asks_) session_->Ask(ask);
}

void Sessions::Ask(sync::v1::Ask ask) {
  if (session_) session_->Ask(ask);
  asks_.push_back(std::move(ask));
}

std::optional<sync::v1::Page> Sessions::TakePage() {
  std::optional<sync::v1::Page> page;
  if (session_) page = session_->TakePage();
  if (!page) return page;
  const auto same = [&](const sync::v1::Ask& ask) { return ask.id() == page->id(); };
  const auto answered = std::find_if(asks_.begin(), asks_.end(), same);
  if (answered != asks_.end()) asks_.erase(answered);
  return page;
}

bool Sessions::Next(sync::v1::ClientFrame* frame) {
  if (!session_) return false;
  if (!next_) return session_->Next(frame);
  *frame = *std::exchange(next_, std::nullopt);
  return true;
}

void Sessions::Receive(const sync::v1::ServerFrame& frame) {
  if (session_ && store_.suspended()) Drop();  // it could not take what it is told
  if (session_) session_->OnFrame(frame);
}

void Sessions::Ended(const absl::Status& why, uint64_t stream) {
  if (stream != 0 && stream != stream_) return;
  // What it has said before it ended comes first.
  if (session_ && session_->closed()) return;
  if (session_ || connecting_) Fail(why.ok() ? Offline() : why);
}

void Sessions::Drop() {
  session_.reset();
  next_.reset();
  connecting_ = false;
  in_step_ = false;
}

int64_t Sessions::ByChance(int64_t most_ms) const {
  const uint64_t chance = store_.environment().NewSalt();
  return static_cast<int64_t>(chance % (static_cast<uint64_t>(most_ms) + 1));
}

void Sessions::Hurry() {
  wait_until_ms_ = kLongAgo;
  pause_ms_ = 0;
}

void Sessions::Fail(absl::Status status) {
  Drop();
  const sync::v1::Reason reason = ReasonOf(status).reason;
  const bool not_found = reason == sync::v1::OFFLINE || reason == sync::v1::OTHER_SERVER;
  if (not_found && !TimeIsUp()) {
    const absl::StatusOr<size_t> addresses = store_.LookElsewhere();
    if (addresses.ok() && ++tried_ < *addresses) return;  // at the next, at once
    if (!addresses.ok()) status = addresses.status();
  }
  EndAttempt(std::move(status));
}

void Sessions::EndAttempt(absl::Status status) {
  tried_ = 0;
  if (options_.mode != Options::Mode::kUnnoted) {
    const absl::Status noted = store_.EndAttempt(status);
    if (!noted.ok()) status = noted;
  }
  if (options_.mode != Options::Mode::kStay) {
    end_ = Advice{Advice::What::kStop, 0, "", "", std::move(status)};
    return;
  }
  const int64_t now = NowMs();
  const bool held = connected_ms_ && now - *connected_ms_ > kPauseMsMax;
  pause_ms_ = held ? kPauseMsMin : std::clamp(pause_ms_ * 2, kPauseMsMin, kPauseMsMax);
  const int64_t asked_ms = std::min<int64_t>(RefusalOf(status).come_back_ms(), kComeBackMsMax);
  wait_until_ms_ =
      now + std::max(pause_ms_ / 2 + ByChance(pause_ms_), asked_ms + ByChance(asked_ms));
  why_ = std::move(status);
  connected_ms_.reset();
}

}  // namespace zhibu::client
