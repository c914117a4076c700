#include "client-core/actions/distinct.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client-core/actions/due.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
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

// Whether it is asked now if the record is a fact of its own.
absl::StatusOr<bool> IsAsked(Store& store, const Id& id) {
  ASSIGN_OR_RETURN(const DueHere due, WhatIsDue(store));
  return std::any_of(due.list.items.begin(), due.list.items.end(), [&](const rules::DueItem& item) {
    return item.same_as.has_value() && item.subject == id;
  });
}

}  // namespace

absl::StatusOr<Draft> SayDistinct(Store& store, const RecordType& type, const Id& id,
                                  const std::string& why) {
  const RecordType& fact = *store.schema().Find(DistinctFact::descriptor());
  const FieldDescriptor* named = NamedBy(fact, type);
  ASSIGN_OR_RETURN(const bool is_asked, IsAsked(store, id));
  if (named == nullptr || !is_asked) {
    return Refuse(sync::v1::NOT_UNDERSTOOD,
                  InBoth(absl::StrCat("这条", type.label, "没有疑似重复的"),
                         "nothing is asked of this one: it looks like no earlier one"));
  }
  ASSIGN_OR_RETURN(const Draft known, store.Edit(type, id));
  const Message& record = known.message();
  Draft draft = store.New<DistinctFact>();
  auto& said = draft.message<DistinctFact>();
  said.set_organisation_id(record.GetReflection()->GetString(record, type.Keeper()->descriptor));
  said.GetReflection()->SetString(&said, named, id.str());
  said.set_why(why);
  return draft;
}

}  // namespace zhibu::client
