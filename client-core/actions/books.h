// The rules that are in force on this device: those that are shipped, and what organisations above
// have added for some (sync/rules/supplements.h).
//
//   ASSIGN_OR_RETURN(const std::vector<BookHere> books, BooksHere(*store));
//   for (const BookHere& one : books) {
//     if (one.IsFor(type, record)) … one.book->ChecksOf(type) …
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_BOOKS_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_BOOKS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/rules/book/check.h"
#include "sync/rules/book/supplement.h"
#include "zhibu/records/v1/supplement.pb.h"

namespace zhibu::client {

struct BookHere {
  rules::BookPtr book;
  // The record that adds it; without text: it is the one that is shipped.
  records::v1::RuleSupplement supplement;
  // Empty: it can be understood. Else why this build does not.
  std::string unknown;

  bool shipped() const { return supplement.text().empty(); }
  // What its checks are held to, all of them for one record by one purse.
  rules::Bounds BoundsBy(cel::Purse* purse) const;
  // By who keeps the record; an organisation is its own.
  bool IsFor(const RecordType& type, const Id& id, const google::protobuf::Message& record) const;
};

// The shipped one first. Those that this build does not understand have no book.
absl::StatusOr<std::vector<BookHere>> BooksHere(Store& store);

// A supplement of the organisation, in force as soon as the server has it for those that it names.
// BAD_VALUE: the rule, its place in the text and what is wrong.
struct NewSupplement {
  std::string title;
  std::string number;
  std::string text;
  std::vector<Id> addressees;
};
absl::StatusOr<Draft> IssueSupplement(Store& store, const Id& organisation,
                                      const NewSupplement& supplement);
// Its rules are no longer in force.
absl::StatusOr<Draft> RepealSupplement(Store& store, Draft supplement);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_BOOKS_H_
