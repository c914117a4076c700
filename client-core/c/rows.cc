#include "client-core/c/rows.h"

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client-core/c/call.h"
#include "client-core/store/match.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"
#include "sync/wire/worded.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr uint32_t kRows = 100;
constexpr uint32_t kRowsMax = 1000;

Condition ConditionIn(const api::v1::Condition& from) {
  Condition condition{.field = from.field()};
  condition.any_of.assign(from.any_of().begin(), from.any_of().end());
  if (from.has_equals()) condition.equals = from.equals();
  if (from.has_from()) condition.from = from.from();
  if (from.has_below()) condition.below = from.below();
  if (from.has_prefix()) condition.prefix = from.prefix();
  if (from.has_contains()) condition.contains = from.contains();
  if (from.has_sounds()) condition.sounds = from.sounds();
  return condition;
}

absl::StatusOr<std::unique_ptr<Message>> SaidIn(const api::v1::EditItem& item,
                                                const Message& like) {
  std::unique_ptr<Message> said(like.New());
  if (item.to_case() == api::v1::EditItem::kJson) {
    RETURN_IF_ERROR(FromJson(item.json(), said.get()));
  } else if (!said->ParsePartialFromString(item.body())) {
    return Refuse(sync::v1::MALFORMED, like.GetDescriptor()->name());
  }
  return said;
}

// As text, for messages of one kind.
std::string KeyIn(const Message& element, uint32_t key_number) {
  std::string key;
  google::protobuf::TextFormat::PrintFieldValueToString(
      element, element.GetDescriptor()->FindFieldByNumber(static_cast<int>(key_number)), -1, &key);
  return key;
}

// JSON has no room for what a newer app has written and this build does not know: it stays, in
// elements too.
void KeepUnknown(const Fields& fields, const Message& seen, Message* said) {
  const auto& reflection = *seen.GetReflection();
  reflection.MutableUnknownFields(said)->MergeFrom(reflection.GetUnknownFields(seen));
  for (const FieldRule& rule : fields.rules()) {
    if (rule.element == nullptr) continue;
    std::map<std::string, const Message*> elements;
    for (int i = 0; i < reflection.FieldSize(seen, rule.descriptor); ++i) {
      const Message& element = reflection.GetRepeatedMessage(seen, rule.descriptor, i);
      elements.emplace(KeyIn(element, rule.key_number), &element);
    }
    for (int i = 0; i < reflection.FieldSize(*said, rule.descriptor); ++i) {
      Message* element = reflection.MutableRepeatedMessage(said, rule.descriptor, i);
      const auto it = elements.find(KeyIn(*element, rule.key_number));
      if (it != elements.end()) KeepUnknown(*rule.element, *it->second, element);
    }
  }
}

// What `said` has of these fields takes the place of what `message` has, which may be nothing. A
// field may be named twice; of a oneof what is said ends what was.
absl::Status TakeFields(const api::v1::EditItem& item, Message* said, Message* message) {
  std::set<const FieldDescriptor*> meant;
  for (const std::string& name : item.fields()) {
    const FieldDescriptor* field = FindField(*message->GetDescriptor(), name);
    if (field == nullptr) {
      return Refuse(sync::v1::UNKNOWN_FIELD,
                    absl::StrCat(message->GetDescriptor()->name(), ".", name));
    }
    message->GetReflection()->ClearField(message, field);
    meant.insert(field);
  }
  std::vector<const FieldDescriptor*> set;
  said->GetReflection()->ListFields(*said, &set);
  for (const FieldDescriptor* field : set) {
    if (meant.count(field) == 0) said->GetReflection()->ClearField(said, field);
  }
  said->GetReflection()->MutableUnknownFields(said)->Clear();
  message->MergeFrom(*said);
  return absl::OkStatus();
}

}  // namespace

