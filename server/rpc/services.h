// gRPC's view of a hub and of the admin calls.
#ifndef ZHIBU_SERVER_RPC_SERVICES_H_
#define ZHIBU_SERVER_RPC_SERVICES_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/admin/admin.h"
#include "server/net/calls.h"
#include "server/net/doors.h"
#include "server/sessions/hub.h"

namespace zhibu::server {

std::unique_ptr<grpc::Service> MakeSyncService(Hub* hub, Calls* calls, Doors* doors);
std::unique_ptr<grpc::Service> MakeAdminService(Admin* admin);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_RPC_SERVICES_H_
