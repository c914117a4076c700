// Everything that a branch has, into an empty device over gRPC and TLS, against
// a raw stream of the same frames whose receiver inserts the same rows in as
// many transactions.
#include <SQLiteCpp/SQLiteCpp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <numeric>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/transport/syncer.h"
#include "tests/bench/floor.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "tests/support/unpacked.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::bench {
namespace {

// What has come in on this process's connections to the port.
uint64_t BytesFrom(int port) {
  uint64_t bytes = 0;
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    const int peer_port = peer.ss_family == AF_INET
                              ? ntohs(reinterpret_cast<sockaddr_in*>(&peer)->sin_port)
                              : ntohs(reinterpret_cast<sockaddr_in6*>(&peer)->sin6_port);
    if (peer_port != port) continue;
    tcp_info info{};
    size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    bytes += info.tcpi_bytes_received;
  }
  return bytes;
}

class Scene {
 public:
  Scene(const Options& options, int per_edit)
      : records_(options.quick ? 2000 : 100'000),
        site_(absl::StrCat(options.folder, "/download", per_edit)) {
    site_.Fill(records_, per_edit);
    download_ = site_.Capture();
    ReadRows();
    site_.Start();
  }

  int records() const { return records_; }
  uint64_t wire_bytes() const { return wire_bytes_; }
  const Site::Download& download() const { return download_; }

  double Subject() {
    const auto store = site_.Enrol(site_.Name("device"));
    uint64_t bytes = 0;
    const auto subscription = store->Subscribe(
        [&](const client::Changes&) { bytes = std::max(bytes, BytesFrom(site_.port())); });
    client::Syncer syncer(store.get());
    const Stopwatch watch;
    Check(syncer.SyncOnce(absl::Minutes(5)), "first download");
    const double seconds = watch.seconds();
    wire_bytes_ = bytes;
    Check(
        CountRecords(*store, records::v1::Contact::descriptor()) == static_cast<uint64_t>(records_),
        "not all records have arrived");
    return seconds;
  }

  double Floor() {
    RawTable table(site_.Name("floor"), RawTable::Layout::kRecord);
    std::vector<size_t> begins(download_.records.size() + 1);
    std::partial_sum(download_.records.begin(), download_.records.end(), begins.begin() + 1);
    const double seconds = RawDownload(site_.tls(), download_.frames, [&](size_t i) {
      table.Insert(absl::MakeSpan(rows_).subspan(begins[i], begins[i + 1] - begins[i]));
    });
    Check(table.Count() == download_.count, "the floor lost rows");
    return seconds;
  }

 private:
  // The rows that the device made of each frame, in the order in which they came.
  void ReadRows() {
    absl::flat_hash_map<RecordKey, std::string> stored;
    SQLite::Database file(absl::StrCat(site_.folder(), "/registered1.db"), SQLite::OPEN_READWRITE);
    SQLite::Statement query(file, "SELECT type, id, confirmed FROM record");
    while (query.executeStep()) {
      const auto id = Id::FromBytes(query.getColumn(1).getString());
      Check(id.has_value(), "the device's file");
      stored[{query.getColumn(0).getUInt(), *id}] = query.getColumn(2).getString();
    }
    for (const std::string& bytes : download_.frames) {
      sync::v1::ServerFrame sent;
      sent.ParseFromString(bytes);
      const sync::v1::ServerFrame frame = test::Unpacked(sent);
      for (const auto& group : frame.update().groups()) {
        for (size_t at = 0; at < group.ids().size(); at += Id::kSize) {
          const std::string id = group.ids().substr(at, Id::kSize);
          rows_.push_back({group.type(), id, stored[{group.type(), *Id::FromBytes(id)}]});
        }
      }
    }
    Check(rows_.size() == download_.count && stored.size() == rows_.size(), "rows are missing");
  }

  const int records_;
  Site site_;
  Site::Download download_;
  std::vector<RawTable::Row> rows_;
  uint64_t wire_bytes_ = 0;
};

void Measure(const Options& options, int per_edit, Report* report) {
  Scene scene(options, per_edit);
  const std::string name = absl::StrCat("first_download.by_", per_edit);
  const Times times = Alternate(
      options.rounds, [&] { return scene.Floor(); }, [&] { return scene.Subject(); });
  const Site::Download& download = scene.download();
  const double count = static_cast<double>(download.count);
  report->AddRatio(name, Aim{true, 0.5}, times, count, "records",
                   absl::StrCat(scene.records(), " records made ", per_edit, " to an edit, in ",
                                download.frames.size(), " frames"));
  const double bodies = static_cast<double>(download.bodies);
  const double bytes = static_cast<double>(scene.wire_bytes());
  report->AddValue(
      absl::StrCat(name, ".bytes/body"), per_edit == 1 ? std::optional<Aim>() : Aim{false, 1.15},
      bytes / bodies,
      absl::StrCat("TCP bytes ", bytes / count, " of a record, body ", bodies / count));
  report->AddValue(absl::StrCat(name, ".bytes/(body+id)"), Aim{false, 1.15},
                   bytes / (bodies + count * static_cast<double>(Id::kSize)), "");
}

}  // namespace

void MeasureFirstDownload(const Options& options, Report* report) {
  for (const int per_edit : {100, 1}) Measure(options, per_edit, report);
}

}  // namespace zhibu::bench
