#include "client-core/actions/devices.h"

#include <google/protobuf/util/time_util.h>

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

struct Arguments {
  std::string ticket;
  std::string name = "device";
  std::string id;
};

absl::Status EnrolDevice(const Arguments& arguments, Store& store, const Output& output) {
  RETURN_IF_ERROR(Enrol(&store, arguments.ticket, arguments.name));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  output.Print(
      {{"device", identity.device.value}, {"person", TextOf(identity.person)}},
      absl::StrCat(output.Say("已登记为设备 ", "enrolled as device "), identity.device.value));
  return absl::OkStatus();
}

std::string Day(const google::protobuf::Timestamp& at) {
  const int64_t ms = TimeUtil::TimestampToMilliseconds(at);
  return ms == 0 ? "-" : DateAt(ms);
}

absl::Status List(const Arguments& /*arguments*/, Store& store, const Output& output) {
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

absl::StatusOr<Draft> NamedOrThis(const Arguments& arguments, Store& store) {
  if (arguments.id.empty()) return ThisDevice(store);
  return DraftFrom<Device>(store, arguments.id);
}

absl::StatusOr<Draft> Rename(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft device, NamedOrThis(arguments, store));
  return RenameDevice(std::move(device), arguments.name);
}

}  // namespace

void AddEnrolCommand(const Parent& device) {
  Commands<Arguments> commands(device);
  commands.Add("enrol", "Make this device known to the server; again, if it was not seen for long",
               &EnrolDevice,
               {{"CODE", &Arguments::ticket, "What `zhibu admin enrol` printed", kRequired},
                {"--name", &Arguments::name, "Name of the device, shown to its owner"}});
}

void AddDevicesCommands(const Parent& device) {
  Commands<Arguments> commands(device);
  commands.Add("devices", "Your devices: names, when each was last in contact, which is lost",
               &List);
  commands.Add("rename", "Give this device another name, offline if need be", Committing(&Rename),
               {{"NAME", &Arguments::name, "Shown to you and to the operator", kRequired},
                {"--device", &Arguments::id, "Another one of yours, by the name that it has"}});
}

}  // namespace zhibu::client
