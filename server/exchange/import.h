// A roster becomes records. Importing it twice makes nothing twice: an
// organisation is known by its name, a member by the identity number, or by
// name, date of birth and branch.
//
// An import is an author, not a ruler:
//
//   only what no roster has said is news, and is written (said.h)
//   what people have written on devices stands, and the cell that differs is told
//   who was transferred away from the branch of a row stays where they are
//   who was deleted is not made again, nor is a branch
//   a stage, a status and a membership are said of new members only
//
// and whatever contradicts is a bad row that names both sides, and overwrites nobody: a number
// under another name, a name with another number or another birth date, a row that has neither
// number nor birth date and says something new of a namesake, a branch spelled like another.
// The rows of one file are different people (claimed_).
//
// Only the operator's word counts for who is who: names are those that are registered
// (sync/rules/registration.h), numbers those that the server's own device has written. What a
// phone has written of them leads no row to anybody. And nothing is guessed: a row that
// may mean two is a bad row, which names both.
//
// Where two entries were merged, a row is of one of the two and of nobody else: of the one
// in its own branch. So what a roster says of the entry that counts as the other moves
// nobody, and undoing the merge leaves what each roster has said of its own.
//
//   ASSIGN_OR_RETURN(Importer importer, Importer::Open(&store, &ingest, environment));
//   RETURN_IF_ERROR(importer.Run(roster, commit, &reply));
//
// Not thread-safe, and for one run: what others write meanwhile it does not see. What it writes
// was then written unseen of theirs, and is merged as any such edit.
#ifndef ZHIBU_SERVER_EXCHANGE_IMPORT_H_
#define ZHIBU_SERVER_EXCHANGE_IMPORT_H_

#include <google/protobuf/descriptor.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/exchange/roster.h"
#include "server/exchange/row.h"
#include "server/exchange/said.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/merge/state.h"
#include "sync/schema/schema.h"
#include "zhibu/admin/v1/admin.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::server {

// What a row says of who somebody is, by which it is known when it comes again.
std::string RowOf(const RosterRow& row);

// Whether the field says where somebody is, or under which name: that is told apart from the rest.
bool IsSaidApart(const google::protobuf::FieldDescriptor& field);

class Importer {
 public:
  // What is stored is read once, when the importer is made.
  static absl::StatusOr<Importer> Open(Store* store, Ingest* ingest, Environment environment);

  using Commit = absl::FunctionRef<absl::Status(const sync::v1::Edit&)>;
  // Hands `commit` a few hundred changes at a time, so that others' edits go between. An error
  // leaves what was committed before it; running the whole roster again, with another importer,
  // adds the rest. The bad rows go into the reply.
  absl::Status Run(const Roster& roster, Commit commit, admin::v1::ImportReply* reply);
  // Whether a row may name an organisation that is not registered, which is then made. Unless it is
  // said: where none is registered yet.
  void MayFound(bool may_found) { may_found_ = may_found || organisations_.empty(); }
  // That this roster has said what it says. After a run that was committed.
  absl::Status Remember();

 private:
  using MemberKey = std::tuple<std::string, std::string, Id>;  // name, born, branch
  using PersonKey = std::pair<std::string, std::string>;       // name, born
  using FieldWords = std::vector<Words>;

