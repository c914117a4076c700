// Who has done what to the server: each act of an operator is a record of the server's own,
// written with what it is about, so that the audit has both or neither.
//
//   RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
//   AddAct(environment, request.operator_name(), act, &edit);  // beside the change itself
#ifndef ZHIBU_SERVER_ADMIN_ACTS_H_
#define ZHIBU_SERVER_ADMIN_ACTS_H_

#include <string>

#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/admin/v1/admin.pb.h"
#include "zhibu/records/v1/enrolment.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// INVALID_ARGUMENT: it is shown to whomever the act is about, and says nothing.
absl::Status CheckOperatorName(const std::string& name);

void AddAct(const Environment& environment, const std::string& by, records::v1::OperatorAct act,
            sync::v1::Edit* edit);

// The latest first, at most so many.
absl::Status ListActs(Reader& reader, size_t most, admin::v1::ActsReply* reply);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ADMIN_ACTS_H_
