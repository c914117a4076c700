// A world in which everything happens one thing at a time: the server and its
// queue, devices and their streams, time, and the judge who looks on.
//
//   Universe universe(options);
//   universe.Connect(device); universe.Talk(&dice, 20); universe.HangUp(device);
//   universe.CheckAll();
//   universe.failure()
//
// What the server's hub does with threads and strands is done here in one order
// that the seed decides; everything else is production code.
#ifndef ZHIBU_TESTS_SIM_UNIVERSE_H_
#define ZHIBU_TESTS_SIM_UNIVERSE_H_

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/sessions/turns.h"
#include "sync/rules/book/book.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machines.h"
#include "tests/sim/plan.h"

namespace zhibu::sim {

class Hostile;

// How much a commit adds to a counter or a fund, by record.
using Deltas = std::vector<std::pair<RecordKey, int64_t>>;

struct Stats {
  uint64_t edits = 0;    // committed on devices
  uint64_t refused = 0;  // at the device, in words
  uint64_t sessions = 0;
  uint64_t frames = 0;
  uint64_t restarts = 0;
  uint64_t forks = 0;
  uint64_t carried = 0;  // edits that came to the server by courier
  uint64_t amended = 0;  // set-aside edits that were made again
  uint64_t discarded = 0;
  uint64_t questions = 0;
  uint64_t pages = 0;      // after the first of each answer
  uint64_t looked_at = 0;  // records that were asked for, and shown
  uint64_t checks = 0;
  uint64_t dearest = 0;        // work for what an edit brings
  uint64_t hostile_edits = 0;  // pushed
  uint64_t hostile_asked = 0;  // what must be answered alike
  // By the rule book, at rest: records that are as it has them, that are not, of which nobody can
  // tell, and on which a rule went wrong.
  std::array<uint64_t, 4> judged = {};
  // What devices have counted, and known what for.
  uint64_t counted = 0;
  std::map<std::string, uint64_t> faults;
};

class Universe {
 public:
  explicit Universe(const Options& options);
  ~Universe();

  // ---- Time and the scheduler ----
  int64_t now_ms() const { return now_ms_; }
  // As the server believes.
  int64_t server_ms() const { return server_.clock.Now(now_ms_); }
  // The server is started under it, for an hour.
  void SetServerClock(Clock clock);
  // Once the hour is over.
  void PutServerClockRight();
  void Wait(int64_t ms) { now_ms_ += ms; }
  // One of these on any open stream, `moves` times.
  void Talk(Dice* dice, int moves);
  // Nothing where the device cannot or must not connect now.
  void Connect(Device& device);
  void HangUp(Device& device);
  // A whole session, and more where the device is told to begin again; cut after
  // so many frames.
  void Sync(Device& device, uint64_t frames_max = UINT64_MAX);
  // Commits what waits at the server: at most so many turns of everybody.
  void CommitQueue(size_t groups_max);
  // Delivers what is on the way to the server, at most so many frames.
  void Deliver(Stream& stream, size_t frames_max);
  void SetSlow(int moves) { slow_ = moves; }
  // The device has given the stream up; what it sent may arrive late.
  void Strand(Device& device);
  // One of the two sides gets only a part of the next frame.
  void Tear(Stream& stream, bool at_server, Dice* dice);

  // ---- What travels by hand (courier.cc) ----
  // The device's owner hands a file to somebody.
  void SendByCourier(Device& device);
  // One of the files that are on their way reaches the server, whole or altered.
  void DeliverByCourier(Dice* dice);
  // Receipts reach a device, the author's or another.
  void ReceiveByCourier(Dice* dice);

  // ---- What devices ask for (questions.cc) ----
  // For records that it does not hold, all pages of them. Nothing where the device has no
  // link, or waits for another answer.
  void Ask(Device& device, sync::v1::Ask ask);

  // ---- Phones with other software (hostiles.cc) ----
  // One of them says something; nothing where there are none.
  void LetHostileAct(uint64_t seed);
  // None: it cannot be enrolled now.
  DeviceNumber EnrolHostile(const Id& person, const sync::v1::EnrolRequest& request);
  std::unique_ptr<server::Session> OpenHostile(const Hostile& hostile, uint64_t* stream);
  void HearHostile(Hostile& hostile, const std::string& bytes);
  // What the server says next, judged.
  bool NextForHostile(Hostile& hostile, sync::v1::ServerFrame* frame);
  void NoteHostile(DeviceNumber number);
  size_t hostile_numbers() const { return hostile_numbers_.size(); }
  // Some of those that anybody has been given.
  const std::vector<sync::v1::Cursor>& cursors() const { return cursors_; }

  // ---- What happens to machines ----
  void RestartDevice(Device& device, bool power_lost);
  void RestartServer(bool power_lost);
  // The operator makes a backup; puts the last one back.
  void BackUpServer();
  void RestoreServer();
  // A bit flips on the server's disk, or what has flipped is put back.
  void DamageServer(Dice* dice);
  void MendServer();
  // The operator announces another address or certificate, thinks better of it, or takes it.
  void MoveServer(Dice* dice);
  // From now on the server runs today's version.
  void UpdateServer();
  // Looks whether the last thing killed somebody.
  void Reap();

