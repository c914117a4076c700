// What the expressions of a ledger see of the records on the shelf, and what of that is sensitive
// or kept from whoever asks.
//
//   sight.BeginColumn(masked);
//   … the column's program is evaluated with it as its host …
//   sight.kept_back()      // something was seen that may not be read: the cell is masked
//   sight.AddTo(&given)    // whose sensitive fields were read
#ifndef ZHIBU_SYNC_RULES_BOOK_LEDGER_SIGHT_H_
#define ZHIBU_SYNC_RULES_BOOK_LEDGER_SIGHT_H_

#include <google/protobuf/message.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/rules/book/ledger_functions.h"
#include "sync/rules/book/ledger_table.h"

namespace zhibu::rules {

class LedgerSight final : public LedgerHost {
 public:
  // `trouble`: what went wrong with the records' source.
  LedgerSight(const LedgerQuery& query, LedgerShelf& shelf, absl::Status* trouble)
      : LedgerHost(query.today, query.language), shelf_(shelf), trouble_(*trouble) {}

  // The expressions may read it from now on.
  void Show(const RecordType& type, const Shelved& entry) const;

  // In a column that is masked what may not be read is seen, and drawn so that nobody reads it.
  void BeginColumn(bool masked) const;
  void EndColumns() const { BeginColumn(false); }
  bool kept_back() const { return kept_back_; }
  // To whom what was read in this column belongs.
  void AddTo(Given* given) const;

  bool Hides(const google::protobuf::Message& of,
             const google::protobuf::FieldDescriptor& field) const override;
  cel::Value RecordWith(const RecordType& type, absl::string_view id,
                        cel::Meter* meter) const override;
  // What was never made is empty, where it would be known if it had been.
  cel::Value RecordMadeBy(const RecordType& type, const std::optional<Id>& id,
                          cel::Meter* meter) const override;
  cel::Value RecordsWith(const RecordType& type, const google::protobuf::FieldDescriptor& field,
                         absl::string_view id) const override;
  cel::Value NameOf(absl::string_view id) const override;

 private:
  struct Seen {
    const RecordType* type;
    const Shelved* entry;
  };

  // Null: it is not there.
  const Shelved* Look(const RecordType& type, const Id& id) const;

  LedgerShelf& shelf_;
  absl::Status& trouble_;
  mutable absl::flat_hash_map<const google::protobuf::Message*, Seen> seen_;
  mutable bool masked_ = false;
  mutable bool kept_back_ = false;
  mutable std::vector<
      std::pair<const google::protobuf::Message*, const google::protobuf::FieldDescriptor*>>
      read_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_LEDGER_SIGHT_H_
