// The reference of authority: what the declared options and the model in
// docs/authority.md say of one change by one person. Shares no code with
// sync/merge/audience.h and server/authority/authority.h; of what there is it knows what the ledger
// knows.
//
//   Authority(ledger, {.author = wang, .decider = wang, .at_ms = now}, made)
//       .Objection(key, change)      empty: the change may stand
//
// It judges with the offices and records from before the edit.
#ifndef ZHIBU_TESTS_SIM_AUTHORITY_H_
#define ZHIBU_TESTS_SIM_AUTHORITY_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/ledger.h"

namespace zhibu::sim {

// Who wants a change, and when.
struct Claim {
  Id author;   // whose edit it is
  Id decider;  // whose authority counts: the author's, or that of whoever has taken it
  bool taken = false;
  int64_t at_ms = 0;
  std::optional<Id> shown_at;  // the branch whose check-in code it brings
};

class Authority {
 public:
  // `made`: the records of the edit, as they are once it is merged.
  Authority(const Ledger& ledger, const Claim& claim, const std::map<RecordKey, Expected>& made)
      : ledger_(ledger), claim_(claim), made_(made) {}

  std::string Objection(const RecordKey& key, const sync::v1::Change& change) const;

 private:
  // One record before and after.
  struct Case;

  // Each says why not; empty: it has nothing against it.
  std::string NotMade(const Case& one) const;
  std::string NotOfItsKind(const Case& one) const;
  std::string NotDeleted(const Case& one) const;
  std::string NotWritten(const Case& one) const;
  std::string NotPlaced(const Case& one) const;
  std::string NotStepped(const Case& one) const;
  std::string NotBelonging(const Case& one) const;
  std::string NotKeptTogether(const Case& one) const;
  std::string NotDecided(const Case& one) const;
  std::string NotSpoken(const Case& one) const;

  uint32_t OfficesIn(const Id& scope) const;
  Sight SightIn(const Places& places) const;
  bool IsOwn(const std::string& person) const;
  // Is the id that of a living record which is itself such a place?
  bool IsA(Place own_scope, const Id& id) const;
  // The record as it is once the edit is merged; null: it is not there.
  const google::protobuf::Message* There(const RecordKey& key) const;
  // Or as it was when it was deleted.
  const google::protobuf::Message* EverThere(const RecordKey& key) const;
  // `once`: or has belonged.
  bool Belongs(const std::string& person, const std::string& branch, bool guests_too,
               bool once) const;
  // A writer in one of the places of these kinds; none: of any.
  bool Acts(const google::protobuf::Message& type, const Places& places,
            const std::vector<int>& kinds) const;

  const Ledger& ledger_;
  const Claim claim_;
  const std::map<RecordKey, Expected>& made_;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_AUTHORITY_H_
