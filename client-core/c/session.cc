// Frames in and out, and what whoever moves them is to do.
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/call.h"
#include "client-core/c/open_store.h"
#include "client-core/c/told.h"
#include "client-core/sessions.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

class OpenSession final : public OnAStore {
 public:
  OpenSession(std::shared_ptr<Store> store, Sessions::Options options)
      : OnAStore(std::move(store)), sessions_(&this->store(), std::move(options)) {}

  // One thing at a time, whatever threads it is asked on.
  Answer Do(absl::FunctionRef<Answer(Sessions&)> body) {
    absl::MutexLock lock(&mutex_);
    return body(sessions_);
  }
  // What it was in the middle of could not be stored; the stream will not live through it either.
  void Suspend() override {
    absl::MutexLock lock(&mutex_);
    sessions_.Drop();
  }

 private:
  absl::Mutex mutex_;
  Sessions sessions_ ABSL_GUARDED_BY(mutex_);
};

Sessions::Options OptionsIn(const api::v1::SessionOptions& from) {
  using Mode = Sessions::Options::Mode;
  Sessions::Options options;
  if (!from.app().empty()) options.app = from.app();
  options.mode = from.once() ? Mode::kOnce : Mode::kStay;
  options.within_ms = from.once() ? from.within_ms() : 0;
  return options;
}

api::v1::Advice::What ToApi(Advice::What what) {
  switch (what) {
    case Advice::What::kConnect:
      return api::v1::Advice::CONNECT;
    case Advice::What::kWait:
      return api::v1::Advice::WAIT;
    case Advice::What::kSend:
      return api::v1::Advice::SEND;
    case Advice::What::kIdle:
      return api::v1::Advice::IDLE;
    case Advice::What::kDone:
      return api::v1::Advice::DONE;
    case Advice::What::kStop:
      return api::v1::Advice::STOP;
  }
  return api::v1::Advice::WHAT_UNSPECIFIED;
}

api::v1::Advice ToApi(const Advice& advice) {
  api::v1::Advice told;
  told.set_what(ToApi(advice.what));
  told.set_ms(advice.ms);
  told.set_address(advice.address);
  told.set_fingerprint(advice.fingerprint);
  told.set_stream(advice.stream);
  if (!advice.why.ok()) *told.mutable_why() = ErrorOf(advice.why);
  return told;
}

int32_t OnSession(zhibu_handle session, zhibu_out* reply, zhibu_out* error,
                  absl::FunctionRef<Answer(Sessions&)> body) noexcept {
  return Call(reply, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenSession>(session));
    return open->Do(body);
  });
}

// A stream that says what is no frame is at its end.
Answer ReceiveIn(Sessions& sessions, zhibu_in bytes) {
  const auto frame = Read<sync::v1::ServerFrame>(bytes);
  if (frame.ok()) {
    sessions.Receive(*frame);
  } else {
    sessions.Ended(Refuse(sync::v1::PROTOCOL_ERROR, "frame"));
  }
  return std::string();
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_session_open(zhibu_handle store, zhibu_in options, zhibu_handle* session,
                           zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    if (session == nullptr) return absl::InvalidArgumentError("no place for the handle");
    *session = 0;
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::SessionOptions>(options));
    ASSIGN_OR_RETURN(*session,
                     open->Add(std::make_shared<OpenSession>(open->shared(), OptionsIn(wanted))));
    return std::string();
  });
}

int32_t zhibu_session_advice(zhibu_handle session, zhibu_out* advice, zhibu_out* error) {
  return OnSession(session, advice, error,
                   [](Sessions& open) { return Answer(Bytes(ToApi(open.Advise()))); });
}

int32_t zhibu_session_connected(zhibu_handle session, zhibu_out* error) {
  return OnSession(session, nullptr, error, [](Sessions& open) {
    open.Connected();
    return Answer(std::string());
  });
}

int32_t zhibu_session_next(zhibu_handle session, zhibu_out* frame, zhibu_out* error) {
  return OnSession(session, frame, error, [](Sessions& open) {
    sync::v1::ClientFrame next;
    return Answer(open.Next(&next) ? Bytes(next) : std::string());
  });
}

int32_t zhibu_session_receive(zhibu_handle session, zhibu_in frame, zhibu_out* error) {
  return OnSession(session, nullptr, error, [&](Sessions& open) { return ReceiveIn(open, frame); });
}

int32_t zhibu_session_ended(zhibu_handle session, zhibu_in end, zhibu_out* error) {
  return OnSession(session, nullptr, error, [&](Sessions& open) -> Answer {
    ASSIGN_OR_RETURN(const auto why, Read<api::v1::StreamEnd>(end));
    open.Ended(StatusOf(why), why.stream());
    return std::string();
  });
}

int32_t zhibu_session_hurry(zhibu_handle session, zhibu_out* error) {
  return OnSession(session, nullptr, error, [](Sessions& open) {
    open.Hurry();
    return Answer(std::string());
  });
}

int32_t zhibu_session_ask(zhibu_handle session, zhibu_in ask, zhibu_out* error) {
  return OnSession(session, nullptr, error, [&](Sessions& open) -> Answer {
    ASSIGN_OR_RETURN(auto question, Read<sync::v1::Ask>(ask));
    open.Ask(std::move(question));
    return std::string();
  });
}

int32_t zhibu_session_page(zhibu_handle session, zhibu_out* page, zhibu_out* error) {
  return OnSession(session, page, error, [](Sessions& open) {
    const auto next = open.TakePage();
    return Answer(next ? Bytes(*next) : std::string());
  });
}

int32_t zhibu_session_close(zhibu_handle session, zhibu_out* error) {
  return Call(nullptr, error, [&] { return Done(CloseHandle<OpenSession>(session)); });
}
