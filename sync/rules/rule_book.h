// All rules, by the types that they concern. Built at start; any thread may read it.
//
// A new rule is a file in this folder, and a line in rule_book.cc. What can be said as data is a
// check of the book (proto/rules/), by which one of these rules judges.
#ifndef ZHIBU_SYNC_RULES_RULE_BOOK_H_
#define ZHIBU_SYNC_RULES_RULE_BOOK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/rules/book/book.h"
#include "sync/rules/rule.h"
#include "sync/schema/schema.h"

namespace zhibu {

class RuleBook {
 public:
  // `book` outlives it.
  explicit RuleBook(const std::shared_ptr<const Schema>& schema,
                    const rules::Book& book = rules::ShippedBook());

  // Of the first rule that lends anything.
  absl::StatusOr<std::optional<Loan>> Lend(const Case& of, const Step& step) const;
  // By every rule about every step.
  absl::Status Judge(const Case& of) const;
  // On a device. A rule that meets what is not known here refuses nothing.
  absl::Status JudgeWhatIsKnown(const Case& of) const;
  absl::Status Mark(const Case& of, Marks* marks) const;

  // Gives `compose` what follows, rule by rule, so that each rule finds written what follows
  // by the rules before it.
  using Compose = absl::FunctionRef<absl::Status(Consequences)>;
  absl::Status Follow(const Case& of, const Step& step, Compose compose) const;
  absl::Status FollowAll(const Case& of, Compose compose) const;

 private:
  using Rules = std::vector<const Rule*>;
  const Rules& For(const RecordType& type) const;
  // Each once.
  Rules Concerned(const Case& of) const;

  std::vector<std::unique_ptr<const Rule>> rules_;
  absl::flat_hash_map<uint32_t, Rules> by_type_;
};

// Of the record types that the project declares.
std::shared_ptr<const RuleBook> CatalogueRules();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_RULE_BOOK_H_
