// Takes all that one store keeps into another, which is empty, in steps of a bounded size.
//
//   ASSIGN_OR_RETURN(const Relocated done, Relocate(source, target, random_bytes));
//
//   digest(target) = digest(source), or the source is as it was
//
// Nobody else writes to either meanwhile. It may break off at any moment, and goes on where it was
// when it is called again: how far it is stands in the target, which serves nobody until all of it
// is there. Then the source serves nobody any more, since the two would go ways of their own.
//
//   source   in service -> leaving -> gone
//   target   empty -> coming -> in service
//
// The source is gone before the target is in service. One that is leaving may be taken into service
// instead: what has been copied by then is of no use.
#ifndef ZHIBU_SERVER_STORE_RELOCATION_H_
#define ZHIBU_SERVER_STORE_RELOCATION_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace zhibu::server {

struct Relocated {
  uint64_t rows = 0;   // of all parts (server/store/whole.h)
  std::string digest;  // BLAKE2b-256 over all of them, as both have them
};

// FAILED_PRECONDITION: the target is not empty, or the source has been in service since it began.
// DATA_LOSS: something cannot be read, or what was copied is not what was read.
absl::StatusOr<Relocated> Relocate(Store& source, Store& target,
                                   const std::function<std::string(size_t)>& random_bytes);

// Before a server begins on it. FAILED_PRECONDITION: it is gone, unless it was `restored`, or not
// all of it has come.
absl::Status TakeIntoService(Store& store, bool restored);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_RELOCATION_H_
