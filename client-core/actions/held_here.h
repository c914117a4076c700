// The records of this device, for what is worked out of all of them (sync/rules/book).
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_HELD_HERE_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_HELD_HERE_H_

#include <google/protobuf/message.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "client-core/actions/known.h"
#include "client-core/store/store.h"
#include "sync/rules/book/shelf.h"

namespace zhibu::client {

class HeldHere final : public rules::Records {
 public:
  explicit HeldHere(Store& store) : store_(store) {}
  absl::Status List(
      const RecordType& type,
      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) override {
    return ListReadable(store_, type, visit);
  }

 private:
  Store& store_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_HELD_HERE_H_
