#include "server/exchange/ledger.h"

#include <utility>

#include "server/store/visit.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "sync/rules/typed.h"

namespace zhibu::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class KeptForOne final : public rules::LedgerSource {
 public:
  KeptForOne(Reader& reader, const Id& organisation)
      : reader_(reader), organisation_(organisation) {}

  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    return PassOver(VisitRecords(reader_, type, organisation_, visit));
  }
  bool ReadsAll(const RecordType& /*type*/) const override { return true; }
  bool MayRead(const RecordType& type, const Id& /*id*/, const Message& /*record*/,
               const FieldDescriptor& field) const override {
    const FieldRule* rule = type.fields.Find(static_cast<uint32_t>(field.number()));
    return rule == nullptr || !rule->sensitive;
  }

 private:
  Reader& reader_;
  const Id organisation_;
};

}  // namespace

absl::StatusOr<std::vector<rules::LedgerTable>> WriteUpForOperator(
    Reader& reader, absl::Span<const rules::Ledger* const> ledgers,
    const rules::LedgerQuery& query) {
  KeptForOne source(reader, query.organisation);
  rules::LedgerShelf shelf(source);
  std::vector<rules::LedgerTable> tables;
  for (const rules::Ledger* ledger : ledgers) {
    ASSIGN_OR_RETURN(rules::LedgerTable table, WriteUp(*ledger, query, &shelf));
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace zhibu::server
