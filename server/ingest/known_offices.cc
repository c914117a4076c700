#include "server/ingest/known_offices.h"

#include <algorithm>
#include <vector>

#include "sync/base/status.h"
#include "sync/rules/persons.h"

namespace zhibu::server {

absl::StatusOr<const Offices*> KnownOffices::Of(const Id& person) {
  auto& [known_at, offices] = offices_[person];
  ASSIGN_OR_RETURN(const Version version, OfficesVersion(work_.writer, offices.persons));
  if (known_at != version || version.value == 0) {
    ASSIGN_OR_RETURN(offices, OfficesOf(work_.writer, person, work_.environment.now_ms()));
    ASSIGN_OR_RETURN(known_at, OfficesVersion(work_.writer, offices.persons));
  }
  return &offices;
}

absl::StatusOr<Author> KnownOffices::JudgedAs(const Passage& passage) {
  ASSIGN_OR_RETURN(const Offices* offices, Of(passage.decider));
  // Nobody decides about an edit of their own as about somebody else's, whoever they are
  // as well.
  const std::vector<Id>& own = offices->persons;
  const bool decides = !passage.row.decided_by.empty() &&
                       std::find(own.begin(), own.end(), passage.author) == own.end();
  Author judged{passage.decider, *offices, decides, own};
  if (passage.author != passage.decider) {
    ASSIGN_OR_RETURN(judged.wrote, PersonsOf(work_.writer, passage.author));
  }
  return judged;
}

}  // namespace zhibu::server
