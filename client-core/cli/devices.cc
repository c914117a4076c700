#include "client-core/actions/devices.h"

#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/transport/syncer.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::util::TimeUtil;
using records::v1::Device;
using Json = nlohmann::json;

struct DevicesArguments {
  std::string ticket;
  std::string name;
  const std::string* home = nullptr;
  std::string id;
};

// What its owner knows this one by among several: the computer, and the folder on it.
std::string NameOfHome(const std::string& home) {
  std::array<char, 256> host{};
  const bool named = gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0';
  const std::filesystem::path folder = std::filesystem::absolute(home).lexically_normal() / "";
  return absl::StrCat(named ? host.data() : "?", " ", folder.parent_path().filename().string());
}

absl::Status EnrolDevice(const DevicesArguments& arguments, Store& store, const Output& output) {
  RETURN_IF_ERROR(Enrol(&store, arguments.ticket,
                        arguments.name.empty() ? NameOfHome(*arguments.home) : arguments.name));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  output.Print(
      {{"device", identity.device.value}, {"person", TextOf(identity.person)}},
      absl::StrCat(output.Say("已登记为设备 ", "enrolled as device "), identity.device.value));
  return absl::OkStatus();
}

absl::Status Init(const DevicesArguments& arguments, Store& /*store*/, const Output& output) {
  output.Print({{"home", *arguments.home}},
               output.Say("已建立；拿到登记码后用 enrol 登记，在此之前记录都保存在本机",
                          "made; enrol it once there is a code: until then all is kept here"));
  return absl::OkStatus();
}

std::string Day(const google::protobuf::Timestamp& at) {
  const int64_t ms = TimeUtil::TimestampToMilliseconds(at);
  return ms == 0 ? "-" : DateAt(ms);
}

absl::Status ListDevices(const DevicesArguments& /*arguments*/, Store& store,
                         const Output& output) {
  const absl::StatusOr<Identity> identity = store.GetIdentity();
  Json found = Json::array();
  std::string text = output.Say("名称  状态  登记  最近联系", "name  state  enrolled  last seen");
  RETURN_IF_ERROR(Each<Device>(store, [&](const Id& id, const Device& device) {
    const bool this_one = identity.ok() && identity->record == id;
    found.push_back({{"id", TextOf(id)},
                     {"number", device.number()},
                     {"name", device.name()},
                     {"state", Device::State_Name(device.state())},
                     {"enrolledMs", TimeUtil::TimestampToMilliseconds(device.enrolled())},
                     {"lastSeenMs", TimeUtil::TimestampToMilliseconds(device.last_seen())},
                     {"thisDevice", this_one}});
    absl::StrAppend(&text, "\n", device.name(), "  ",
                    output.Label(*Device::State_descriptor(), device.state()), "  ",
                    Day(device.enrolled()), "  ", Day(device.last_seen()),
                    this_one ? output.Say("  （本机）", "  (this one)") : "", output.IdIfShown(id));
    return true;
  }));
  output.Print(found, text);
  return absl::OkStatus();
}

absl::StatusOr<Draft> NamedOrThis(const DevicesArguments& arguments, Store& store) {
  if (arguments.id.empty()) return ThisDevice(store);
  return DraftFrom<Device>(store, arguments.id);
}

absl::StatusOr<Draft> Rename(const DevicesArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft device, NamedOrThis(arguments, store));
  return RenameDevice(std::move(device), arguments.name);
}

}  // namespace

void AddEnrolCommand(const Parent& device) {
  const Parent maker{device.app, device.invocation, /*makes_home=*/true};
  Commands<DevicesArguments> commands(maker, {.home = &device.invocation->home});
  commands.Add("init", "Make an empty device, to record on before there is a code", &Init);
  commands.Add("enrol", "Make this device known to the server; again, if it was not seen for long",
               &EnrolDevice,
               {{"CODE", &DevicesArguments::ticket, "What `zhibu admin enrol` printed", kRequired},
                {"--name", &DevicesArguments::name,
                 "Name of the device, shown to its owner; default: the computer and the folder"}});
}

void AddDevicesCommands(const Parent& device) {
  Commands<DevicesArguments> commands(device);
  commands.Add("devices", "Your devices: names, when each was last in contact, which is lost",
               &ListDevices);
  commands.Add(
      "rename", "Give this device another name, offline if need be", Committing(&Rename),
      {{"NAME", &DevicesArguments::name, "Shown to you and to the operator", kRequired},
       {"--device", &DevicesArguments::id, "Another one of yours, by the name that it has"}});
}

}  // namespace zhibu::client