  // ---- What people do (workload.cc) ----
  void Edit(Device& device, uint64_t seed);
  // The code that somebody's phone shows of a meeting; empty: it shows none.
  std::string Show(Device& device, Dice* dice);
  // Pictures of codes, which people keep and forward.
  const std::vector<std::string>& pictures() const { return pictures_; }
  // An edit on a device, and what is remembered of it. `begun_at`: the version of the
  // record when its draft was begun, if more may have come in since.
  enum class Done { kYes, kNo, kUnknown };  // unknown: the disk has failed meanwhile
  Done Commit(Device& device, const std::vector<client::Draft*>& drafts, const Deltas& deltas,
              std::optional<uint64_t> begun_at = std::nullopt);
  // What was set aside is made again; or let go of.
  void Amend(Device& device, const client::SetAside& item);
  void Discard(Device& device, const client::SetAside& item);

  // ---- What the operator does (operator.cc) ----
  void Found(int devices);
  void FoundOrganisations();
  void Operate(uint64_t seed);
  void Appoint(const Id& person, const Id& organisation, Office office, int64_t until_ms);
  void Place(const Id& person, const Id& branch);
  void Move(const Id& person, const Id& branch);  // placement and register
  bool OwnWrite(const google::protobuf::Message& message, const Id& id);
  // With a new number, on an empty disk.
  void Enrol(Device& device);
  void Join(const Id& one, const Id& other, Dice* dice);
  void Revoke(Device& device, bool lost);
  void Revoke(DeviceNumber number, bool lost);
  // Whether it is a copy, or a restored backup, with a number that was revoked.
  void NoteRevoked(Device& device);
  Device& AddDevice(const Id& person, bool old);

  // ---- The judge ----
  // Everybody syncs, and everything is compared.
  void CheckAll();
  // The server was restored, and the device has not heard everything of what it has
  // now: what it shows is of the earlier life.
  bool OfEarlierLife(Device& device);
  // What a device can account for.
  void CheckAccount(Device& device);
  // Whom the server tells something.
  struct Hearer {
    DeviceNumber number;
    Id person;
    std::string name;
  };
  static Hearer HearerOf(Device& device);
  // Of each frame that goes to anybody: nothing in it is beyond their rights.
  void CheckUpdate(const Hearer& hearer, const sync::v1::Update& update);
  const std::optional<Failure>& failure() const { return ledger_.failure(); }
  Ledger& ledger() { return ledger_; }
  // Of all records, audits and views.
  std::string Digest();

  std::vector<std::unique_ptr<Device>>& devices() { return devices_; }
  const std::vector<Id>& branches() const { return branches_; }
  // The committees above them; and all of these.
  const std::vector<Id>& superiors() const { return superiors_; }
  std::vector<Id> organisations() const;
  // What the organisation may be hung on so that nothing hangs on itself.
  std::vector<Id> MayHangOn(const Id& organisation) const;
  const std::vector<Id>& people() const { return people_; }
  Server& server() { return server_; }
  const std::map<uint64_t, std::unique_ptr<Stream>>& streams() const { return streams_; }
  Stats stats;
  bool old_clients = false;
  bool copies = false;  // of devices have been made, or of what the server knew of them
  // Edits that copies of their author's device hold, or once held, by salt.
  std::set<uint64_t> copied;

 private:
  // A file on its way.
  struct Carried {
    int device = 0;  // the author's
    std::string file;
  };
  // What was committed somewhere, by salt.
  struct Known {
    sync::v1::Edit edit;
    Deltas deltas;
    // When it was made, where its device's clock said so.
    std::optional<int64_t> made_ms;
  };

  // A question of a device, page by page.
  struct Question {
    sync::v1::Ask ask;  // for the page that is due
    bool asked = false;
    int64_t heard_ms = 0;
    std::optional<Ledger::Answer> due;
    std::map<Id, std::set<Id>> tree;
    bool reorganised = false;     // since the page before
    std::map<Id, Places> steady;  // what was to be seen, and where it lay, from first to last
    std::set<Id> shown;
  };

  // Looks for the server as the syncer does, one place after the other that the device knows.
  bool Finds(Device& device);
  // What the device is to know once it has heard the welcome.
  std::string Whereabouts();
  void CheckWhereabouts(const Stream& stream);
  absl::Status TakePlace();

  void HangUpAll();
  server::Session* SessionOf(uint64_t stream);

