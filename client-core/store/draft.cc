// What somebody saw of a record, in their own hands while they work on it.
#include <limits>
#include <utility>

#include "client-core/store/store.h"
#include "client-core/store/transaction.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/canonical.h"
#include "zhibu/stored/v1/client.pb.h"

namespace zhibu::client {

using google::protobuf::MessageFactory;

std::string Draft::Seen() const {
  stored::v1::SeenRecord seen;
  seen.set_type(key_.type);
  seen.set_id(key_.id.str());
  seen.set_is_new(is_new_);
  seen.set_deleted(deleted_);
  seen.set_base(base_);
  seen.set_builds_on(builds_on_);
  seen.set_amends(amends_);
  seen.set_amends_records(amends_records_);
  seen.set_before(before_);
  if (amended_) seen.set_amended(*amended_);
  return seen.SerializeAsString();
}

absl::StatusOr<Draft> Store::DraftFrom(absl::string_view bytes) {
  stored::v1::SeenRecord seen;
  const bool read = seen.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  const RecordType* type = read ? schema().Find(seen.type()) : nullptr;
  const auto id = Id::FromBytes(seen.id());
  // A number of the server's, which no edit of this device has.
  const bool base = Version(seen.base()) < kPendingVersion;
  if (type == nullptr || !id || !base || (seen.is_new() && !seen.before().empty())) {
    return Refuse(sync::v1::MALFORMED, "seen");
  }
  Draft draft;
  draft.type_ = type;
  draft.key_ = {type->number, *id};
  draft.is_new_ = seen.is_new();
  draft.deleted_ = seen.deleted();
  draft.base_ = seen.base();
  draft.builds_on_ = seen.builds_on();
  draft.amends_ = seen.amends();
  draft.amends_records_ = seen.amends_records();
  draft.message_.reset(MessageFactory::generated_factory()->GetPrototype(type->descriptor)->New());
  if (seen.has_amended()) draft.amended_ = seen.amended();
  if (!draft.message_->ParsePartialFromString(seen.before()) ||
      (draft.amended_ && !draft.message_->ParsePartialFromString(*draft.amended_))) {
    return Refuse(sync::v1::MALFORMED, "seen");
  }
  draft.before_ = Canonical(type->fields, seen.before());
  return draft;
}

absl::StatusOr<std::vector<ShownRecord>> Store::Show(const RecordType& type,
                                                     absl::Span<const Id> ids) {
  std::vector<ShownRecord> shown;
  RETURN_IF_ERROR(Look([&](Transaction& transaction) -> absl::Status {
    Tables& tables = transaction.tables();
    const EditNumber delivered(tables.GetNumber(kDelivered));
    for (const Id& id : ids) {
      ShownRecord record;
      record.draft.type_ = &type;
      record.draft.key_ = {type.number, id};
      record.draft.message_.reset(
          MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
      const absl::Status here = FillDraft(transaction, &record.draft);
      if (absl::IsNotFound(here)) continue;
      RETURN_IF_ERROR(here);
      const std::vector<EditNumber> own = tables.TouchedBy(record.draft.key_);
      record.pending = !own.empty();
      record.delivered = record.pending && own.back() <= delivered;
      record.stale = tables.IsStale(record.draft.key_);
      shown.push_back(std::move(record));
    }
    return absl::OkStatus();
  }));
  return shown;
}

}  // namespace zhibu::client
