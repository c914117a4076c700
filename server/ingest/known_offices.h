// The offices of those whose edits one transaction takes, worked out once for each.
#ifndef ZHIBU_SERVER_INGEST_KNOWN_OFFICES_H_
#define ZHIBU_SERVER_INGEST_KNOWN_OFFICES_H_

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/authority/authority.h"
#include "server/ingest/passage.h"
#include "server/ingest/work.h"

namespace zhibu::server {

class KnownOffices {
 public:
  explicit KnownOffices(const Work& work) : work_(work) {}

  // As they are now. Valid until the next call.
  absl::StatusOr<const Offices*> Of(const Id& person);
  // As whom the edit is judged.
  absl::StatusOr<Author> JudgedAs(const Passage& passage);

  // They may have been worked out from what has been undone.
  void Forget() { offices_.clear(); }

 private:
  const Work work_;
  absl::flat_hash_map<Id, std::pair<Version, Offices>> offices_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_KNOWN_OFFICES_H_
