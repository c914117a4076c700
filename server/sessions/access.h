// Who was given sensitive fields of whom, written down where the person can see it
// (AccessLog).
#ifndef ZHIBU_SERVER_SESSIONS_ACCESS_H_
#define ZHIBU_SERVER_SESSIONS_ACCESS_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/merge/state.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// By member and type of record: a set of RecordType::restricted.
using Disclosures = std::map<std::pair<Id, const RecordType*>, uint64_t>;

// What a record, as its reader is given it, tells them of others: its value, and what its
// trace holds of former lives and of writes that stand open; a conflict note and a held edit
// tell what they quote. `persons`: the entries that the reader has in the register
// (sync/rules/persons.h).
absl::Status AddDisclosures(Reader& reader, const Schema& schema, const RecordType& type,
                            const Id& id, const RecordState& given, const std::vector<Id>& persons,
                            Disclosures* disclosures);

// How: onto a device that holds it from then on, counted once a day; or as the answer
// to a question.
enum class Way { kDevice, kQuery };

absl::Status LogAccess(Writer& writer, const Ingest& ingest, const Environment& environment,
                       const Id& reader, Way way, const Disclosures& disclosures);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_ACCESS_H_
