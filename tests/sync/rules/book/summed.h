// Records in memory, summed up from nothing by the figures of a book.
#ifndef ZHIBU_TESTS_SYNC_RULES_BOOK_SUMMED_H_
#define ZHIBU_TESTS_SYNC_RULES_BOOK_SUMMED_H_

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/rules/book/count.h"
#include "sync/rules/book/report.h"
#include "tests/sync/rules/book/around.h"

namespace zhibu::rules {

class Summed : public testing::Test {
 protected:
  static Id IdOf(int number) { return InMemory::IdOf(number); }

  static std::unique_ptr<const Book> BookOf(const std::string& text) {
    const std::vector<RuleText> files = {{"test.textproto", text}};
    auto book = Book::Compile(files, *CatalogueSchema());
    EXPECT_TRUE(book.ok()) << book.status();
    return book.ok() ? *std::move(book) : nullptr;
  }

  Tally TallyOf(const std::string& period, const Book& book = ShippedBook(),
                const Id* organisation = nullptr) {
    const auto months = Months::From(period);
    EXPECT_TRUE(months.has_value()) << period;
    Tally tally(book, *months, MonthOf(today));
    open.clear();
    around.Each([&](const RecordType& type, const Id& id, const google::protobuf::Message& one) {
      for (const Figure* figure : book.FiguresOf(type)) {
        const auto counted = CountBy(*figure, id, one, &around);
        EXPECT_TRUE(counted.ok()) << counted.status();
        for (const Counted& what : *counted) {
          if (what.organisation != (organisation == nullptr ? branch : *organisation)) continue;
          if (!what.fault.empty()) faults.push_back(what.fault);
          AddShares(*figure, what, [&](const SumKey& key, const Sum& sum) {
            tally.Add(key, sum);
            for (const Balance& balance : book.balances()) {
              for (const Id& person : what.persons) {
                open[person] += OpenBy(balance, *figure, *months, key, sum);
              }
            }
          });
        }
      }
    });
    return tally;
  }

  int64_t Whole(const std::string& key, const std::string& period,
                const Book& book = ShippedBook()) {
    return TallyOf(period, book).Whole(*book.FindFigure(key)).amount;
  }
  int64_t At(const Id& organisation, const std::string& key, const std::string& period) {
    return TallyOf(period, ShippedBook(), &organisation)
        .Whole(*ShippedBook().FindFigure(key))
        .amount;
  }
  int64_t NotKnown(const std::string& key, const std::string& period,
                   const Book& book = ShippedBook()) {
    return TallyOf(period, book).NotKnown(*book.FindFigure(key));
  }
  // "excellent 4", in their order.
  std::vector<std::string> Parts(const std::string& key, const std::string& way,
                                 const std::string& period) {
    const Figure& figure = *ShippedBook().FindFigure(key);
    const Tally tally = TallyOf(period);
    std::vector<std::string> parts;
    for (size_t i = 0; i < figure.by.size(); ++i) {
      if (figure.by[i].text.key() != way) continue;
      for (const auto& [bucket, sum] : tally.Parts(figure, i)) {
        parts.push_back(
            absl::StrCat(figure.by[i].NameOf(bucket, Language::kEnglish), " ", sum.amount));
      }
    }
    return parts;
  }
  v1::Report ReportOf(const std::string& period, Sight sight) {
    return rules::ReportOf(TallyOf(period), [&](const Figure&) { return sight; });
  }
  v1::Line LineOf(const std::string& key, const std::string& period, Sight sight) {
    const v1::Report report = ReportOf(period, sight);
    for (const v1::Line& line : report.lines()) {
      if (line.key() == key) return line;
    }
    ADD_FAILURE() << "no line " << key;
    return {};
  }

  InMemory around;
  const Id branch = IdOf(1);
  absl::CivilDay today{2026, 11, 20};
  std::vector<std::string> faults;
  std::map<Id, int64_t> open;  // of the last tally: by how much the balances are open for whom
};

}  // namespace zhibu::rules

#endif  // ZHIBU_TESTS_SYNC_RULES_BOOK_SUMMED_H_
