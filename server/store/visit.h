// Records of a scope as the messages they are.
#ifndef ZHIBU_SERVER_STORE_VISIT_H_
#define ZHIBU_SERVER_STORE_VISIT_H_

#include <google/protobuf/message.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/rules/parse.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// The living ones of the type. Status: as ListRecords.
inline absl::Status VisitRecords(
    Reader& reader, const RecordType& type, const Id& scope,
    absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) {
  return reader.ListRecords(type.number, scope, [&](const Id& id, const RecordState& state) {
    visit(id, *ParseAs(type, state.body));
  });
}

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_VISIT_H_
