// Passing errors on.
#ifndef ZHIBU_SYNC_BASE_STATUS_H_
#define ZHIBU_SYNC_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define ZHIBU_STATUS_JOIN_(a, b) a##b
#define ZHIBU_STATUS_NAME_(a, b) ZHIBU_STATUS_JOIN_(a, b)

#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define ASSIGN_OR_RETURN(target, expression) \
  ZHIBU_ASSIGN_OR_RETURN_(ZHIBU_STATUS_NAME_(result_, __LINE__), target, expression)

#define ZHIBU_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                               \
  if (!result.ok()) return result.status();                 \
  target = std::move(result).value()

#endif  // ZHIBU_SYNC_BASE_STATUS_H_
