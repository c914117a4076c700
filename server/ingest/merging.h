// One edit in memory: what may come in, and what becomes of the records that it changes.
// Nothing is written here.
#ifndef ZHIBU_SERVER_INGEST_MERGING_H_
#define ZHIBU_SERVER_INGEST_MERGING_H_

#include "absl/status/status.h"
#include "server/authority/authority.h"
#include "server/ingest/known_offices.h"
#include "server/ingest/passage.h"
#include "server/ingest/work.h"

namespace zhibu::server {

class Merging {
 public:
  // `offices` stays until the end.
  Merging(const Work& work, KnownOffices& offices) : work_(work), offices_(offices) {}

  // MALFORMED, TOO_LARGE, and what sync/wire/canonical.h refuses.
  static absl::Status CheckLimits(const Passage& passage);

  // Reads all records that the edit changes.
  absl::Status Load(const Passage& passage, Staging* staging);

  // Whoever makes what is there already, and not for them to see or change, is judged in all
  // as though it were not, so that no answer tells them; and then refused (Judge).
  absl::Status HideUnseen(const Passage& passage, Staging* staging);

  // Asks for each change whether the author may touch its record, merges it, and lends.
  absl::Status Merge(const Passage& passage, Version version, Staging* staging);

  // Whether the records may be left as an author's edit leaves them: by what is declared, by
  // authority, by the rules.
  absl::Status Judge(const Passage& passage, const Staging& staging);

 private:
  absl::Status LoadOne(const sync::v1::Change& change, Staging* staging);
  absl::Status MergeOne(const Passage& passage, const sync::v1::Change& change, Version version,
                        Staged* staged);
  absl::Status CheckOne(const Passage& passage, const RecordKey& key, const Staged& staged,
                        RecordsNow now);

  const Work work_;
  KnownOffices& offices_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_MERGING_H_
