// A township's year in a minute: production code of a server and of everybody's devices, on a clock
// that begins 365 days ago and ends now, from a seed.
//
//   zhibu_year FOLDER [--seed N]
//
// Leaves FOLDER/server and a folder for each device, as `zhibu serve --data` and `zhibu device
// --home` have them, and prints as JSON what was made and what is left to do. What does not come
// about as it was meant ends it with status 1.
#include <sodium.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/store/sqlite/store.h"
#include "sync/cli/key_file.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::year {
namespace {

using Json = nlohmann::json;

constexpr int kDays = 365;
constexpr size_t kBranches = 30;
constexpr size_t kMembers = 700;

struct Arguments {
  std::string folder;
  uint64_t seed = 2026;
};

// Three secretaries without a link, each twice, for five to seven weeks.
struct Absence {
  size_t village;
  int from;
  int days;
};
constexpr Absence kAbsences[] = {{11, 60, 35},  {11, 240, 42}, {17, 80, 42},
                                 {17, 210, 49}, {23, 95, 49},  {23, 275, 35}};

bool IsAbsent(size_t village, int64_t day) {
  return std::any_of(std::begin(kAbsences), std::end(kAbsences), [&](const Absence& absence) {
    return absence.village == village && day >= absence.from && day < absence.from + absence.days;
  });
}

// Everybody once a week, and the township every day.
void SyncOfTheDay(Year* year, std::map<const Absence*, uint64_t>* brought) {
  Township& town = year->township;
  const int64_t day = year->days();
  for (const Village& village : town.villages()) {
    if (day % 7 != static_cast<int64_t>(village.index % 7) || IsAbsent(village.index, day))
      continue;
    Device& secretary = town.secretary(village.index);
    const uint64_t unsent = Must(secretary.store().State(), "state").unsent;
    for (const Absence& absence : kAbsences) {
      const bool is_back = absence.village == village.index && day >= absence.from + absence.days;
      if (is_back) brought->try_emplace(&absence, unsent);
    }
    secretary.Sync();
    if (Device* deputy = town.deputy(village.index)) deputy->Sync();
  }
  town.leader().Sync();
  if (day % 7 != 2) return;
  town.member().Sync();
  town.debtor().Sync();
}

// Gives what each brought who had been without a link: edits.
std::map<const Absence*, uint64_t> LiveThrough(Year* year) {
  std::map<const Absence*, uint64_t> brought;
  const std::vector<std::unique_ptr<Story>> stories = [&] {
    std::vector<std::unique_ptr<Story>> all;
    all.push_back(MeetingStory(year));
    all.push_back(DuesStory(year));
    all.push_back(DevelopmentStory(year));
    all.push_back(AwayStory(year));
    all.push_back(AppraisalStory(year));
    all.push_back(ManyKindsStory(year));
    return all;
  }();
  Clock& clock = year->township.clock;
  for (absl::CivilDay day = year->first; day < year->last; ++day) {
    clock.SetTo(day, 9);
    for (const auto& story : stories) story->OnDay();
    clock.SetTo(day, 20);
    SyncOfTheDay(year, &brought);
  }
  clock.SetToNow();
  // What one has sent, the next receives.
  for (int round = 0; round < 2; ++round) {
    for (Device* device : year->township.devices()) device->Sync();
  }
  for (const auto& story : stories) story->End();
  return brought;
}

std::map<std::string, uint64_t> CountAtServer(const std::string& folder) {
  const std::string file = absl::StrCat(folder, "/server/zhibu.db");
  const std::string key =
      Must(KeyFor(absl::StrCat(folder, "/server/zhibu.key"), file, [] { return absl::OkStatus(); }),
           "the server's key");
  const auto store = Must(server::OpenSqliteStore(file, {.key = key}), "the server's store");
  std::map<std::string, uint64_t> counts;
  Check(store->Read([&](server::Reader& reader) -> absl::Status {
    for (const RecordType& type : CatalogueSchema()->types()) {
      uint64_t& count = counts[type.name];
      const absl::Status status = reader.ListRecords(
          type.number, std::nullopt, [&](const Id&, const RecordState&) { ++count; });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }),
        "the server's records");
  return counts;
}

// Each record that was made on a device is at the server, once, and nothing else is.
void CheckCounts(const Tally& tally, const std::map<std::string, uint64_t>& at_server,
                 uint64_t imported) {
  static const std::set<std::string> kImported = {"Member", "Placement", "PrivateDetail"};
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.made_by_server) continue;
    const auto found = tally.made.find(type.name);
    uint64_t expected = found == tally.made.end() ? 0 : found->second;
    if (kImported.count(type.name) > 0) expected += imported;
    Check(at_server.at(type.name) == expected,
          absl::StrCat(type.name, ": ", expected, " were made, the server has ",
                       at_server.at(type.name)));
  }
}

