// What people do to records of all the other types: whatever the catalogue declares, by what
// is declared. So a new type is recorded here without a line about it.
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/author.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

// Of those that people record, the ones that nothing else in here is about.
std::vector<const RecordType*> OtherTypes(const Schema& schema) {
  static const std::set<const google::protobuf::Descriptor*> kElsewhere = {
      records::v1::Attendance::descriptor(),  records::v1::CheckIn::descriptor(),
      records::v1::DuesPayment::descriptor(), records::v1::Flow::descriptor(),
      records::v1::Meeting::descriptor(),     records::v1::Pass::descriptor(),
      records::v1::Placement::descriptor(),   records::v1::PrivateDetail::descriptor(),
      records::v1::Transfer::descriptor()};
  std::vector<const RecordType*> types;
  for (const RecordType& type : schema.types()) {
    const bool of_catalogue = type.descriptor->file()->package() == "zhibu.records.v1";
    if (of_catalogue && !type.made_by_server && type.own_scope == NOWHERE &&
        kElsewhere.count(type.descriptor) == 0) {
      types.push_back(&type);
    }
  }
  return types;
}

int AnyValue(const EnumDescriptor& values, Dice* dice) {
  return values.value(static_cast<int>(dice->Below(static_cast<size_t>(values.value_count()))))
      ->number();
}

// Mostly a declared step from where it stands.
int NextStep(const FieldRule& rule, int now, Dice* dice) {
  std::vector<int> next;
  for (const auto& [from, to] : rule.steps) {
    if (from == now) next.push_back(to);
  }
  std::sort(next.begin(), next.end());
  if (next.empty() || dice->OneIn(8)) return AnyValue(*rule.descriptor->enum_type(), dice);
  return dice->Of(next);
}

}  // namespace

void Author::RecordAnything() {
  const std::vector<const RecordType*> types = OtherTypes(store().schema());
  // A few of them at a time, so that several people meet at one.
  const size_t of_today = static_cast<size_t>(universe_.now_ms() / 86'400'000) % types.size();
  const RecordType& type = *types[(of_today + dice_.Below(6)) % types.size()];
  std::optional<client::Draft> draft = dice_.OneIn(3) ? std::nullopt : AnyOf(type);
  if (!draft) {
    draft = store().New(type);
    Begin(type, &draft->message());
  } else if (dice_.OneIn(12)) {
    draft->Delete();
    return Commit(&*draft);
  }
  for (const FieldRule& rule : type.fields.rules()) {
    if (!rule.identity && dice_.OneIn(5)) SetAny(rule, &draft->message(), 2);
  }
  ExcuseAny(&draft->message());
  GiveRules(&draft->message());
  Commit(&*draft);
}

// What a superior adds is mostly rules, and now and then only looks like some.
void Author::GiveRules(Message* record) {
  auto* supplement = dynamic_cast<records::v1::RuleSupplement*>(record);
  if (supplement == nullptr || !supplement->text().empty() || dice_.OneIn(4)) return;
  supplement->set_text(R"(check {
    key: "local.place"
    words { zh: "没有写地点" en: "the place is missing" }
    source: "本级规定" certainty: LOCAL
    of: "Meeting" holds: "this.place != ''" day: "this.starts_at" field: "place"
  })");
}

// What is made up is seldom as the rules have it: more often than not somebody says why.
void Author::ExcuseAny(Message* record) {
  const FieldDescriptor* because = record->GetDescriptor()->FindFieldByName("irregular_because");
  if (because == nullptr || dice_.OneIn(3)) return;
  record->GetReflection()->SetString(record, because, "补录");
}

std::optional<client::Draft> Author::AnyOf(const RecordType& type) {
  const std::vector<Id> ids = IdsOf(type);
  if (ids.empty()) return std::nullopt;
  auto draft = store().Edit(type, dice_.Of(ids));
  if (!draft.ok()) return std::nullopt;
  return *std::move(draft);
}

std::vector<Id> Author::IdsOf(const RecordType& type) {
  std::vector<Id> ids;
  (void)store().List({.type = type.number}, [&](const Id& id, const Message&) {
    ids.push_back(id);
    return true;
  });
  return ids;
}

// Where it lies, whom it is about, what makes its id, what it needs, and a first step.
void Author::Begin(const RecordType& type, Message* record) {
  const Belonging somebody = Somebody();
  const auto& reflection = *record->GetReflection();
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.policy == SERVER) continue;
    if (rule.place == OWNER || rule.place == PERSON) {
      reflection.SetString(record, rule.descriptor,
                           rule.place == OWNER ? somebody.branch : somebody.member);
    } else if (rule.place == GUEST) {
      reflection.SetString(record, rule.descriptor, dice_.Of(universe_.organisations()).str());
    } else if (rule.identity || rule.required || rule.policy == FORWARD) {
      SetAny(rule, record, 2);
    }
  }
}

