// In which chain of the audit stands what a process composes itself.
//
//   the author is kServerDevice, whichever process it was; the chain is the process's
//
// One server alone has the chain of kServerDevice. Of several on one database each has one of its
// own, or every note of the whole country would wait for the one before it. Two that take the same
// one are in each other's way, and no worse: the store runs one of them again.
#ifndef ZHIBU_SERVER_INGEST_OWN_CHAIN_H_
#define ZHIBU_SERVER_INGEST_OWN_CHAIN_H_

#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "sync/base/environment.h"

namespace zhibu::server {

// The one that this process has had, where it is one of the server's (a database that was restored
// may have forgotten it); else a new one. `had`: empty where it has had none.
absl::StatusOr<DeviceNumber> EnsureOwnChain(Store& store, const Environment& environment,
                                            DeviceNumber had);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_OWN_CHAIN_H_
