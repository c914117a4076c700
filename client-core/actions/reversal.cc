#include "client-core/actions/reversal.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status NotSo(const RecordType& type, absl::string_view zh, absl::string_view en) {
  return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth(absl::StrCat("这条", type.label, zh), en));
}

// The field by which one names the other; null: there is none.
const FieldRule* NamedBy(const RecordType& type) {
  const auto& rules = type.fields.rules();
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const FieldRule& rule) { return rule.kept_with == &type; });
  return found == rules.end() ? nullptr : &*found;
}

// What is said once and for all, but not what comes with a later step.
bool IsKept(const FieldRule& rule) { return rule.policy == FIRST && rule.written_with.empty(); }

// Makes of one field of what is taken back what it is in the record that takes back. A state begins
// anew: with its one first step (a test looks at every type).
void Turn(const FieldRule& rule, const std::string& today, Message* record) {
  const FieldDescriptor& field = *rule.descriptor;
  const google::protobuf::Reflection& reflection = *record->GetReflection();
  if (rule.policy == FORWARD && rule.required) {
    const auto first = std::find_if(rule.steps.begin(), rule.steps.end(),
                                    [](const auto& step) { return step.first == 0; });
    REQUIRE(first != rule.steps.end());
    reflection.SetEnumValue(record, &field, first->second);
  } else if (!IsKept(rule)) {
    reflection.ClearField(record, &field);
  } else if (rule.number_max != 0) {
    reflection.SetInt64(record, &field, -reflection.GetInt64(*record, &field));
  } else if (rule.format == DATE) {
    reflection.SetString(record, &field, today);
  }
}

absl::Status SayWhy(const RecordType& type, const std::string& why, Message* record) {
  for (const char* name : {"remark", "what"}) {
    const FieldDescriptor* field = type.descriptor->FindFieldByName(name);
    if (field == nullptr) continue;
    record->GetReflection()->SetString(record, field, why);
    return absl::OkStatus();
  }
  return NotSo(type, "没有可以填写原因的栏目", "such a record has no place for a reason");
}

}  // namespace

bool IsReversible(const RecordType& type) { return NamedBy(type) != nullptr; }

absl::StatusOr<Draft> Reverse(Store& store, const RecordType& type, const Id& id,
                              const std::string& why) {
  const FieldRule* named = NamedBy(type);
  if (named == nullptr) {
    return NotSo(type, "不用冲正：请修改、结束或删除",
                 "such a record is not taken back by another: change, end or delete it");
  }
  const auto takes_back = [&](const Message& record) {
    return record.GetReflection()->GetString(record, named->descriptor);
  };
  ASSIGN_OR_RETURN(const Draft known, store.Edit(type, id));
  if (!takes_back(known.message()).empty()) {
    return NotSo(type, "本身就是冲正", "this one takes another back");
  }
  bool is_taken_back = false;
  RETURN_IF_ERROR(ListReadable(store, type, [&](const Id& /*id*/, const Message& record) {
    is_taken_back = is_taken_back || takes_back(record) == id.bytes();
  }));
  if (is_taken_back) return NotSo(type, "已经冲正", "it has been taken back already");
  ASSIGN_OR_RETURN(const std::string today, DateOrToday(store, std::nullopt));
  Draft draft = store.New(type);
  Message& record = draft.message();
  record.CopyFrom(known.message());
  for (const FieldRule& rule : type.fields.rules()) Turn(rule, today, &record);
  record.GetReflection()->SetString(&record, named->descriptor, id.str());
  if (!why.empty()) RETURN_IF_ERROR(SayWhy(type, why, &record));
  return draft;
}

}  // namespace zhibu::client
