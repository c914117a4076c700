// A village whose server keeps sums, as they are kept and as they are counted from nothing.
#ifndef ZHIBU_TESTS_SERVER_SUMS_H_
#define ZHIBU_TESTS_SERVER_SUMS_H_

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "server/figures/summary.h"
#include "server/figures/sums.h"
#include "sync/base/date.h"
#include "sync/rules/typed.h"
#include "tests/support/recounted.h"
#include "tests/support/village.h"

namespace zhibu::test {

class Sums : public Village {
 protected:
  // What is kept of a figure, of the branch or of one and all below it.
  int64_t Kept(const std::string& key, const std::string& period = "2026",
               const std::vector<Id>& of = {}) {
    return LineOf(key, period, of).amount();
  }
  rules::v1::Line LineOf(const std::string& key, const std::string& period,
                         const std::vector<Id>& of = {}) {
    const rules::v1::Report report = ReportOf(period, of);
    EXPECT_FALSE(report.being_made());
    for (const auto& line : report.lines()) {
      if (line.key() == key) return line;
    }
    ADD_FAILURE() << "no " << key;
    return {};
  }
  rules::v1::Report ReportOf(const std::string& period, const std::vector<Id>& of = {}) {
    rules::v1::Report report;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(
          report, server::SummaryOf(reader, world.ingest().book(),
                                    of.empty() ? std::vector<Id>{branch} : of,
                                    *rules::Months::From(period), MonthOf(DayAt(world.now_ms())),
                                    [](const rules::Figure&) { return rules::Sight::kAll; }));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return report;
  }
  std::vector<std::string> Wrong(const rules::Book& book = rules::ShippedBook()) {
    std::vector<std::string> wrong;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(wrong, WrongSums(reader, book));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return wrong;
  }

  // As a record comes to be in the store, with what follows for sums. Null: it is deleted.
  void Put(const RecordType& type, const Id& id, const google::protobuf::Message* record) {
    world.Wait(1000);
    EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(const RecordState was, writer.GetRecord({type.number, id}));
      RecordState now = was;
      ASSIGN_OR_RETURN(now.touch.version, writer.NextVersion({branch}, Version()));
      now.exists = true;
      now.touch.writer = kServerDevice;
      now.touch.stamp = StampAt(world.now_ms(), 0);
      now.deletion.reset();
      if (record == nullptr) now.deletion = now.touch;
      if (record != nullptr) now.body = record->SerializeAsString();
      RETURN_IF_ERROR(writer.PutRecord({type.number, id}, now, {}, {}));
      server::Sums sums(writer, *world.schema(), rules::ShippedBook());
      return sums.Follow({{&type, id, &was, &now}});
    }),
              absl::OkStatus());
  }

  // Of which figures there are sums.
  void NoteSummed(const std::vector<Id>& of, std::set<std::string>* keys) {
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      return reader.ReadSums(of, 0, [&](const Id&, const SumKey& key, const Sum& sum) {
        if (key.by != kWhole || sum.amount == 0) return;
        keys->insert(rules::ShippedBook().figures()[key.figure].text.key());
      });
    }),
              absl::OkStatus());
  }

  Id Hold(Phone& phone, const char* day, Meeting::Kind kind = Meeting::MEMBERS) {
    return phone.Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_kind(kind);
      meeting.set_state(Meeting::HELD);
      meeting.set_expected(3);
      meeting.add_present(zhang.str());
      meeting.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom(day)) / 1000 + 36'000);
    });
  }
  Id Pay(Phone& phone, const Id& member, int64_t fen, const char* month,
         const Id* reverses = nullptr) {
    return phone.Make<DuesPayment>([&](DuesPayment& paid) {
      paid.set_branch_id(branch.str());
      paid.set_member_id(member.str());
      paid.set_amount_fen(fen);
      paid.set_month(month);
      if (reverses != nullptr) paid.set_reverses_id(reverses->str());
    });
  }
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SERVER_SUMS_H_
