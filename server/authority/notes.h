// What people are told of a merge: notes of conflicts (ConflictNote), which are records.
//
//   a note lies where the record lies that it quotes, also once that has moved
//
// The store's marks tell which notes are about a record: no list is read for it.
#ifndef ZHIBU_SERVER_AUTHORITY_NOTES_H_
#define ZHIBU_SERVER_AUTHORITY_NOTES_H_

#include <vector>

#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/merge/merge.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Adds to `edit` the notes of what a merge of the record has found, and settles those that
// it has settled. `places`: where the record lies now.
absl::Status AddNotes(Writer& writer, const Schema& schema, const RecordKey& key,
                      const Outcome& outcome, const std::vector<Placed>& places,
                      sync::v1::Edit* edit);

// The record has moved to `places`, or is shown to its host otherwise than before: adds to `edit`
// what takes the notes about it along.
absl::Status MoveNotes(Reader& reader, const Schema& schema, const RecordKey& key,
                       const std::vector<Placed>& places, sync::v1::Edit* edit);

// The mark (Writer::PutMark) of what is said of a record. `what`: by whom, as a word.
std::string MarkAbout(absl::string_view what, const RecordKey& key);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_AUTHORITY_NOTES_H_