void Author::SetAny(const FieldRule& rule, Message* record, int depth) {
  const FieldDescriptor* field = rule.descriptor;
  const auto& reflection = *record->GetReflection();
  if (rule.policy == SERVER || rule.place != NOWHERE) return;
  // Written once, or rising only: those are left as they are.
  const bool once = rule.policy == FIRST || rule.policy == MAX || rule.policy == MIN;
  const bool there = field->is_repeated() ? reflection.FieldSize(*record, field) > 0
                                          : reflection.HasField(*record, field);
  if (once && there && !dice_.OneIn(10)) return;
  if (field->is_repeated()) return SetAnyOfMany(rule, record, depth);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(record, field, dice_.OneIn(2));
    case FieldDescriptor::CPPTYPE_UINT32:
      if (rule.reads_as) {
        return reflection.SetUInt32(record, field, dice_.OneIn(2) ? 31 : 105);
      }
      return reflection.SetUInt32(record, field, static_cast<uint32_t>(1 + dice_.Below(3)));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(record, field, dice_.Between(-500, 500));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int now = reflection.GetEnumValue(*record, field);
      return reflection.SetEnumValue(record, field,
                                     rule.policy == FORWARD
                                         ? NextStep(rule, now, &dice_)
                                         : AnyValue(*field->enum_type(), &dice_));
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(record, field, AnyText(rule));
    default:
      return SetAnyWithin(reflection.MutableMessage(record, field));
  }
}

std::string Author::AnyText(const FieldRule& rule) {
  if (rule.format == DATE) return Day();
  if (rule.format == DAY_OR_MONTH) return dice_.OneIn(3) ? Month() : Day();
  if (rule.format == MONTH) return Month();
  if (rule.descriptor->type() == FieldDescriptor::TYPE_STRING) return Word();
  const RecordType* named = rule.kept_with == nullptr ? rule.refers_to : rule.kept_with;
  if (named == nullptr || dice_.OneIn(20)) return Person();
  const std::vector<Id> ids = IdsOf(*named);
  return ids.empty() ? Person() : dice_.Of(ids).str();
}

// A value that is one as a whole: a time, what was counted.
void Author::SetAnyWithin(Message* value) {
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(value)) return SetNow(time);
  const auto& reflection = *value->GetReflection();
  for (int i = 0; i < value->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = value->GetDescriptor()->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_UINT32 || dice_.OneIn(2)) continue;
    reflection.SetUInt32(value, field, static_cast<uint32_t>(dice_.Below(30)));
  }
}

// One element more, or one changed, or all of them gone.
void Author::SetAnyOfMany(const FieldRule& rule, Message* record, int depth) {
  const FieldDescriptor* field = rule.descriptor;
  const auto& reflection = *record->GetReflection();
  const int count = reflection.FieldSize(*record, field);
  if (count > 0 && dice_.OneIn(6)) return reflection.RemoveLast(record, field);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string value = AnyText(rule);
    for (int i = 0; i < count; ++i) {
      if (reflection.GetRepeatedString(*record, field, i) == value) return;
    }
    return value.empty() ? void() : reflection.AddString(record, field, value);
  }
  if (rule.element == nullptr || depth == 0) return;
  Message* element;
  if (count > 0 && dice_.OneIn(2)) {
    const auto at = static_cast<int>(dice_.Below(static_cast<size_t>(count)));
    element = reflection.MutableRepeatedMessage(record, field, at);
  } else {
    element = reflection.AddMessage(record, field);
    SetAny(*rule.element->Find(rule.key_number), element, depth - 1);
    for (int i = 0; i < count; ++i) {
      if (!SameKey(rule, reflection.GetRepeatedMessage(*record, field, i), *element)) continue;
      return reflection.RemoveLast(record, field);
    }
  }
  for (const FieldRule& inner : rule.element->rules()) {
    if (inner.number != rule.key_number && dice_.OneIn(2)) SetAny(inner, element, depth - 1);
  }
}

bool Author::SameKey(const FieldRule& list, const Message& a, const Message& b) {
  const FieldDescriptor* key = list.element->Find(list.key_number)->descriptor;
  const auto only = [&](const Message& element) {
    std::unique_ptr<Message> left(element.New());
    left->CopyFrom(element);
    std::vector<const FieldDescriptor*> fields;
    element.GetReflection()->ListFields(element, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field != key) left->GetReflection()->ClearField(left.get(), field);
    }
    return left->SerializeAsString();
  };
  return only(a) == only(b);
}

}  // namespace zhibu::sim
