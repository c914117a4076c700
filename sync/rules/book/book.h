// The rule book: its files read, each expression compiled and type-checked against the record
// types, so that what is wrong is told when the program starts and not when it is asked.
//
//   ASSIGN_OR_RETURN(const auto book, Book::Compile(ShippedFiles(), *CatalogueSchema()));
//   for (const Obligation& obligation : book->obligations()) …
//
// A rule that this build cannot compile, because it names a type or a field of a newer version,
// is kept, and is said to be unknown (Book::unknown): it is never guessed at. Immutable; any
// thread may use it. What is worked out with it is in sync/rules/book/due.h, check.h, count.h and
// ledger_table.h.
#ifndef ZHIBU_SYNC_RULES_BOOK_BOOK_H_
#define ZHIBU_SYNC_RULES_BOOK_BOOK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/rules/book/calendar.h"
#include "sync/rules/book/figure.h"
#include "sync/rules/book/ledger.h"
#include "sync/rules/book/parameters.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/program.h"
#include "sync/schema/schema.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

// One file in text form, as proto/rules/ has them.
struct RuleText {
  std::string name;  // "meeting.textproto": what errors name
  std::string text;
};

// INVALID_ARGUMENT names the file and the place.
absl::StatusOr<rules::v1::RuleFile> ParseRules(const RuleText& file);

// What the program was built with.
const std::vector<RuleText>& ShippedFiles();

struct MetBy {
  const RecordType* type = nullptr;
  const google::protobuf::FieldDescriptor* via = nullptr;
  const google::protobuf::FieldDescriptor* is = nullptr;         // of `this`; null: its id
  const google::protobuf::FieldDescriptor* undone_by = nullptr;  // null: nothing takes it back
  std::optional<cel::Program> when;
  std::optional<cel::Program> on;
  std::optional<cel::Program> until;
  cel::Variable met;
};

struct Obligation {
  rules::v1::Obligation text;
  const RecordType* each = nullptr;
  std::optional<cel::Program> where;
  std::optional<cel::Program> counts_from;
  std::optional<cel::Program> times;
  std::optional<cel::Program> due_on;
  std::optional<cel::Program> every_months;
  std::vector<MetBy> met_by;
  std::vector<const google::protobuf::FieldDescriptor*> same;
  const google::protobuf::FieldDescriptor* undone_by = nullptr;
  // What the programs name.
  cel::Variable self;
  cel::Variable from;
  cel::Variable registered;
  cel::Variable today;
};

// What must hold of a record (sync/rules/book/check.h judges by it).
struct Check {
  rules::v1::Check text;
  const RecordType* of = nullptr;
  const google::protobuf::FieldDescriptor* field = nullptr;  // to be looked at; null: none
  // Of a hard one: where a late entry says why it is not as it must be.
  const google::protobuf::FieldDescriptor* because = nullptr;
  std::optional<cel::Program> when;
  std::optional<cel::Program> holds;
  std::optional<cel::Program> day;
  std::optional<cel::Program> shows;
  cel::Variable self;
  cel::Variable id;  // of `self`
  // The fields of `this` that it reads. Where none of them changes it is not asked.
  std::set<const google::protobuf::FieldDescriptor*> reads;
};

class CheckCompiler;
class FigureCompiler;

// Whose the rules are: what others add is held to more (docs/rules.md, What a superior adds).
enum class Author { kProgram, kSuperior };

class Book {
 public:
  // INVALID_ARGUMENT names the file, the rule, the place in it and what is wrong. A rule of a
  // type that `schema` does not have is no error: see unknown().
  static absl::StatusOr<std::unique_ptr<const Book>> Compile(absl::Span<const RuleText> files,
                                                             const Schema& schema);

  // Rules beside those of another book, with its numbers and calendars (supplement.h).
  static absl::StatusOr<std::unique_ptr<const Book>> CompileBeside(const Book& other,
                                                                   const RuleText& file,
                                                                   const Schema& schema);

  Book(const Book&) = delete;  // programs hold the addresses of what they read
  Book& operator=(const Book&) = delete;

  const Parameters& parameters() const { return parameters_; }
  const Calendars& calendars() const { return calendars_; }
  const std::vector<Obligation>& obligations() const { return obligations_; }
  // In the order in which the files have them.
  absl::Span<const Check> ChecksOf(const RecordType& type) const;
  // By the number of the type.
  const std::map<uint32_t, std::vector<Check>>& checks() const { return checks_; }
  const std::vector<Figure>& figures() const { return figures_; }
  const std::vector<Balance>& balances() const { return balances_; }
  // Null: this book has none with that key.
  const Figure* FindFigure(absl::string_view key) const;
  // Those that records of the type count by, and those that look at records of the type.
  absl::Span<const Figure* const> FiguresOf(const RecordType& type) const;
  absl::Span<const Figure* const> FiguresThatLookAt(const RecordType& type) const;
  // Of all that sums hang on beside the records: the figures, the parameters, what the types and
  // code tables declare. Sums that were made by another are not these sums.
  const std::string& figures_digest() const { return figures_digest_; }
  // In the order in which the files have them.
  const std::vector<Ledger>& ledgers() const { return ledgers_; }
  // By its key or its title in either language; null where there is none.
  const Ledger* FindLedger(absl::string_view name) const;
  // What this build does not understand: "key: no record type X".
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  Book() = default;
  absl::Status Read(absl::Span<const RuleText> files, const Schema& schema, Author author);
  absl::Status ReadNumbers(const rules::v1::RuleFile& file);
  absl::Status ReadObligations(const rules::v1::RuleFile& file, const Schema& schema,
                               cel::Patterns* patterns);
  absl::Status ReadChecks(const rules::v1::RuleFile& file, CheckCompiler& compiler,
                          const Schema& schema);
  absl::Status ReadFigures(const rules::v1::RuleFile& file, FigureCompiler& compiler,
                           const Schema& schema);
  absl::Status ReadBalances(const rules::v1::RuleFile& file);
  void IndexFigures(const Schema& schema);
  absl::Status ReadLedgers(const rules::v1::RuleFile& file, const LedgerCompiler& compiler,
                           const Schema& schema);
  absl::Status TakeKey(const std::string& key, const std::string& type);

  Parameters parameters_;
  Calendars calendars_;
  std::vector<Obligation> obligations_;
  std::map<uint32_t, std::vector<Check>> checks_;
  std::vector<Figure> figures_;
  std::vector<Balance> balances_;
  std::map<uint32_t, std::vector<const Figure*>> figures_of_;
  std::map<uint32_t, std::vector<const Figure*>> figures_looking_at_;
  std::string figures_digest_;
  std::vector<Ledger> ledgers_;
  std::vector<std::string> unknown_;
  std::set<std::string> keys_;
};

// Of the shipped files and the catalogue. The program ends where they do not compile: a test
// holds that they do.
const Book& ShippedBook();

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_BOOK_H_
