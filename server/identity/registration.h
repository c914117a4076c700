// Who was there before names were registered (sync/rules/registration.h).
#ifndef ZHIBU_SERVER_IDENTITY_REGISTRATION_H_
#define ZHIBU_SERVER_IDENTITY_REGISTRATION_H_

#include "absl/status/status.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"

namespace zhibu::server {

// Once for every store of an earlier version: registers all under the names that they have.
absl::Status EnsureRegistration(Store& store, Ingest& ingest);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_REGISTRATION_H_
