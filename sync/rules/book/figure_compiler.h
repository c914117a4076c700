// Figures of the rule book, compiled, and the balances that are made of them.
#ifndef ZHIBU_SYNC_RULES_BOOK_FIGURE_COMPILER_H_
#define ZHIBU_SYNC_RULES_BOOK_FIGURE_COMPILER_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/rules/book/calendar.h"
#include "sync/rules/book/compiling.h"
#include "sync/rules/book/figure.h"
#include "sync/rules/book/parameters.h"
#include "sync/rules/cel/environment.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {

class FigureCompiler {
 public:
  // All outlive the figures.
  FigureCompiler(const Parameters& parameters, const Calendars& calendars, const Schema& schema)
      : parameters_(parameters), calendars_(calendars), schema_(schema) {}

  // INVALID_ARGUMENT names the figure, its field and the place. The type is one of the schema's.
  absl::StatusOr<Figure> Compile(const rules::v1::Figure& text);
  // `figures` stay where they are.
  static absl::StatusOr<Balance> Compile(const rules::v1::Balance& text,
                                         const std::vector<Figure>& figures);
  // Once all of them are known: what is a part of what.
  static absl::Status CheckParts(const std::vector<Figure>& figures);

 private:
  struct Names {
    cel::Environment environment;
    cel::Variable self;
    cel::Variable id;
    cel::Variable element;
  };
  using FieldDescriptor = google::protobuf::FieldDescriptor;

  absl::Status FindFields(const Compiling& compiling, Figure* figure) const;
  absl::Status FindOrganisation(const Compiling& compiling, Figure* figure) const;
  absl::Status CompileExpressions(const Compiling& compiling, Figure* figure);
  absl::Status AddWay(const Compiling& compiling, const Names& names,
                      const rules::v1::Breakdown& text, Figure* figure) const;
  absl::Status CheckToldTo(const Compiling& compiling, const Figure& figure) const;
  void AddReads(const cel::Program& program, Figure* figure) const;
  const Names& NamesFor(const RecordType& type, const FieldDescriptor* each);

  const Parameters& parameters_;
  const Calendars& calendars_;
  const Schema& schema_;
  std::map<std::pair<uint32_t, const FieldDescriptor*>, Names> names_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_FIGURE_COMPILER_H_
