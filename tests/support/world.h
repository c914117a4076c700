// A server and some phones in one process, on one thread, from one seed: the
// production code of both sides, joined by streams that a test moves frame by
// frame, cuts and loses as it likes.
//
//   World world;
//   const Id branch = world.Branch("青石村党支部");
//   const Id zhang = world.Person("张", branch);
//   world.Appoint(zhang, branch, SECRETARY);
//   Phone& phone = world.Enrol(zhang);
//   phone.Make<Meeting>([&](Meeting& m) { m.set_branch_id(branch.str()); });  // offline
//   world.Sync(phone);
//   EXPECT_EQ(phone.View(), world.ViewOf(zhang));
//
// Record types: the catalogue, and those that only the tests declare.
#ifndef ZHIBU_TESTS_SUPPORT_WORLD_H_
#define ZHIBU_TESTS_SUPPORT_WORLD_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "client-core/session.h"
#include "client-core/store/store.h"
#include "server/ingest/ingest.h"
#include "server/sessions/session.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/crypto/handshake.h"
#include "sync/schema/schema.h"
#include "tests/support/heard.h"
#include "tests/support/moved.h"
#include "tests/support/unpacked.h"

namespace zhibu::test {

// Of every phone's file, and of the server's.
inline const std::string kPhoneKey(32, 'k');
inline const std::string kServerKey(32, 's');
// The server's certificate, of which there is no more than what has a fingerprint.
inline constexpr absl::string_view kServerCertificateDer = "zhibu";
inline const std::string kServerFingerprint = FingerprintOfDer(kServerCertificateDer);

inline constexpr int64_t kDay = 86'400'000;  // milliseconds

// The catalogue and tests/proto/policies.proto.
std::shared_ptr<const Schema> WideSchema();

// One line, UTF-8 as it is.
std::string TextOf(const google::protobuf::Message& message);

// A directory that goes with the test; in memory where the system has such.
class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // A name that was not given before.
  std::string NewFile();

 private:
  std::string path_;
  int files_ = 0;
};

// A client's file as it stands on the disk now, though it be open: what a kill
// -9 would leave, or a backup hold.
void CopyDatabase(const std::string& from, const std::string& to);

// Time and chance in the test's hand.
class Fate {
 public:
  explicit Fate(uint64_t seed, const int64_t* now_ms) : random_(seed), now_ms_(now_ms) {}

  int64_t clock_error_ms = 0;
  // From now on every byte is the same: what is made does not hang on what was made before.
  bool constant = false;
  Environment environment();

 private:
  std::mt19937_64 random_;
  const int64_t* now_ms_;
};

class World;

// A device, its file and its owner.
class Phone {
 public:
  const Id& person() const { return person_; }
  DeviceNumber number();
  client::Store& store() { return *store_; }
  const std::string& file() const { return file_; }
  int64_t& clock_error_ms() { return fate_->clock_error_ms; }

  // Each one edit, which must be taken.
  template <typename T>
  Id Make(std::function<void(T&)> fill) {
    auto draft = store_->New<T>();
    fill(draft.template message<T>());
    Commit({&draft});
    return draft.id();
  }
  template <typename T>
  void Change(const Id& id, std::function<void(T&)> change) {
    auto draft = store_->Edit<T>(id);
    ASSERT_TRUE(draft.ok()) << draft.status();
    change(draft->template message<T>());
    Commit({&*draft});
  }
  template <typename T>
  void Delete(const Id& id) {
    auto draft = store_->Edit<T>(id);
    ASSERT_TRUE(draft.ok()) << draft.status();
    draft->Delete();
    Commit({&*draft});
  }
  void Commit(std::vector<client::Draft*> drafts);

  // The message, empty where there is none.
  template <typename T>
  T Get(const Id& id) {
    auto draft = store_->Edit<T>(id);
    return draft.ok() ? draft->template message<T>() : T();
  }
  template <typename T>
  bool Has(const Id& id) {
    return store_->Edit<T>(id).ok();
  }
  template <typename T>
  std::vector<T> All() {
    std::vector<T> all;
    const uint32_t type = store_->schema().Find(T::descriptor())->number;
    EXPECT_EQ(store_->List({.type = type},
                           [&](const Id&, const google::protobuf::Message& message) {
                             all.push_back(static_cast<const T&>(message));
                             return true;
                           }),
              absl::OkStatus());
    return all;
  }
  // Every record that the app would show: "Meeting 3f… place: \"礼堂\"".
  std::vector<std::string> View();

  client::SyncState State() { return store_->State().value(); }
  // "3 RETURNED NOT_ENTITLED", in the order in which they came back.
  std::vector<std::string> SetAside();

  // The process is killed and started again.
  void Crash();
  // The file as it is now, and as it was: a backup, and its restoration.
  std::string Save();
  void Restore(const std::string& saved);

 private:
  friend class World;
  Phone(World* world, Id person, uint64_t seed);
  void Open(const std::string& file);

  World& world_;
  const Id person_;
  std::unique_ptr<Fate> fate_;
  std::string file_;
  std::unique_ptr<client::Store> store_;
};

// One connection. Frames travel as bytes.
class Stream {
 public:
  Stream(World* world, Phone* phone);
  ~Stream();                       // cut, if it is not closed
  Stream(const Stream&) = delete;  // the world tells it of moves
  Stream& operator=(const Stream&) = delete;