  bool ClientSays(Stream& stream);
  bool ServerHears(Stream& stream);
  void DeliverStranded(Dice* dice);
  bool ServerSays(Stream& stream);
  bool ClientHears(Stream& stream);
  void TakeAnswers(Stream& stream, const sync::v1::Update& update, std::vector<uint64_t>* merged);
  bool LastChangedBy(const Ledger::Row& row, const RecordKey& key);
  bool IsToSee(const Device& device, const Ledger::Row& row, const sync::v1::Change& change);
  void CheckStamps(Stream& stream, const sync::v1::Push& push);
  void CheckCursors(Device& device, const std::vector<uint64_t>& merged);
  void EndStream(Stream& stream);
  // What the device has sent waits for its turn.
  void Submit(const server::Session& session, uint64_t stream,
              std::vector<server::Submitted> edits);
  void CommitGroup(const server::Turns::Group& group);
  void CommitEach(const server::Turns::Group& group);
  void CheckCost(const server::Submitted& submitted, const server::Result& result);
  void Renumbered(DeviceNumber before, DeviceNumber number);
  void TellOfMoved();
  Carried TakeUp(std::vector<Carried>* pool, Dice* dice, bool* altered);
  void CheckDelivered(Device& device, const std::vector<sync::v1::NumberedEdit>& pending,
                      uint64_t delivered);
  void Absorb();
  absl::Status OpenServer();
  // What a start of a server does with what it has opened.
  absl::Status BeginServer(bool restored = false);
  void AdoptPending(Device& device);
  void LetGo(Device& device, const client::SetAside& item, Done done);
  void CheckSealed(const Disk& disk, const std::string& whose);
  void CheckView(Device& device);
  void CheckGone(Device& device);
  void CheckJudgedAlike(Device& device);
  void MakeFigures();
  void CheckFigures();
  void CheckCountedAlike(Device& device);
  absl::Status CheckJudgedAlike(Device& device, const std::vector<rules::Check>& checks,
                                const Id& id, const google::protobuf::Message& message,
                                server::Reader& reader);
  void CheckMeant(Device& device, const sync::v1::Edit& edit,
                  const std::vector<client::Draft*>& drafts);
  void CheckBase(Device& device, const sync::v1::Edit& edit, uint64_t begun_at);
  void CheckOwn(Device& device);
  // The server hears the question on this stream now.
  void AnswerIsDue(const Stream& stream);
  void CheckPage(const Stream& stream, const sync::v1::Page& page);
  void TakePage(Stream& stream);
  void Seen(DeviceNumber number, const std::string& who);
  void CheckLogged(const Hearer& hearer, const std::set<std::string>& own, const RecordKey& key,
                   const std::string& body, int64_t since_ms);
  void CheckScope(const Hearer& hearer, const std::string& bytes);
  void CheckRepeats(Stream& stream, const sync::v1::Update& update);
  void CheckMoment(const Hearer& hearer, const RecordKey& key, const Ledger::Record& record,
                   uint64_t version);
  void CheckTrace(const Hearer& hearer, const RecordKey& key, const Ledger::Record& record,
                  const std::string& trace);
  void NoteSent(Hostile& hostile, const server::Submitted& submitted);
  void CheckHostilePage(const Hearer& hearer, uint64_t stream, const sync::v1::Page& page);
  static server::SessionLimits LimitsOf(size_t update_bytes);
  void NoteFoundations(Device& device, const sync::v1::NumberedEdit& edit, uint64_t salt);
  void CheckSums();
  void CheckLetGo();
  std::map<RecordKey, std::string> Shown(Device& device);

  // What the server's operator is told.
  class Watch : public server::Observer {
   public:
    explicit Watch(Universe* universe) : universe_(*universe) {}
    void OnTrouble(const server::Trouble& trouble) override;

   private:
    Universe& universe_;
  };
  bool OfSomebodysRight(const absl::Status& status) const;

  Dice dice_;
  Watch watch_{this};
  int64_t now_ms_ = 1'795'000'000'000;  // November 2026
  Server server_;
  int64_t server_clock_until_ms_ = 0;    // while it is wrong
  int64_t versions_ahead_until_ms_ = 0;  // of what a clock that was fast has given
  std::vector<std::unique_ptr<Device>> devices_;
  std::map<uint64_t, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> stranded_;
  struct Backup {
    Image image;
    bool old = false;  // of the version that made it
  };
  std::optional<Backup> backup_;
  std::string incarnation_;
  server::Turns turns_;
  uint64_t groups_ = 0;  // that have been committed
  std::vector<Carried> bundles_;
  std::vector<Carried> receipts_;
  std::set<std::string> sealed_;  // all that was ever exported
  std::map<uint64_t, Known> known_;
  // Returned, and discarded or made again by its author since.
  std::set<uint64_t> let_go_;
  std::vector<Id> branches_;
  std::vector<Id> superiors_;
  std::vector<Id> people_;
  std::vector<std::string> pictures_;
  Ledger ledger_;
  std::vector<test::Damaged> damaged_;      // on the server's disk now
  std::map<uint64_t, Question> questions_;  // by stream
  std::vector<std::unique_ptr<Hostile>> hostiles_;
  std::set<DeviceNumber> hostile_numbers_;
  struct HostileQuestion {
    sync::v1::Ask ask;
    int64_t heard_ms = 0;
    Ledger::Answer due;
  };
  std::map<uint64_t, HostileQuestion> hostile_due_;  // by stream
  std::vector<sync::v1::Cursor> cursors_;
  std::map<Id, std::set<RecordKey>> shown_;  // to any device of the person, ever
  uint64_t questions_asked_ = 0;
  uint64_t streams_made_ = 0;
  int slow_ = 0;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_UNIVERSE_H_
