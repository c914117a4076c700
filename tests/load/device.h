// A simulated phone: it speaks the protocol as docs/wire.md has it and keeps what the next session
// needs (cursors, edits without an answer), but no records.
//
//   at rest ─Open→ dialling ─Welcome→ open ─"no more"→ in step ─…→ Close → at rest
//   a stream that breaks, or is refused, is opened again after a while (docs/wire.md, Transport)
//
// Everything of it happens on its crowd's thread.
#ifndef ZHIBU_TESTS_LOAD_DEVICE_H_
#define ZHIBU_TESTS_LOAD_DEVICE_H_

#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "sync/base/environment.h"
#include "sync/wire/compression.h"
#include "tests/load/call.h"
#include "tests/load/plan.h"
#include "tests/load/site.h"
#include "tests/load/tally.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::load {

// What the devices of one thread share.
struct Shared {
  asio::io_context io;
  const Plan* plan = nullptr;
  const Site* site = nullptr;
  std::mt19937_64 random;
  Environment environment;
  Tally tally;
  Compressor compressor;
  bool measuring = false;  // what happens now counts
  bool offering = false;   // edits become due
  int64_t began_us = 0;    // of measuring
  int64_t opened = 0;      // devices that are in step
  int64_t unanswered = 0;  // edits that are due or sent
};

int64_t SteadyMicros();

class Device : public Listener {
 public:
  Device(Shared* shared, Enrolled* who, bool slow, int64_t clock_off_ms);
  ~Device() override;

  void Open();
  // From now on it writes by itself, as the plan has it, until nothing is offered any more.
  void Begin();

 private:
  struct Sent {
    int64_t due_us = 0;
    sync::v1::NumberedEdit edit;
  };

  void OnReady() override;
  void OnMessage(absl::string_view bytes) override;
  void OnEnd(const absl::Status& why) override;

  void Send(sync::v1::ClientFrame frame);
  void OnUpdate(const sync::v1::Update& update);
  void OnAnswer(const sync::v1::Answer& answer);
  void HearOthers(const sync::v1::Group& group);
  void AddDue(int64_t at_us);
  void Push();
  sync::v1::NumberedEdit NewEdit();
  void Resend();
  // After what has happened: the next occasion to write, or the end of a storm's cycle.
  void GoOn();
  void WriteIn(int64_t us);
  void Fail(const std::string& what, int64_t come_back_ms);
  void Close();
  void After(int64_t us, void (Device::*then)());
  void BeginCycle();
  void Arrive();
  int64_t ByChance(int64_t most);
  int64_t OwnNowMs() const;

  Shared& shared_;
  Enrolled& who_;
  const bool slow_;
  const int64_t clock_off_ms_;
  std::shared_ptr<Call> call_;
  asio::steady_timer timer_;  // the next occasion to write
  asio::steady_timer later_;  // a slow one reads on; one that has lost its stream tries again
  int64_t dialled_us_ = 0;
  int64_t pause_ms_ = 0;
  int64_t arrives_us_ = 0;  // with a rate: when the next edit is due
  bool writes_ = false;
  bool open_ = false;
  bool compresses_ = false;
  bool in_step_ = false;
  bool over_ = false;  // it is not what the server takes it for, and comes no more
  std::string hello_;
  std::map<std::string, sync::v1::Cursor> cursors_;  // by scope
  std::deque<int64_t> due_us_;                       // not sent yet
  std::deque<Sent> sent_;                            // without an answer, by number
};

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_DEVICE_H_
