// Records in memory that ledgers are written up of, and who may not read what of them.
#ifndef ZHIBU_TESTS_SYNC_RULES_BOOK_KEPT_H_
#define ZHIBU_TESTS_SYNC_RULES_BOOK_KEPT_H_

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/ledger_table.h"
#include "sync/wire/record.h"

namespace zhibu::rules {

class Kept final : public LedgerSource {
 public:
  template <typename T>
  Id Put(const T& record) {
    const RecordType& type = *CatalogueSchema()->Find(T::descriptor());
    const Id id =
        type.id_from.empty() ? IdOf(++made_) : DeriveId(type, record.SerializeAsString()).value();
    Put(id, record);
    return id;
  }
  void Put(const Id& id, const google::protobuf::Message& record) {
    std::unique_ptr<google::protobuf::Message> kept(record.New());
    kept->CopyFrom(record);
    records_[CatalogueSchema()->Find(record.GetDescriptor())->number][id] = std::move(kept);
  }
  // "DuesPayment": not all of them may be read; "PrivateDetail.phone": that field may not.
  void Lacks(const std::string& what) { lacking_.insert(what); }

  absl::Status List(
      const RecordType& type,
      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) override {
    for (const auto& [id, record] : records_[type.number]) visit(id, *record);
    return absl::OkStatus();
  }
  bool ReadsAll(const RecordType& type) const override { return lacking_.count(type.name) == 0; }
  bool MayRead(const RecordType& type, const Id& /*id*/, const google::protobuf::Message& /*of*/,
               const google::protobuf::FieldDescriptor& field) const override {
    return lacking_.count(absl::StrCat(type.name, ".", field.name())) == 0;
  }

  static Id IdOf(int number) {
    std::string bytes(Id::kSize, 'x');
    bytes[Id::kSize - 2] = static_cast<char>(number / 100);
    bytes[Id::kSize - 1] = static_cast<char>(number % 100);
    return *Id::FromBytes(bytes);
  }

 private:
  std::map<uint32_t, std::map<Id, std::unique_ptr<google::protobuf::Message>>> records_;
  std::set<std::string> lacking_;
  int made_ = 0;
};

inline LedgerTable Written(const Ledger& ledger, Kept& kept, const LedgerQuery& query) {
  LedgerShelf shelf(kept);
  auto table = WriteUp(ledger, query, &shelf);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

// "1|王|2026-03", a row each.
inline std::vector<std::string> RowsOf(const LedgerTable& table) {
  std::vector<std::string> rows;
  for (const auto& cells : table.rows) {
    rows.push_back(absl::StrJoin(
        cells, "|", [](std::string* out, const Cell& cell) { absl::StrAppend(out, cell.text); }));
  }
  return rows;
}

}  // namespace zhibu::rules

#endif  // ZHIBU_TESTS_SYNC_RULES_BOOK_KEPT_H_
