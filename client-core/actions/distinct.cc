#include "client-core/actions/distinct.h"

#include <google/protobuf/message.h>

#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/duplicate.pb.h"

namespace zhibu::client {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::DistinctFact;

namespace {

// The field that names records of the type; null: none does.
const FieldDescriptor* NamedBy(const RecordType& fact, const RecordType& type) {
  for (const FieldRule& rule : fact.fields.rules()) {
    if (rule.kept_with == &type) return rule.descriptor;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Draft> SayDistinct(Store& store, const RecordType& type, const Id& id,
                                  const std::string& why) {
  const RecordType& fact = *store.schema().Find(DistinctFact::descriptor());
  const FieldDescriptor* named = NamedBy(fact, type);
  if (named == nullptr) return Refuse(sync::v1::NOT_UNDERSTOOD, type.label);
  ASSIGN_OR_RETURN(const Draft known, store.Edit(type, id));
  const Message& record = known.message();
  Draft draft = store.New<DistinctFact>();
  auto& said = draft.message<DistinctFact>();
  said.set_organisation_id(
      record.GetReflection()->GetString(record, type.Keeper()->descriptor));
  said.GetReflection()->SetString(&said, named, id.str());
  said.set_why(why);
  return draft;
}

}  // namespace zhibu::client
