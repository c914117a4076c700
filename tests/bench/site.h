// A server with one branch and its secretary, and devices of hers.
//
//   Site site(folder);
//   site.Fill(100'000, 100);          // while it is closed
//   site.Start();
//   auto store = site.Enrol(file);    // over gRPC, as an app does
#ifndef ZHIBU_TESTS_BENCH_SITE_H_
#define ZHIBU_TESTS_BENCH_SITE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-core/store/store.h"
#include "server/rpc/node.h"
#include "server/store/store.h"
#include "sync/base/types.h"
#include "tests/bench/floor.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::bench {

class Site {
 public:
  explicit Site(std::string folder);

  // Contacts of about 150 bytes, so many to an edit, in her branch or another. Before
  // Start.
  void Fill(int records, int per_edit, std::optional<Id> branch = std::nullopt);
  // Another branch, with so many members.
  Id NewBranch(int members);
  // The secretary acts for it too, or no longer.
  void Appoint(const Id& branch, bool acts);

  // What a new device is sent on its first connection, frame by frame.
  struct Download {
    std::vector<std::string> frames;  // serialised
    std::vector<size_t> records;      // in each
    uint64_t bodies = 0;              // bytes
    uint64_t count = 0;
  };
  Download Capture();
  // What serves, for a session in this process; and a device of hers that the store knows.
  std::unique_ptr<server::Store> OpenStore() const;
  std::unique_ptr<client::Store> Register(server::Store& store);

  void Start();
  const std::string& folder() const { return folder_; }
  const Tls& tls() const { return tls_; }
  int port() const { return port_; }
  const Id& branch() const { return branch_; }
  const Id& secretary() const { return secretary_; }
  std::string Name(absl::string_view what);  // of a file that is not there yet
  std::unique_ptr<client::Store> Enrol(const std::string& file);
  // Edits of the device that the server has taken.
  uint64_t MergedEdits(DeviceNumber device);

 private:
  void Write(const google::protobuf::Message& message, const Id& id);

  const std::string folder_;
  std::unique_ptr<server::Node> node_;
  int port_ = 0;
  int names_ = 0;
  Tls tls_;
  Id branch_;
  Id secretary_;
  int64_t clock_ms_ = 1'780'000'000'000;  // when the records were made
};

// About 150 bytes: what a branch notes of a talk with a member who is away.
records::v1::Contact MakeContact(const Id& branch, const Id& member, uint64_t seed);
std::unique_ptr<client::Store> OpenDevice(const std::string& file);
// Living records of the type, read and parsed.
uint64_t CountRecords(client::Store& store, const google::protobuf::Descriptor* type);

}  // namespace zhibu::bench

#endif  // ZHIBU_TESTS_BENCH_SITE_H_
