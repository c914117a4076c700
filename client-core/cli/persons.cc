// One person who is registered as two members: what whoever is above both finds, and what
// the two say to it.
#include "client-core/actions/persons.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/duplicate.pb.h"

namespace zhibu::client {
namespace {

struct PersonsArguments {
  std::string pair;
  std::string keep;
};

absl::StatusOr<Draft> NamedPair(const PersonsArguments& arguments, Store& store) {
  return DraftFrom<records::v1::DuplicatePerson>(store, arguments.pair);
}

absl::StatusOr<Draft> Same(const PersonsArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft pair, NamedPair(arguments, store));
  std::optional<Id> keep;
  if (!arguments.keep.empty()) {
    ASSIGN_OR_RETURN(keep, MemberFrom(store, arguments.keep));
  }
  return FindOnePerson(std::move(pair), keep);
}

absl::StatusOr<Draft> NotSame(const PersonsArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft pair, NamedPair(arguments, store));
  return FindTwoPersons(std::move(pair));
}

absl::StatusOr<Draft> Agree(const PersonsArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft pair, NamedPair(arguments, store));
  return AgreeToBeOne(store, std::move(pair));
}

absl::StatusOr<Draft> Withdraw(const PersonsArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft pair, NamedPair(arguments, store));
  return Separate(std::move(pair));
}

}  // namespace

void AddPersonsCommands(const Parent& device) {
  const Parent persons =
      device.AddGroup("persons", "Members who may be one person (list DuplicatePerson shows them)");
  Commands<PersonsArguments> commands(persons);
  const Option<PersonsArguments> pair = {"PAIR", &PersonsArguments::pair,
                                         "The pair, as list DuplicatePerson shows it", kRequired};
  commands.Add(
      "same", "They are one; both are asked (above both)", Committing(&Same),
      {pair, {"--keep", &PersonsArguments::keep, "The member to keep; default: the first"}});
  commands.Add("not-same", "They are two (above both)", Committing(&NotSame), {pair});
  commands.Add("agree", "You are both of them; merged once both have agreed", Committing(&Agree),
               {pair});
  commands.Add("withdraw", "You are not, or no longer agree: they are two", Committing(&Withdraw),
               {pair});
}

}  // namespace zhibu::client
