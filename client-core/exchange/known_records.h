// What of the organisation is recorded already, as a sheet asks for it.
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_KNOWN_RECORDS_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_KNOWN_RECORDS_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/base/types.h"
#include "sync/rules/book/ledger.h"

namespace zhibu::client {

class KnownRecords {
 public:
  // `ledger` is one that is read; both outlive it.
  static absl::StatusOr<KnownRecords> Of(Store& store, const rules::Ledger& ledger,
                                         const Id& organisation);

  // What tells the record from others of its type: its id, or the fields that the ledger names.
  absl::StatusOr<std::string> KeyOf(const google::protobuf::Message& record) const;
  // Those with the key, living, and neither taken back nor taking something back.
  const std::vector<Id>& With(const std::string& key) const;

  // The one record of another type that a row points at: in which these fields say the same as in
  // `sought`. INVALID_ARGUMENT, in words: there is none, or several are.
  absl::StatusOr<Id> FindReferred(
      const RecordType& type, const google::protobuf::Message& sought,
      const std::vector<const google::protobuf::FieldDescriptor*>& by) const;

 private:
  using Record = std::pair<Id, std::unique_ptr<google::protobuf::Message>>;

  KnownRecords(Store& store, const rules::Ledger& ledger, const Id& organisation)
      : store_(&store), ledger_(&ledger), organisation_(organisation) {}
  absl::Status ListHere(const RecordType& type, std::vector<Record>* records) const;
  absl::Status Load();

  Store* store_;
  const rules::Ledger* ledger_;
  Id organisation_;
  std::map<std::string, std::vector<Id>> by_key_;
  std::map<uint32_t, std::vector<Record>> referred_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_KNOWN_RECORDS_H_