  // Moves one frame; false where neither side has anything to say.
  bool Step();
  // Moves one frame of the given side.
  bool StepClient();
  bool StepServer();
  // Until both are quiet.
  void Run();
  // Takes what one of them would say next, and loses it.
  void Lose();

  client::Session& client() { return client_; }
  server::Session& server() { return server_; }
  Phone& phone() { return phone_; }
  int frames() const { return frames_; }
  // Sees each frame from the server before the phone does, unpacked.
  std::function<void(const sync::v1::ServerFrame&)> watch;
  // Who speaks first when both could.
  bool server_first = false;

 private:
  friend class World;
  void Deliver(const sync::v1::ClientFrame& frame);

  World& world_;
  Phone& phone_;
  client::Session client_;
  server::Session server_;
  int frames_ = 0;
};

class World {
 public:
  explicit World(uint64_t seed = 1);

  // Opens the store of every server, and again when it is restarted; `file` is a name that is the
  // store's alone. Whoever wants another than the SQLite store says so before the first world.
  using OpenStore = std::function<absl::StatusOr<std::unique_ptr<server::Store>>(
      const std::string& file, server::Observer* observer)>;
  static OpenStore open_store;

  // ---- Time ----
  int64_t now_ms() const { return now_ms_; }
  void Wait(int64_t ms) { now_ms_ += ms; }

  // ---- What the operator does ----
  Id Branch(const std::string& name);
  Id Person(const std::string& name, const Id& branch);
  void Place(const Id& person, const Id& branch);
  void Appoint(const Id& person, const Id& organisation, Office office, int64_t until_ms = 0);
  void Dismiss(const Id& person, const Id& organisation, Office office);
  Phone& Enrol(const Id& person);
  // A phone that the restored server has forgotten.
  void EnrolAgain(Phone& phone);
  // A second phone with the same file.
  Phone& Clone(Phone& phone);
  void Revoke(DeviceNumber number,
              server::DeviceRow::Standing standing = server::DeviceRow::Standing::kRevoked);
  // As the number has it now.
  server::DeviceRow RowOf(DeviceNumber number);
  // What the server answers a device of that person which enrols.
  sync::v1::EnrolReply AnswerTo(const sync::v1::EnrolRequest& request, const Id& person);
  // The phone's owner types a code in, and the phone comes with `secret_key`.
  void EnrolWith(Phone& phone, const std::string& secret_key, const std::string& name);
  // What `zhibu admin backup` does, and what a server does that starts on its file.
  std::string BackUp();
  void RestoreServer(const std::string& backup);
  // The process ends, and starts again on its file.
  void RestartServer();
  // By the server's own device; the id of a type whose fields make it follows.
  void Write(const google::protobuf::Message& message, const Id& id);

  // ---- Sync ----
  // A whole session, and another where the device is to begin again. What the
  // client makes of it.
  absl::Status Sync(Phone& phone);
  // A session that is cut after `frames`; false where it needed fewer.
  bool SyncCutAfter(Phone& phone, int frames, bool server_first = false);
  // A courier brings what a phone has exported. The receipts, or why it is refused.
  absl::StatusOr<std::string> Deliver(const std::string& bundles);
  // Until everybody has everything; fails the test if that never comes.
  void SyncAll();

  // ---- What is so ----
  // What a phone of the person must show when all is synced.
  std::vector<std::string> ViewOf(const Id& person);
  // Where the phone shows something else: "missing: …", "left over: …".
  std::vector<std::string> Differences(Phone& phone);
  template <typename T>
  T Get(const Id& id) {
    T message;
    message.ParsePartialFromString(StateOf({schema_->Find(T::descriptor())->number, id}).body);
    return message;
  }
  RecordState StateOf(const RecordKey& key);
  std::vector<server::AuditRow> AuditOf(DeviceNumber device);
  // Every chain of the audit, worked out again.
  void CheckAudit();

  const std::shared_ptr<const Schema>& schema() const { return schema_; }
  server::Store& store() { return *store_; }
  server::Ingest& ingest() { return *ingest_; }
  Directory& directory() { return directory_; }
  const std::string& server_file() const { return server_file_; }
  // What the server has told whoever operates it.
  Heard& heard() { return heard_; }
  Fate& fate() { return fate_; }
  Fate& PhoneFate(Phone& phone) { return *phone.fate_; }
  server::SessionLimits limits;
  const std::vector<std::unique_ptr<Phone>>& phones() const { return phones_; }

  // What the hub does with a batch of edits.
  std::vector<server::Result> Commit(const std::vector<server::Submitted>& batch);

 private:
  friend class Phone;
  friend class Stream;
  void TellOfMoved();
  std::string Incarnation();
  std::string CourierKey();
  void OpenServer(const std::string& file);
  void MakeSums();

  Directory directory_;
  std::string server_file_;
  Heard heard_;
  int64_t now_ms_ = 1'795'000'000'000;  // November 2026
  uint64_t seed_;
  Fate fate_;
  const std::shared_ptr<const Schema> schema_;
  Moved moved_;
  std::unique_ptr<server::Store> store_;
  std::unique_ptr<server::Ingest> ingest_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::vector<Stream*> streams_;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_WORLD_H_
