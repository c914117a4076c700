#include "client-core/cli/devices.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::util::TimeUtil;
using Json = nlohmann::json;

struct Arguments {
  std::string name;
  std::string id;
};

const RecordType& DeviceType() {
  return *CatalogueSchema()->Find(records::v1::Device::descriptor());
}

std::string Day(const google::protobuf::Timestamp& at) {
  const int64_t ms = TimeUtil::TimestampToMilliseconds(at);
  return ms == 0 ? "-"
                 : absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(ms), absl::LocalTimeZone());
}

std::string LabelOf(records::v1::Device::State state, Language language) {
  const auto* value = records::v1::Device::State_descriptor()->FindValueByNumber(state);
  if (value == nullptr) return absl::StrCat(state);
  return language == Language::kChinese ? value->options().GetExtension(zhibu::value_label)
                                        : value->name();
}

absl::Status List(const Arguments& /*arguments*/, Store& store, const Output& output) {
  const absl::StatusOr<Identity> identity = store.GetIdentity();
  Json found = Json::array();
  std::string text = output.Say("名称  状态  登记  最近联系", "name  state  enrolled  last seen");
  RETURN_IF_ERROR(store.List({.type = DeviceType().number}, [&](const Id& id, const auto& message) {
    const auto& device = static_cast<const records::v1::Device&>(message);
    const bool this_one = identity.ok() && identity->record == id;
    found.push_back({{"id", TextOf(id)},
                     {"number", device.number()},
                     {"name", device.name()},
                     {"state", records::v1::Device::State_Name(device.state())},
                     {"enrolledMs", TimeUtil::TimestampToMilliseconds(device.enrolled())},
                     {"lastSeenMs", TimeUtil::TimestampToMilliseconds(device.last_seen())},
                     {"thisDevice", this_one}});
    absl::StrAppend(&text, "\n", device.name(), "  ", LabelOf(device.state(), output.language),
                    "  ", Day(device.enrolled()), "  ", Day(device.last_seen()),
                    this_one ? output.Say("  （本机）", "  (this one)") : "");
    return true;
  }));
  output.Print(found, text);
  return absl::OkStatus();
}

// Of this device, unless another is named.
absl::Status Rename(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  Id id = identity.record;
  if (!arguments.id.empty()) {
    ASSIGN_OR_RETURN(id, ParseId(arguments.id));
  }
  ASSIGN_OR_RETURN(Draft draft, store.Edit(DeviceType(), id));
  draft.message<records::v1::Device>().set_name(arguments.name);
  return output.Committed(store.Commit({&draft}), DeviceType(), id);
}

}  // namespace

void AddDevicesCommands(CLI::App* device,
                        const std::function<void(CLI::App*, StoreCommand)>& on_chosen) {
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(const Arguments&, Store&, const Output&)) {
    CLI::App* command = device->add_subcommand(name, help);
    on_chosen(command,
              [=](Store& store, const Output& output) { return run(*arguments, store, output); });
    return command;
  };
  add("devices", "Your devices: names, when each was last in contact, which is lost", &List);
  CLI::App* rename = add("rename", "Give this device another name, offline if need be", &Rename);
  rename->add_option("NAME", arguments->name, "Shown to you and to the operator")->required();
  rename->add_option("--device", arguments->id,
                     "Another one of yours: its id, as devices --json shows it");
}

}  // namespace zhibu::client