Json Tell(Year* year, const Arguments& arguments, const std::map<const Absence*, uint64_t>& brought,
          const std::map<std::string, uint64_t>& at_server) {
  Township& town = year->township;
  Json types = Json::object();
  for (const RecordType& type : CatalogueSchema()->types()) {
    types[type.name] = {{"records", at_server.at(type.name)}, {"byServer", type.made_by_server}};
  }
  Json devices = Json::array();
  for (Device* device : town.devices()) {
    devices.push_back({{"home", device->name()}, {"owner", device->owner().name}});
  }
  Json offline = Json::array();
  for (const auto& [absence, edits] : brought) {
    offline.push_back({{"branch", town.village(absence->village).name},
                       {"secretary", town.village(absence->village).secretary().name},
                       {"days", absence->days},
                       {"edits", edits}});
  }
  size_t members = 0;
  for (const Village& village : town.villages()) members += village.members.size();
  Json branches = Json::array();
  for (const Village& village : town.villages()) branches.push_back(village.name);
  int syncs = 0;
  for (Device* device : town.devices()) syncs += device->syncs();
  return {{"seed", arguments.seed},
          {"from", DateOf(year->first)},
          {"until", DateOf(year->last)},
          {"port", town.port()},
          {"branches", branches},
          {"members", members},
          {"devices", devices},
          {"offline", offline},
          {"syncs", syncs},
          {"edits", town.tally.edits},
          {"records", town.tally.Made()},
          {"made", town.tally.made},
          {"changed", town.tally.changed},
          {"types", types},
          {"digest", Hex(town.tally.digest)},
          {"words", year->ending.words},
          {"numbers", year->ending.numbers}};
}

void Run(const Arguments& arguments) {
  const absl::CivilDay today = DayAt(SystemEnvironment().now_ms());
  const absl::CivilDay first = today - kDays;
  Year year{{arguments.folder, arguments.seed, kBranches, kMembers, first}, first, today, {}, {}};
  uint64_t imported = 0;
  for (const Village& village : year.township.villages()) {
    imported += village.members.size() + (village.applied_before < 0 ? 0 : 1);
  }
  const auto brought = LiveThrough(&year);
  year.township.Close();
  const auto at_server = CountAtServer(arguments.folder);
  CheckCounts(year.township.tally, at_server, imported);
  std::cout << Tell(&year, arguments, brought, at_server).dump() << std::endl;
}

}  // namespace
}  // namespace zhibu::year

int main(int argc, char** argv) {
  zhibu::year::Check(sodium_init() >= 0, "libsodium cannot start");
  spdlog::set_default_logger(spdlog::stderr_logger_mt("zhibu"));
  spdlog::set_level(spdlog::level::warn);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  zhibu::year::Arguments arguments;
  CLI::App app("A township's year, from a seed");
  app.add_option("FOLDER", arguments.folder, "Where it is left; new")->required();
  app.add_option("--seed", arguments.seed, "The same gives the same year");
  CLI11_PARSE(app, argc, argv);
  zhibu::year::Run(arguments);
  return 0;
}
