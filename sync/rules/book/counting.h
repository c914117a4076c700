// What all the records that are there count for: a report from nothing.
//
//   RETURN_IF_ERROR(CountAll(book, records, whole, [&](const Figure& figure, const Id& record,
//                                                      const Counted& counted) { … }));
//
// On a device of what it holds, which is not all (Whole::IsAll); in tests of all that there is, to
// compare with sums that were kept by differences.
#ifndef ZHIBU_SYNC_RULES_BOOK_COUNTING_H_
#define ZHIBU_SYNC_RULES_BOOK_COUNTING_H_

#include <google/protobuf/message.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "sync/base/types.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/count.h"
#include "sync/rules/book/shelf.h"

namespace zhibu::rules {

// How much of all the records are there.
class Whole {
 public:
  virtual ~Whole() = default;
  // What is not there does not exist. Else it is not known.
  virtual bool IsAll() const { return true; }
  // Whether a field of the record may be empty because it may not be read here.
  virtual bool Hides(const RecordType& /*type*/, const Id& /*id*/,
                     const google::protobuf::Message& /*of*/,
                     const google::protobuf::FieldDescriptor& /*field*/) const {
    return false;
  }
};

using VisitCounted = absl::FunctionRef<void(const Figure&, const Id&, const Counted&)>;

// By one figure: reads only what that asks for.
absl::Status CountBehind(const Figure& figure, Records& records, const Whole& whole,
                         VisitCounted visit);
absl::Status CountAll(const Book& book, Records& records, const Whole& whole, VisitCounted visit);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_COUNTING_H_
