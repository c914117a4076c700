#include "client-core/actions/persons.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "client-core/actions/step.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::client {

using records::v1::DuplicatePerson;
using records::v1::Member;

namespace {

// The entry that this one was merged into; empty: into none, as far as is known here.
std::string KeptInsteadOf(Store& store, const std::string& member_id) {
  const auto id = Id::FromBytes(member_id);
  if (!id) return "";
  absl::StatusOr<Draft> entry = store.Edit<Member>(*id);
  return entry.ok() ? entry->message<Member>().merged_into_id() : "";
}

}  // namespace

absl::StatusOr<Draft> FindOnePerson(Draft pair, const std::optional<Id>& keep) {
  ASSIGN_OR_RETURN(pair, TakeStep<DuplicatePerson>(std::move(pair), DuplicatePerson::AGREED));
  auto& found = pair.message<DuplicatePerson>();
  found.clear_kept_id();
  if (keep) found.set_kept_id(keep->str());
  return pair;
}

absl::StatusOr<Draft> FindTwoPersons(Draft pair) {
  return TakeStep<DuplicatePerson>(std::move(pair), DuplicatePerson::NOT_SAME);
}

absl::StatusOr<Draft> AgreeToBeOne(Store& store, Draft pair) {
  RETURN_IF_ERROR(CheckIsA<DuplicatePerson>(pair));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  auto& asked = pair.message<DuplicatePerson>();
  std::string person = identity.person.str();
  std::set<std::string> seen;
  while (person != asked.first_id() && person != asked.second_id()) {
    // Whoever was merged before is asked as the one that was kept.
    seen.insert(person);
    person = KeptInsteadOf(store, person);
    if (person.empty() || seen.count(person) > 0) {
      return Refuse(sync::v1::NOT_ENTITLED, "agreed_ids");
    }
  }
  const auto& agreed = asked.agreed_ids();
  if (std::count(agreed.begin(), agreed.end(), person) == 0) asked.add_agreed_ids(person);
  return pair;
}

absl::StatusOr<Draft> Separate(Draft pair) {
  return TakeStep<DuplicatePerson>(std::move(pair), DuplicatePerson::UNDONE);
}

}  // namespace zhibu::client
