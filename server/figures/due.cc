#include "server/figures/due.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/store/visit.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "sync/rules/book/due_report.h"
#include "sync/rules/supplements.h"
#include "sync/wire/record.h"

namespace zhibu::server {
namespace {

using google::protobuf::Message;
using rules::DueList;

// What a device of the organisation holds for it.
class HeldFor final : public rules::Records {
 public:
  HeldFor(Reader& reader, const Id& organisation) : reader_(reader), organisation_(organisation) {}
  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    const absl::Status listed = VisitRecords(reader_, type, organisation_, visit);
    damaged_ = damaged_ || IsDamagedRow(listed);
    return PassOver(listed);
  }
  // Something that it holds could not be read.
  bool damaged() const { return damaged_; }

 private:
  Reader& reader_;
  const Id organisation_;
  bool damaged_ = false;
};

absl::Status AddDueOf(Reader& reader, const rules::Book& shipped, const Id& organisation,
                      absl::CivilDay as_of, rules::DueReporter* reporter) {
  HeldFor records(reader, organisation);
  // Whether it stands here in a place of which that is so.
  const auto stands = [&](const rules::Obligation& obligation, const Id& id, const Message& record,
                          absl::FunctionRef<bool(Place)> is) {
    const auto places = PlacesOf(*obligation.each, id, record.SerializePartialAsString());
    return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
      return placed.scope == organisation && is(placed.place);
    });
  };
  const auto sees_to = [&](const rules::Obligation& obligation, const Id& id,
                           const Message& record) {
    return stands(obligation, id, record,
                  [&](Place place) { return rules::SeesTo(obligation, place); });
  };
  // What was added for it is of what it keeps itself.
  const auto keeps = [&](const rules::Obligation& obligation, const Id& id, const Message& record) {
    return sees_to(obligation, id, record) &&
           stands(obligation, id, record, [](Place place) { return place == OWNER; });
  };

  ASSIGN_OR_RETURN(DueList all, rules::WorkOutDue(shipped, records, as_of, sees_to));
  // The list names what lies in their books.
  ASSIGN_OR_RETURN(const std::vector<InForce> supplements, SupplementsFor(reader, organisation));
  cel::Purse purse(rules::kAddedDueStepsMax);
  for (const InForce& one : supplements) {
    ASSIGN_OR_RETURN(DueList added, rules::WorkOutDue(*one.book, records, as_of, keeps, &purse));
    rules::Add(std::move(added), &all);
  }
  reporter->Add(organisation, all, records.damaged());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<rules::v1::DueReport> DueIn(Reader& reader, const rules::Book& shipped,
                                           absl::Span<const Id> organisations,
                                           absl::CivilDay as_of) {
  rules::DueReporter reporter(as_of);
  for (const Id& organisation : organisations) {
    RETURN_IF_ERROR(AddDueOf(reader, shipped, organisation, as_of, &reporter));
  }
  return reporter.Tell();
}

}  // namespace zhibu::server
