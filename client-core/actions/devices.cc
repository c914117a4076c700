#include "client-core/actions/devices.h"

#include "client-core/actions/step.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using records::v1::Device;

absl::StatusOr<Draft> ThisDevice(Store& store) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  return store.Edit<Device>(identity.record);
}

absl::StatusOr<Draft> RenameDevice(Draft device, const std::string& name) {
  RETURN_IF_ERROR(CheckIsA<Device>(device));
  device.message<Device>().set_name(name);
  return device;
}

}  // namespace zhibu::client
