#include "server/ingest/own_chain.h"

#include <optional>

#include "sync/base/status.h"

namespace zhibu::server {

absl::StatusOr<DeviceNumber> EnsureOwnChain(Store& store, const Environment& environment,
                                            DeviceNumber had) {
  DeviceNumber chain = had;
  RETURN_IF_ERROR(store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, writer.GetDevice(had));
    if (row && row->of_server() && had != kServerDevice) return absl::OkStatus();
    DeviceRow own;
    ASSIGN_OR_RETURN(own.number, writer.NextDevice());
    own.name = "server";
    own.enrolled_ms = environment.now_ms();
    chain = own.number;
    return writer.PutDevice(own);
  }));
  return chain;
}

}  // namespace zhibu::server
