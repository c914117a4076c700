// One person who is registered as two members: what whoever is above both finds, and what
// the two say to it.
#include <memory>
#include <string>
#include <utility>

#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/cli/step.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::client {

using records::v1::DuplicatePerson;
using records::v1::Member;

namespace {

struct Arguments {
  std::string pair;
  std::string keep;
};

absl::StatusOr<Draft> NamedPair(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id id, ParseId(arguments.pair));
  return store.Edit<DuplicatePerson>(id);
}

absl::Status Keep(const Arguments& arguments, Store&, DuplicatePerson& pair) {
  pair.clear_kept_id();
  if (arguments.keep.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Id kept, ParseId(arguments.keep));
  pair.set_kept_id(kept.str());
  return absl::OkStatus();
}

bool Asks(const DuplicatePerson& pair, const std::string& person) {
  return person == pair.first_id() || person == pair.second_id();
}

// The owner of this device agrees, under the entry that is asked.
absl::Status Agree(const Arguments&, Store& store, DuplicatePerson& pair) {
  ASSIGN_OR_RETURN(const client::Identity identity, store.GetIdentity());
  std::string person = identity.person.str();
  while (!Asks(pair, person)) {
    const auto id = Id::FromBytes(person);
    auto entry = id ? store.Edit<Member>(*id) : absl::NotFoundError("");
    // Whoever was merged before is asked as the one that was kept.
    person = entry.ok() ? entry->message<Member>().merged_into_id() : "";
    if (person.empty()) return Refuse(sync::v1::NOT_ENTITLED, "agreed_ids");
  }
  pair.add_agreed_ids(person);
  return absl::OkStatus();
}

}  // namespace

void AddPersonsCommands(const Parent& device) {
  const Parent persons =
      device.AddGroup("persons", "Members who may be one person (list DuplicatePerson shows them)");
  Commands<Arguments> commands(persons);
  const Option<Arguments> pair = {"PAIR", &Arguments::pair, "Its id, as list DuplicatePerson",
                                  kRequired};
  commands.Add(
      "same", "They are one; both are asked (above both)",
      Step<DuplicatePerson>(&NamedPair, DuplicatePerson::AGREED, &Keep),
      {pair, {"--keep", &Arguments::keep, "Id of the member to keep; default: the first"}});
  commands.Add("not-same", "They are two (above both)",
               Step<DuplicatePerson>(&NamedPair, DuplicatePerson::NOT_SAME), {pair});
  commands.Add("agree", "You are both of them; merged once both have agreed",
               Step<DuplicatePerson>(&NamedPair, std::nullopt, &Agree), {pair});
  commands.Add("withdraw", "You are not, or no longer agree: they are two",
               Step<DuplicatePerson>(&NamedPair, DuplicatePerson::UNDONE), {pair});
}

}  // namespace zhibu::client
