#include "sync/rules/book/counting.h"

#include <optional>
#include <string>

#include "sync/base/status.h"

namespace zhibu::rules {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class OnTheShelf final : public Neighbours {
 public:
  OnTheShelf(Shelf& shelf, const Whole& whole) : shelf_(shelf), whole_(whole) {}

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    ASSIGN_OR_RETURN(const Shelved* found, shelf_.Find(type, id));
    if (found != nullptr) return found->record->SerializePartialAsString();
    return whole_.IsAll() ? std::optional<std::string>("") : std::nullopt;
  }
  bool Hides(const RecordType& type, const Id& id, const Message& of,
             const FieldDescriptor& field) const override {
    return whole_.Hides(type, id, of, field);
  }
  absl::Status PointingAt(const RecordType& type, const FieldDescriptor& field, const Id& id,
                          VisitPointing visit) override {
    ASSIGN_OR_RETURN(const Shelf::Index* index, shelf_.By(type, field));
    const auto found = index->find(id.str());
    if (found == index->end()) return absl::OkStatus();
    for (const Shelved* one : found->second) {
      if (!visit(one->id, *one->record)) break;
    }
    return absl::OkStatus();
  }

 private:
  Shelf& shelf_;
  const Whole& whole_;
};

absl::Status CountFrom(Shelf& shelf, const Whole& whole, const Figure& figure, VisitCounted visit) {
  OnTheShelf around(shelf, whole);
  ASSIGN_OR_RETURN(const Shelf::All* all, shelf.AllOf(*figure.of));
  for (const Shelved& one : *all) {
    ASSIGN_OR_RETURN(const std::vector<Counted> counted,
                     CountBy(figure, one.id, *one.record, &around));
    for (const Counted& what : counted) visit(figure, one.id, what);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CountBehind(const Figure& figure, Records& records, const Whole& whole,
                         VisitCounted visit) {
  Shelf shelf(records);
  return CountFrom(shelf, whole, figure, visit);
}

absl::Status CountAll(const Book& book, Records& records, const Whole& whole, VisitCounted visit) {
  Shelf shelf(records);
  for (const Figure& figure : book.figures()) {
    RETURN_IF_ERROR(CountFrom(shelf, whole, figure, visit));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::rules
