// The judges of what records add up to: the sums that the server keeps by differences are those
// that are counted from nothing, however far edits, deletions, transfers, restorations and updates
// have come in between; and what a device counts a record for is what the server does, or the
// device knows that it cannot tell.
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/held_here.h"
#include "server/figures/making.h"
#include "sync/base/status.h"
#include "sync/rules/book/counting.h"
#include "tests/sim/universe.h"
#include "tests/support/recounted.h"

namespace zhibu::sim {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::Counted;
using rules::Figure;

// Few, so that edits come in between.
constexpr size_t kAtOnce = 3;

class HeldByDevice final : public rules::Whole {
 public:
  explicit HeldByDevice(client::Store& store) : around_(client::AroundHere(store)) {}
  bool IsAll() const override { return false; }
  bool Hides(const RecordType& type, const Id& id, const Message& of,
             const FieldDescriptor& field) const override {
    return around_->Hides(type, id, of, field);
  }

 private:
  const std::unique_ptr<rules::Surroundings> around_;
};

// By figure, record and element.
using CountedAt = std::tuple<const Figure*, Id, size_t>;
std::string TextOf(const Counted& counted) {
  const auto day = [](const std::optional<absl::CivilDay>& one) {
    return one ? absl::FormatCivilTime(*one) : std::string("-");
  };
  return absl::StrCat(counted.amount, " from ", day(counted.from), " until ", day(counted.until));
}

absl::StatusOr<std::map<CountedAt, Counted>> CountedFrom(rules::Records& records,
                                                         const rules::Whole& whole) {
  std::map<CountedAt, Counted> all;
  CountedAt last{nullptr, Id(), 0};
  RETURN_IF_ERROR(rules::CountAll(rules::ShippedBook(), records, whole,
                                  [&](const Figure& figure, const Id& id, const Counted& counted) {
                                    const bool again =
                                        std::get<0>(last) == &figure && std::get<1>(last) == id;
                                    last = {&figure, id, again ? std::get<2>(last) + 1 : 0};
                                    all.emplace(last, counted);
                                  }));
  return all;
}

}  // namespace

// One step; trouble of the disk comes again.
void Universe::MakeFigures() {
  if (server_.disk.dead() || server_.store == nullptr) return;
  (void)server::MakeSums(*server_.store, *server_.schema(), rules::ShippedBook(), kAtOnce);
}

void Universe::CheckFigures() {
  bool made = false;
  while (!made) {
    const auto step =
        server::MakeSums(*server_.store, *server_.schema(), rules::ShippedBook(), kAtOnce);
    if (!step.ok()) return ledger_.Fail(kSummedUp, step.status().ToString());
    made = *step;
  }
  const absl::Status status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<std::string> wrong,
                     test::WrongSums(reader, rules::ShippedBook()));
    if (!wrong.empty()) {
      ledger_.Fail(kSummedUp, absl::StrCat(wrong.size(), " sums: ", wrong.front()));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) ledger_.Fail(kIntegrity, absl::StrCat("sums: ", status.ToString()));
}

void Universe::CheckCountedAlike(Device& device) {
  // An app of an earlier version has other messages.
  if (device.old) return;
  const absl::Status status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    test::OnTheServer all(reader);
    ASSIGN_OR_RETURN(const auto there, CountedFrom(all, rules::Whole()));
    return device.disk.Quietly([&]() -> absl::Status {
      client::HeldHere held(*device.store);
      const HeldByDevice some(*device.store);
      ASSIGN_OR_RETURN(const auto here, CountedFrom(held, some));
      for (const auto& [place, counted] : here) {
        const auto found = there.find(place);
        const bool alike =
            found != there.end() && found->second.known && TextOf(found->second) == TextOf(counted);
        stats.counted += counted.known ? 1 : 0;
        if (!counted.known || alike) continue;
        const auto& [figure, id, element] = place;
        ledger_.Fail(
            kCountedAlike,
            absl::StrCat(figure->text.key(), " is ", TextOf(counted), " on device ", device.index,
                         ", and ", found == there.end() ? "nothing" : TextOf(found->second),
                         " on the server"),
            RecordKey{figure->of->number, id});
        break;
      }
      return absl::OkStatus();
    });
  });
  if (!status.ok()) ledger_.Fail(kIntegrity, absl::StrCat("counted: ", status.ToString()));
}

}  // namespace zhibu::sim
