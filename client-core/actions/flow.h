// Members who stay away from home (流动党员): what the member, the home branch and the host
// branch each do about a stay. Whose step is whose, and what becomes of two that meet, is
// in docs/flow.md.
//
//   ASSIGN_OR_RETURN(Draft stay, ReportStay(*store, member, {.host = host, .back = day}));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&stay}));
//
// `stay` is the Flow as whoever acts saw it. A step that is not declared for its state is
// refused by Store::Commit (STEP_NOT_ALLOWED). A `why` that is empty leaves the words that
// are there: home's are the stay's remark, the host's its answer.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_FLOW_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_FLOW_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "client-core/store/store.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu::client {

struct Journey {
  std::optional<Id> host;              // the branch there, if it is known; else it is named later
  std::optional<absl::CivilDay> left;  // default: today
  std::optional<absl::CivilDay> back;  // when they expect to be back
  std::string reason;                  // which the host does not see
  std::string destination;
};

// By the member, or by the home branch. NOT_FOUND: this device does not know which branch
// the member belongs to.
absl::StatusOr<Draft> ReportStay(Store& store, const Id& member, const Journey& journey);

absl::StatusOr<Draft> NameHost(Draft stay, const Id& host);

// By the host. `contact`: whom the member turns to there, and how.
absl::StatusOr<Draft> AcceptStay(Store& store, Draft stay, const std::string& contact);
absl::StatusOr<Draft> DeclineStay(Draft stay, const std::string& why);

struct Conversation {
  std::string how;  // telephone, visit, …
  std::string said;
};
// That somebody was in touch, by this device's owner: the contact, then the stay that it
// is of, to be committed together. It is a record of the host where the owner acts for
// the host, else of home.
absl::StatusOr<std::vector<Draft>> RecordContact(Store& store, Draft stay,
                                                 const Conversation& conversation);

// By anybody of the three; `back`: the day on which the member would be back.
absl::StatusOr<Draft> AskForExtension(Draft stay, absl::CivilDay back);
// By home. Without a day: until the one that was asked for; MISSING_FIELD where none was.
absl::StatusOr<Draft> ExtendStay(Draft stay, const std::optional<absl::CivilDay>& until);
absl::StatusOr<Draft> RefuseExtension(Draft stay, const std::string& why);

// Back home, or transferred. Without a day: today.
absl::StatusOr<Draft> EndStay(Store& store, Draft stay, records::v1::Flow::Ending ending,
                              const std::optional<absl::CivilDay>& day);

// The member goes on to another place: the stay, ended today, then the next, reported by
// the same home branch, to be committed together. The reason of the first is that of the
// next where the journey gives none.
absl::StatusOr<std::vector<Draft>> MoveOn(Store& store, Draft stay, const Journey& journey);

// Ended or declined: nothing of it is to be done any longer.
bool IsOver(const records::v1::Flow& stay);
// Of who stays away: as registered, or as the stay says where their record is not here.
std::string NameOfMember(Store& store, const records::v1::Flow& stay);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_FLOW_H_
