// A store with something in each of its parts, all that it has in words, and one that breaks.
#ifndef ZHIBU_TESTS_SERVER_RELOCATED_H_
#define ZHIBU_TESTS_SERVER_RELOCATED_H_

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/whole.h"
#include "tests/server/store_words.h"

namespace zhibu::server {

class RelocationFolder {
 public:
  RelocationFolder() {
    std::string path =
        (std::filesystem::temp_directory_path() / "zhibu-relocation-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~RelocationFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string TestBytes(size_t size) { return std::string(size, 'r'); }

inline absl::Status PutMeeting(Writer& writer, const std::string& name,
                               const std::vector<Id>& before, const std::vector<Id>& scopes,
                               bool deleted) {
  std::vector<Id> all = before;
  all.insert(all.end(), scopes.begin(), scopes.end());
  ASSIGN_OR_RETURN(const Version version, writer.NextVersion(all, Version()));
  RecordState state = Written(version, name);
  if (deleted) state.deletion = state.touch;
  return writer.PutRecord({kMeeting, Named(name)}, state, before, Shown(scopes, 6));
}

inline AuditRow EditOf(DeviceNumber device, uint64_t number) {
  AuditRow row;
  row.device = row.author = device;
  row.number = EditNumber(number);
  row.received_ms = 1'700'000'000'000;
  row.edit = absl::StrCat("edit ", number);
  row.answer.set_number(number);
  row.answer.set_verdict(sync::v1::MERGED);
  row.version = Version(number);
  row.chain = absl::StrCat("chain ", number);
  row.made_ms = 1'600'000'000'000;
  row.builds_on = {1, 2};
  return row;
}

// More rows than are taken at once, of each kind that there is.
inline std::unique_ptr<Store> FilledWithAllParts(std::unique_ptr<Store> store) {
  EXPECT_EQ(store->Write([](Writer& writer) -> absl::Status {
    const Id east = Named("east"), west = Named("west");
    for (int i = 0; i < 250; ++i) {
      const bool moves = i % 10 == 0;
      const std::string name = absl::StrCat("r", i);
      RETURN_IF_ERROR(PutMeeting(writer, name, {}, {east}, false));
      if (moves) RETURN_IF_ERROR(PutMeeting(writer, name, {east}, {west}, i % 20 == 0));
    }
    DeviceRow device;
    device.number = DeviceNumber(7);
    device.public_key = std::string(32, 'p');
    device.person = Named("ann");
    device.name = "甲的手机";
    device.standing = DeviceRow::Standing::kLost;
    device.last_number = EditNumber(250);
    device.safe_number = EditNumber(3);
    RETURN_IF_ERROR(writer.PutDevice(device));
    device.number = DeviceNumber(8);
    RETURN_IF_ERROR(writer.PutDevice(device));
    for (uint64_t number = 1; number <= 250; ++number) {
      RETURN_IF_ERROR(writer.AppendAudit(EditOf(DeviceNumber(7), number)));
    }
    RETURN_IF_ERROR(writer.RaiseCounters(Version(40), DeviceNumber(8)));
    RETURN_IF_ERROR(writer.AddToCount("enrolled", 5));
    RETURN_IF_ERROR(writer.PutSetting("server_id", std::string("\0of bytes", 9)));
    RETURN_IF_ERROR(writer.PutSetting("empty", ""));
    RETURN_IF_ERROR(writer.PutCode({"the code", Named("bob"), 99}));
    RETURN_IF_ERROR(writer.AddToSums(east, {{{1, 0, 24312, 0}, {5, 1}}}));
    RETURN_IF_ERROR(writer.PutMark("mark", Named("bob")));
    return writer.PutMark("mark", Named("ann"));
  }),
            absl::OkStatus());
  return store;
}

// Read as whoever uses it reads it, and not part by part.
inline std::string TellAll(Store& store) {
  std::string all;
  const auto tell = [&](const auto&... words) { absl::StrAppend(&all, words..., "\n"); };
  EXPECT_EQ(store.Read([&](Reader& reader) -> absl::Status {
    for (const char* scope : {"east", "west"}) {
      ASSIGN_OR_RETURN(const std::string feed, FeedOf(reader, scope));
      ASSIGN_OR_RETURN(const std::string hidden, FeedOf(reader, scope, 0, 1));
      ASSIGN_OR_RETURN(const Version version, reader.ScopeVersion(Named(scope)));
      tell(scope, " at ", version.value, ": ", feed, " hidden: ", hidden);
    }
    RETURN_IF_ERROR(reader.ListEver(kMeeting, [&](const Id& id, const RecordState& state) {
      tell(NameOf(id), " ", state.body, " ", state.trace, " ", state.touch.stamp.value,
           state.deletion ? " deleted" : "");
    }));
    RETURN_IF_ERROR(reader.ReadAudit(DeviceNumber(7), EditNumber(), [&](const AuditRow& row) {
      tell(row.number.value, " ", row.edit, " ", row.answer.ShortDebugString(), " ", row.chain, " ",
           row.version.value, " ", row.made_ms, " ", row.builds_on.size());
      return true;
    }));
    ASSIGN_OR_RETURN(const std::vector<DeviceRow> devices, reader.ListDevices());
    for (const DeviceRow& device : devices) {
      tell(device.number.value, " ", device.name, " ", static_cast<int>(device.standing), " ",
           device.last_number.value, " ", device.safe_number.value, " ", NameOf(device.person));
    }
    ASSIGN_OR_RETURN(const Version earlier, reader.EarlierVersions());
    ASSIGN_OR_RETURN(const int64_t enrolled, reader.GetCount("enrolled"));
    ASSIGN_OR_RETURN(const std::string id, reader.GetSetting("server_id"));
    ASSIGN_OR_RETURN(const bool code, reader.HasCode("the code", 99));
    ASSIGN_OR_RETURN(const std::vector<Id> marked, reader.FindMarked("mark", 10));
    ASSIGN_OR_RETURN(const auto edit, reader.FindEdit(1'600'000'000'000, "edit 200"));
    tell(earlier.value, " ", enrolled, " ", id, " ", code, " ", marked.size(), " ",
         edit ? edit->number.value : 0);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  return all;
}

// The process dies, or the database goes, after so many writes.
class BreaksAfter : public Store {
 public:
  BreaksAfter(Store& store, int writes) : store_(store), left_(writes) {}

  void Watch(Watcher* watcher) override { store_.Watch(watcher); }
  void StopWatching(Watcher* watcher) override { store_.StopWatching(watcher); }
  absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) override {
    return store_.Read(body);
  }
  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) override {
    return left_-- > 0 ? store_.Write(body) : absl::UnavailableError("it is gone");
  }
  absl::Status Backup(const std::string& file) override { return store_.Backup(file); }

 private:
  Store& store_;
  int left_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_TESTS_SERVER_RELOCATED_H_
