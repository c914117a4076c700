// Who is told what happens in the server, so that somebody can see it and act: hub, sessions,
// ingest, admin and the store are handed one.
//
//   Log log;                                      // server/base/log.h: lines and counts
//   Hub hub(&store, &ingest, environment, limits, &log);
//
// Nothing personal is told: numbers of devices and edits, types and ids of records, reasons.
// What a client wrote is in no status that is handed to an observer but as the detail of a
// refusal, which the log leaves out.
//
// Any thread may call, also within a transaction that is undone afterwards; an observer
// returns at once.
#ifndef ZHIBU_SERVER_BASE_OBSERVER_H_
#define ZHIBU_SERVER_BASE_OBSERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "sync/base/types.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::server {

// Something did not work that is nobody's fault outside.
struct Trouble {
  enum class What {
    kEdit,      // an edit cannot be written; its device offers it again
    kFault,     // an edit goes back to its author for a fault of the server's
    kComposed,  // an edit that the server composed was refused: a fault of the program
    kSession,   // a session ended; its device comes again
    kSeen,      // when devices were seen cannot be noted
    kSums,      // sums of figures cannot be made: reports say so until the next start
    kRule,      // a rule gave up: `status` says on what
  };
  What what = What::kSession;
  absl::Status status;
  DeviceNumber device{};
  EditNumber edit{};
  uint32_t type = 0;  // of a record
};

// A row of the store that cannot be read: its bytes are not those that were written.
struct Damage {
  enum class What {
    kRecord,  // `record`
    kEdit,    // of the audit: `edit` in the chain of `device`
    kName,    // of `device`
    kSums,    // of the organisation `scope`: they are made anew at the next start
  };
  What what = What::kRecord;
  RecordKey record{};
  DeviceNumber device{};
  EditNumber edit{};
  Id scope{};
};
// "record 31 0194…", "edit 12 of device 7", "name of device 7", "sums of 0194…".
std::string TextOf(const Damage& damage);
// The status of whoever cannot go on without it: see sync/base/damage.h.
absl::Status StatusOf(const Damage& damage);

// By which way a device has come, or a call.
enum class Entrance { kGrpcStream, kWebStream, kGrpcCall, kWebCall };

class Observer {
 public:
  virtual ~Observer() = default;
  // One that takes no notice.
  static Observer* None();

  // An edit, a session, a question, an enrolment or a bundle was refused. `device` is 0 where
  // it is not known.
  virtual void OnRefused(sync::v1::Reason /*reason*/, DeviceNumber /*device*/) {}
  virtual void OnTrouble(const Trouble& /*trouble*/) {}
  // Each time that the row is met.
  virtual void OnDamage(const Damage& /*damage*/) {}
  // A device has proved that a stream is its own, or a call has been answered.
  virtual void OnEntered(Entrance /*by*/) {}
  virtual void OnSessionOpened(DeviceNumber /*device*/) {}
  virtual void OnSessionEnded(DeviceNumber /*device*/) {}
  // One transaction.
  virtual void OnCommitted(size_t /*edits*/, std::chrono::nanoseconds /*took*/) {}
  // A frame of one, in bytes as it travels.
  virtual void OnUpdate(DeviceNumber /*device*/, size_t /*bytes*/) {}
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_BASE_OBSERVER_H_
