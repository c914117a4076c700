#include "server/figures/due.h"

#include <algorithm>
#include <vector>

#include "sync/base/status.h"
#include "sync/rules/book/due_report.h"
#include "sync/rules/parse.h"
#include "sync/rules/registration.h"
#include "sync/rules/supplements.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using google::protobuf::Message;

// What all that was added for one organisation may cost for its list, as on a device.
constexpr uint64_t kAddedDueStepsMax = 10'000'000;

// What a device of the organisation holds for it.
class HeldFor final : public rules::Records {
 public:
  HeldFor(Reader& reader, const Id& organisation) : reader_(reader), organisation_(organisation) {}
  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    return PassOver(reader_.ListRecords(
        type.number, organisation_,
        [&](const Id& id, const RecordState& state) { visit(id, *ParseAs(type, state.body)); }));
  }

 private:
  Reader& reader_;
  const Id organisation_;
};

absl::Status AddDueOf(Reader& reader, const rules::Book& shipped, const Id& organisation,
                      absl::CivilDay as_of, rules::DueReporter* reporter) {
  HeldFor records(reader, organisation);
  const auto add = [&](const rules::Book& book, bool added, cel::Purse* purse) -> absl::Status {
    const auto concerns = [&](const rules::Obligation& obligation, const Id& id,
                              const Message& record) {
      const auto places = PlacesOf(*obligation.each, id, record.SerializePartialAsString());
      const auto here = [&](auto may_be) {
        return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
          return placed.scope == organisation && may_be(placed.place);
        });
      };
      // What was added for it is of what it keeps itself.
      return here([&](Place place) { return rules::SeesTo(obligation, place); }) &&
             (!added || here([](Place place) { return place == OWNER; }));
    };
    ASSIGN_OR_RETURN(const rules::DueList list,
                     rules::WorkOutDue(book, records, as_of, concerns, purse));
    reporter->Add(organisation, list);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add(shipped, false, nullptr));
  ASSIGN_OR_RETURN(const std::vector<InForce> supplements, SupplementsFor(reader, organisation));
  cel::Purse purse(kAddedDueStepsMax);
  for (const InForce& one : supplements) RETURN_IF_ERROR(add(*one.book, true, &purse));
  reporter->Looked();
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
  rules::v1::DueReport report = reporter.Tell();
  for (auto& rule : *report.mutable_rules()) {
    for (auto& part : *rule.mutable_parts()) {
      ASSIGN_OR_RETURN(*part.mutable_organisation_name(),
                       RegisteredNameOf<records::v1::Organisation>(reader, part.organisation_id()));
    }
  }
  return report;
}

}  // namespace zhibu::server