api::v1::Row ToApi(const Row& row, bool json) {
  api::v1::Row told;
  told.set_type(row.draft.type().name);
  told.set_id(row.draft.id().str());
  told.set_body(row.draft.message().SerializePartialAsString());
  told.set_seen(row.draft.Seen());
  told.set_deleted(row.draft.deleted());
  if (json) told.set_json(ToJson(row.draft.message()));
  api::v1::Marks& marks = *told.mutable_marks();
  marks.set_pending(row.marks.pending);
  marks.set_delivered(row.marks.delivered);
  marks.set_stale(row.marks.stale);
  marks.set_returned(row.marks.returned);
  marks.set_held(row.marks.held);
  marks.set_conflict(row.marks.conflict);
  return told;
}

api::v1::Rows ToApi(const std::vector<Row>& rows) {
  api::v1::Rows told;
  for (const Row& row : rows) *told.add_rows() = ToApi(row);
  return told;
}

Language LanguageIn(api::v1::Tongue tongue) {
  return tongue == api::v1::ENGLISH ? Language::kEnglish : Language::kChinese;
}

void AddWords(const Row& row, Names& names, api::v1::Row* told) {
  const Message& record = row.draft.message();
  told->set_title(names.TitleOf(row.draft.type(), row.draft.id(), record));
  AddLines(record, names, told);
}

void AddLines(const Message& record, Names& names, api::v1::Row* told) {
  for (const WordedField& worded : WordedFields(record, names.wording())) {
    api::v1::Line& line = *told->add_lines();
    line.set_field(worded.field->name());
    line.set_label(worded.label);
    line.set_value(worded.value);
  }
}

absl::StatusOr<const FieldDescriptor*> FieldIn(const RecordType& type, absl::string_view path) {
  const google::protobuf::Descriptor* message = type.descriptor;
  const FieldDescriptor* field = nullptr;
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    field = message == nullptr ? nullptr : FindField(*message, name);
    if (field == nullptr) {
      return Refuse(sync::v1::UNKNOWN_FIELD, absl::StrCat(type.name, ".", path));
    }
    message = field->message_type();
  }
  return field;
}

size_t LimitIn(const api::v1::Query& query) {
  return query.limit() == 0 ? kRows : std::min(query.limit(), kRowsMax);
}

absl::StatusOr<Selection> SelectionIn(const Store& store, const api::v1::Query& query) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeIn(store, query.type()));
  Wanted wanted{.type = type->number};
  if (!query.scope().empty()) {
    ASSIGN_OR_RETURN(wanted.scope, IdIn(query.scope()));
  }
  for (const auto& condition : query.where()) wanted.where.push_back(ConditionIn(condition));
  for (const auto& order : query.order()) {
    wanted.order.push_back({order.field(), order.descending(), order.pinyin()});
  }
  return Selection::Compile(store.schema(), std::move(wanted));
}

absl::StatusOr<Draft> DraftIn(Store& store, const api::v1::EditItem& item) {
  ASSIGN_OR_RETURN(Draft draft, store.DraftFrom(item.seen()));
  if (item.to_case() == api::v1::EditItem::kDeleted && item.deleted()) {
    draft.Delete();
    return draft;
  }
  if (draft.deleted()) return Refuse(sync::v1::BAD_VALUE, "EditItem.to");
  if (item.to_case() != api::v1::EditItem::kBody && item.to_case() != api::v1::EditItem::kJson) {
    return Refuse(sync::v1::MALFORMED, "EditItem.to");
  }
  ASSIGN_OR_RETURN(const auto said, SaidIn(item, draft.message()));
  if (item.to_case() == api::v1::EditItem::kJson) {
    KeepUnknown(draft.type().fields, draft.message(), said.get());
  }
  if (!item.fields().empty()) {
    RETURN_IF_ERROR(TakeFields(item, said.get(), &draft.message()));
    return draft;
  }
  draft.message().GetReflection()->Swap(&draft.message(), said.get());
  return draft;
}

}  // namespace zhibu::client
