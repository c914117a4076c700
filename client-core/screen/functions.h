// The functions of the C interface by their names, as pages call them: bytes in, bytes out.
//
//   const Function* function = FindFunction("zhibu_get");
//   const Result result = (*function)(store, body);   // 0 and a Row, or a code and an Error
//
// What opens, closes or suspends a store, what moves frames, and what gives a handle is not among
// them: that is the affair of whoever shows the pages. A list that is watched is asked for again
// after an event.
//
// Threads: any.
#ifndef ZHIBU_CLIENT_CORE_SCREEN_FUNCTIONS_H_
#define ZHIBU_CLIENT_CORE_SCREEN_FUNCTIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "client-core/c/zhibu.h"

namespace zhibu::client {

struct Result {
  int32_t code = 0;   // of gRPC
  std::string bytes;  // what was asked for; a zhibu.api.v1.Error where the code is not 0
};

using Function = std::function<Result(zhibu_handle store, absl::string_view body)>;

// Null: pages may call none of that name.
const Function* FindFunction(absl::string_view name);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SCREEN_FUNCTIONS_H_