  Importer(Store* store, Ingest* ingest, Environment environment);
  absl::Status Load(Reader& reader);
  absl::Status LoadDeleted(Reader& reader);
  const RecordType& Type(const google::protobuf::Descriptor* descriptor) const;
  void Index(const Id& id, const records::v1::Member& member);
  void IndexNumber(const Id& id, const RecordState& detail);
  void Forget(const Id& member);
  Id KeptOf(Id member) const;
  std::set<Id> PersonsOf(const std::set<Id>& entries) const;
  std::set<Id> EntriesIn(const Id& branch, const Id& person) const;
  std::string NameOfBranch(absl::string_view id) const;
  admin::v1::Registered RegisteredAs(const Id& member) const;
  void IndexOrganisation(const std::string& name, const Id& id);
  void CheckOrganisation(const std::string& name, Problems* problems) const;
  void CheckFounding(const std::string& name, Problems* problems) const;
  std::optional<Id> FindOrganisation(const std::string& name) const;
  // Registered names that differ from this one in a character or two.
  std::vector<std::string> NearlyNamed(const std::string& name) const;
  // What of a row is not taken, or is taken and may not be meant: days to come, codes that no table
  // has, another superior than the branch has.
  void DoubtMember(records::v1::Member* member, std::vector<DoubtfulCell>* doubts) const;
  void DoubtSuperior(const RosterRow& row, const Id& branch, std::vector<DoubtfulCell>* doubts);
  Id OrganisationFor(const std::string& name, records::v1::Organisation::Kind kind,
                     const std::string& superior, const std::string& host_superior,
                     sync::v1::Edit* edit, admin::v1::ImportReply* reply);
  // The entry that the row is of. Nothing: it is of somebody new, or there are problems.
  std::optional<Id> FindMade(const RosterRow& row, Problems* problems) const;
  std::optional<Id> FindMember(const RosterRow& row, Problems* problems) const;
  Id EntryOf(const RosterRow& row, const Id& person, const std::set<Id>& found) const;
  // What contradicts where the row seems to be of one person that is known.
  void CheckContradiction(const RosterRow& row, bool numbered, const std::set<Id>& entries,
                          Problems* problems) const;
  // Among those of the branch who bear the name but are not born when the row says.
  std::optional<Id> FindNamesake(const RosterRow& row, const Id& branch, Problems* problems) const;
  std::optional<Id> FindMovedAway(const RosterRow& row, const Id& branch) const;
  void CheckDeleted(const RosterRow& row, Problems* problems) const;
  // The row would add nothing to what is stored.
  bool SaysNothingNew(const RosterRow& row, const Id& entry) const;
  std::string NumberOf(const Id& entry) const;
  std::string BornOf(const Id& entry) const;
  std::string Listed(const std::set<Id>& entries) const;
  // Of all rows: whom each is of beyond doubt.
  void Claim(const Roster& roster);
  // Where the row's member is: in the row's branch, unless they have moved on from it.
  Id BranchOf(const RosterRow& row, const Id& entry, const Id& said,
              std::vector<DoubtfulCell>* doubts) const;
  // Takes out of `wanted`, a record of the member's, what is no news, and what people have
  // written otherwise.
  void KeepWhatPeopleWrote(const Id& member, const Id& id, google::protobuf::Message* wanted,
                           std::vector<DoubtfulCell>* doubts) const;
  void NoteSaid(const Id& member, const google::protobuf::Message& record);
  DoubtfulCell Doubt(absl::string_view label, absl::string_view zh, absl::string_view en) const;
  absl::Status AddRow(const RosterRow& row, sync::v1::Edit* edit, admin::v1::ImportReply* reply);
  // `changed`: the fields that differ, in words.
  bool Add(const google::protobuf::Message& wanted, const Id& id, sync::v1::Edit* edit,
           FieldWords* changed = nullptr);
  absl::StatusOr<bool> AddDetail(records::v1::PrivateDetail detail, const Id& member,
                                 const Id& branch, sync::v1::Edit* edit, FieldWords* changed);
  // Into the reply: what became of a row that found `id`, which was as `before` says.
  void Tell(const RosterRow& row, const Id& id, const records::v1::Member& before, bool changed,
            const FieldWords& fields, admin::v1::ImportReply* reply) const;
  void Unsay(const Id& detail);

  Store& store_;
  Ingest& ingest_;
  const Environment environment_;
  absl::flat_hash_map<std::string, std::set<Id>> organisations_;
  std::map<MemberKey, std::set<Id>> members_;
  std::map<std::pair<std::string, Id>, std::set<Id>> namesakes_;  // by name and branch
  std::map<PersonKey, std::set<Id>> people_;                      // wherever they are
  absl::flat_hash_map<Id, std::set<Id>> merged_;                  // by whom they count as
  absl::flat_hash_map<std::string, std::set<Id>> identities_;
  absl::flat_hash_map<Id, std::string> numbers_;  // of each member
  std::set<Id> unconfirmed_;  // private details whose number a phone has written
  std::map<MemberKey, std::set<Id>> deleted_;
  std::set<std::string> deleted_organisations_;
  absl::flat_hash_map<std::string, Id> deleted_numbers_;
  std::set<std::pair<Id, Id>> moved_;  // member, and the branch whose transfer was received
  std::map<std::string, std::set<std::string>> alike_;  // names of organisations by LikenessOf
  bool may_found_ = true;
  std::set<std::string> told_superiors_;  // by branch, so that each is told once
  std::set<Id> claimed_;
  std::set<Id> made_again_;  // by the rows of this file that say that somebody is new
  Said said_;
  std::vector<ReadColumn> read_columns_;
  absl::flat_hash_map<RecordKey, RecordState> states_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_IMPORT_H_
