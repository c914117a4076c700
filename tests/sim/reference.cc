#include "tests/sim/reference.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::sim {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using sync::v1::Without;

constexpr uint32_t kServer = 1;

// One change to one message, be it a record or an element of a keyed list.
struct Write {
  By by;
  bool anew = false;  // the author saw no such thing
  bool deletes = false;
  std::string set;
  Without without;
};

Policy PolicyOf(const FieldDescriptor* field) {
  return field->is_map() ? BY_KEY : field->options().GetExtension(zhibu::merge);
}

const FieldDescriptor* KeyField(const FieldDescriptor* field) {
  if (field->is_map()) return field->message_type()->map_key();
  return field->message_type()->FindFieldByName(field->options().GetExtension(zhibu::key));
}

std::unique_ptr<Message> Parse(const Message& prototype, const std::string& bytes) {
  std::unique_ptr<Message> message(prototype.New());
  message->ParsePartialFromString(bytes);
  return message;
}

// The members of the oneof, or the field alone: one value. Ascending by number.
std::vector<const FieldDescriptor*> SlotOf(const FieldDescriptor* field) {
  const auto* oneof = field->real_containing_oneof();
  if (oneof == nullptr) return {field};
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < oneof->field_count(); ++i) fields.push_back(oneof->field(i));
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->number() < b->number(); });
  return fields;
}

// What `bytes` says of the field, each occurrence as it stands; nothing where it
// does not speak of it (a zero may be spoken of).
std::vector<const UnknownField*> Said(const google::protobuf::Empty& raw, int number) {
  std::vector<const UnknownField*> said;
  const auto& fields = raw.GetReflection()->GetUnknownFields(raw);
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == number) said.push_back(&fields.field(i));
  }
  return said;
}

// A message that holds only these fields of `from`.
std::string Only(const Message& from, const std::vector<const FieldDescriptor*>& fields) {
  std::unique_ptr<Message> only(from.New());
  only->CopyFrom(from);
  std::vector<const FieldDescriptor*> set;
  only->GetReflection()->ListFields(*only, &set);
  for (const FieldDescriptor* field : set) {
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) {
      only->GetReflection()->ClearField(only.get(), field);
    }
  }
  only->DiscardUnknownFields();
  return only->SerializePartialAsString();
}

// One write to one field.
struct Value {
  By by;
  bool said = false;     // in `set`
  bool cleared = false;  // in `without`
  std::string bytes;     // a message that holds only this slot
};

class Evaluation {
 public:
  explicit Evaluation(Expected* expected) : expected_(*expected) {}

  // Fills `result`; returns whether the thing is there.
  bool Thing(const std::vector<Write>& writes, const std::string& path, Message* result) {
    std::vector<const Write*> life;  // every change since the thing was made anew
    std::vector<const Write*> founders;
    std::vector<const Write*> buried;
    std::vector<const Write*> deletions;
    for (const Write& write : writes) {
      if (write.deletes) {
        if (!life.empty()) deletions.push_back(&write);
        continue;
      }
      const bool gone = !life.empty() && !Alive(life, deletions);
      if (!buried.empty() && !Knew(write, founders, buried)) expected_.unclear = true;
      if (!buried.empty() && write.anew && SawAll(write, buried)) founders.push_back(&write);
      if (write.anew && (gone || !path.empty()) && !life.empty() && SawAll(write, life)) {
        if (!buried.empty()) expected_.unclear = expected_.unclear || Again(write, buried);
        // What was overwritten in a life that is over has been noted all the same.
        Fields(life, path, std::unique_ptr<Message>(result->New()).get());
        buried = std::move(life);
        founders = {&write};
        life.clear();
        deletions.clear();
      }
      life.push_back(&write);
    }
    Fields(life, path, result);
    return Alive(life, deletions);
  }

 private:
  // Changes that no later change had seen.
  static std::vector<const Write*> Last(const std::vector<const Write*>& changes) {
    std::vector<const Write*> last;
    for (const Write* change : changes) {
      last.erase(std::remove_if(last.begin(), last.end(),
                                [&](const Write* w) { return change->by.Saw(w->by); }),
                 last.end());
      last.push_back(change);
    }
    return last;
  }
  static bool Alive(const std::vector<const Write*>& changes,
                    const std::vector<const Write*>& deletions) {
    const auto last = Last(changes);
    return std::any_of(last.begin(), last.end(), [&](const Write* change) {
      return std::none_of(deletions.begin(), deletions.end(), [&](const Write* deletion) {
        return deletion > change && deletion->by.Saw(change->by);
      });
    });
  }
  static bool SawAll(const Write& write, const std::vector<const Write*>& changes) {
    const auto last = Last(changes);
    return std::all_of(last.begin(), last.end(),
                       [&](const Write* w) { return write.by.Saw(w->by); });
  }
  static bool Knew(const Write& write, const std::vector<const Write*>& founders,
                   const std::vector<const Write*>& buried) {
    return std::any_of(founders.begin(), founders.end(),
                       [&](const Write* w) { return write.by.Saw(w->by); }) ||
           (write.anew && SawAll(write, buried));
  }
  // A third life whose founder had not seen all of the first.
  static bool Again(const Write& write, const std::vector<const Write*>& buried) {
    return !SawAll(write, buried);
  }

  void Fields(const std::vector<const Write*>& writes, const std::string& path, Message* result) {
    const Descriptor* type = result->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const auto slot = SlotOf(field);
      if (slot[0] != field) continue;
      const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
      switch (PolicyOf(field)) {
        case ADD_WINS:
          Set(writes, field, result);
          break;
        case BY_KEY:
          Keyed(writes, field, name, result);
          break;
        default:
          One(Values(writes, slot, *result), field, name, result);
      }
    }
  }

  static std::vector<Value> Values(const std::vector<const Write*>& writes,
                                   const std::vector<const FieldDescriptor*>& slot,
                                   const Message& prototype) {
    std::vector<Value> values;
    for (const Write* write : writes) {
      Value value;
      value.by = write->by;
      google::protobuf::Empty raw;
      raw.ParsePartialFromString(write->set);
      for (const FieldDescriptor* field : slot) {
        value.said = value.said || !Said(raw, field->number()).empty();
      }
      for (const uint32_t number : write->without.cleared()) {
        for (const FieldDescriptor* field : slot) {
          value.cleared = value.cleared || static_cast<int>(number) == field->number();
        }
      }
      if (!value.said && !value.cleared) continue;
      if (!value.cleared) value.bytes = Only(*Parse(prototype, write->set), slot);
      values.push_back(std::move(value));
    }
    return values;
  }

  void Breach(const std::string& name, const char* what) {
    if (expected_.breach.empty()) expected_.breach = absl::StrCat(name, ": ", what);
  }

  void One(const std::vector<Value>& values, const FieldDescriptor* field, const std::string& name,
           Message* result) {
    if (values.empty()) return;
    std::string kept;
    switch (PolicyOf(field)) {
      case ASK:
        kept = Ask(values);
        break;
      case FIRST:
        for (const Value& value : values) {
          if (!kept.empty() && value.bytes != kept) Breach(name, "written twice");
          if (kept.empty()) kept = value.bytes;
        }
        break;
      case SUM:
        return Sum(values, field, result);
      case MAX:
      case MIN:
        kept = Extreme(values, field, *result);
        break;
      case FORWARD:
        kept = Steps(values, field, name, *result);
        break;
      case SERVER:
        for (const Value& value : values) {
          if (value.by.device != kServer) Breach(name, "not written by the server");
          kept = value.bytes;
        }
        break;
      default:
        kept = Latest(values, name);
    }
    result->MergeFrom(*Parse(*result, kept));
  }

  std::string Latest(const std::vector<Value>& values, const std::string& name) {
    const Value* current = &values[0];
    for (size_t i = 1; i < values.size(); ++i) {
      const Value& next = values[i];
      const bool saw = next.by.Saw(current->by);
      const bool wins = saw || current->by.stamp > next.by.latest || next.by.Later(current->by);
      if (!saw && next.bytes != current->bytes) {
        const By& lost = wins ? current->by : next.by;
        expected_.overwritten.insert({name, lost.device, lost.stamp});
      }
      if (wins) current = &next;
    }
    return current->bytes;
  }

  // The earliest of the writes that no later write had seen.
  static std::string Ask(const std::vector<Value>& values) {
    std::vector<const Value*> open;
    for (const Value& value : values) {
      open.erase(std::remove_if(open.begin(), open.end(),
                                [&](const Value* v) { return value.by.Saw(v->by); }),
                 open.end());
      open.push_back(&value);
    }
    return (*std::min_element(open.begin(), open.end(),
                              [](const Value* a, const Value* b) { return b->by.Later(a->by); }))
        ->bytes;
  }

  static void Sum(const std::vector<Value>& values, const FieldDescriptor* field, Message* result) {
    uint64_t sum = 0;
    for (const Value& value : values) {
      const auto message = Parse(*result, value.bytes);
      sum += static_cast<uint64_t>(message->GetReflection()->GetInt64(*message, field));
    }
    if (sum != 0) {
      result->GetReflection()->SetInt64(result, field, static_cast<int64_t>(sum));
    }
  }

  static std::tuple<int64_t, int64_t, std::string> Comparable(const Message& message,
                                                              const FieldDescriptor* field) {
    const Reflection& r = *message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return {r.GetInt32(message, field), 0, ""};
      case FieldDescriptor::CPPTYPE_INT64:
        return {r.GetInt64(message, field), 0, ""};
      case FieldDescriptor::CPPTYPE_UINT32:
        return {r.GetUInt32(message, field), 0, ""};
      case FieldDescriptor::CPPTYPE_STRING:
        return {0, 0, r.GetString(message, field)};
      default: {
        google::protobuf::Timestamp time;
        time.CopyFrom(r.GetMessage(message, field));
        return {time.seconds(), time.nanos(), ""};
      }
    }
  }

  static std::string Extreme(const std::vector<Value>& values, const FieldDescriptor* field,
                             const Message& prototype) {
    const bool max = PolicyOf(field) == MAX;
    std::string kept = values[0].bytes;
    for (const Value& value : values) {
      const auto mine = Comparable(*Parse(prototype, value.bytes), field);
      const auto best = Comparable(*Parse(prototype, kept), field);
      if (max ? best < mine : mine < best) kept = value.bytes;
    }
    return kept;
  }

  std::string Steps(const std::vector<Value>& values, const FieldDescriptor* field,
                    const std::string& name, const Message& prototype) {
    std::string kept;
    const auto* from = field->enum_type()->FindValueByNumber(0);
    for (const Value& value : values) {
      const auto message = Parse(prototype, value.bytes);
      const auto* to = message->GetReflection()->GetEnum(*message, field);
      if (to == from) continue;
      bool declared = false;
      const auto& options = from->options();
      for (int i = 0; i < options.ExtensionSize(zhibu::next); ++i) {
        declared = declared || options.GetExtension(zhibu::next, i) == to->name();
      }
      if (!declared) Breach(name, "a step that is not declared");
      from = to;
      kept = value.bytes;
    }
    return kept;
  }

  static void Set(const std::vector<const Write*>& writes, const FieldDescriptor* field,
                  Message* result) {
    std::map<std::string, std::vector<By>> members;  // additions that nobody had seen
    for (const Write* write : writes) {
      google::protobuf::Empty raw;
      raw.ParsePartialFromString(write->set);
      const auto forget = [&](const std::string& member) {
        auto& adds = members[member];
        adds.erase(std::remove_if(adds.begin(), adds.end(),
                                  [&](const By& by) { return write->by.Saw(by); }),
                   adds.end());
      };
      std::set<std::string> added;
      for (const UnknownField* said : Said(raw, field->number())) {
        added.insert(said->length_delimited());
      }
      for (const std::string& member : added) {
        forget(member);
        members[member].push_back(write->by);
      }
      for (const auto& removed : write->without.removed()) {
        if (static_cast<int>(removed.field()) != field->number()) continue;
        for (const std::string& member : removed.elements()) forget(member);
      }
    }
    for (const auto& [member, adds] : members) {
      if (!adds.empty()) result->GetReflection()->AddString(result, field, member);
    }
  }

  // As removed elements are named: numbers in eight bytes, big end first.
  static std::string KeyOf(const Message& element, const FieldDescriptor* key) {
    const Reflection& r = *element.GetReflection();
    uint64_t number = 0;
    switch (key->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return r.GetString(element, key);
      case FieldDescriptor::CPPTYPE_UINT32:
        number = r.GetUInt32(element, key);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        number = static_cast<uint64_t>(static_cast<int64_t>(r.GetInt32(element, key)));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        number = static_cast<uint64_t>(static_cast<int64_t>(r.GetEnumValue(element, key)));
        break;
      default:
        number = static_cast<uint64_t>(r.GetInt64(element, key));
    }
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(number >> shift));
    return bytes;
  }
  static std::string NameOf(const std::string& key, const FieldDescriptor* field) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return key;
    uint64_t number = 0;
    for (const char c : key) number = (number << 8) | static_cast<uint8_t>(c);
    return absl::StrCat(number);
  }

  // A generated entry of a map cannot be without its key or its value.
  static const Message& ElementOf(const FieldDescriptor* field) {
    static auto* const dynamic = new google::protobuf::DynamicMessageFactory;
    google::protobuf::MessageFactory* factory = dynamic;
    if (!field->is_map()) factory = google::protobuf::MessageFactory::generated_factory();
    return *factory->GetPrototype(field->message_type());
  }

  void Keyed(const std::vector<const Write*>& writes, const FieldDescriptor* field,
             const std::string& name, Message* result) {
    const FieldDescriptor* key = KeyField(field);
    const Message& prototype = ElementOf(field);
    std::map<std::string, std::vector<Write>> elements;
    for (const Write* write : writes) {
      google::protobuf::Empty raw;
      raw.ParsePartialFromString(write->set);
      std::map<std::string, std::string> said;  // of two with one key the last
      for (const UnknownField* one : Said(raw, field->number())) {
        said[KeyOf(*Parse(prototype, one->length_delimited()), key)] = one->length_delimited();
      }
      for (const auto& [named, bytes] : said) {
        Write& change = elements[named].emplace_back(Write{write->by, false, false, bytes, {}});
        for (const auto& nested : write->without.nested()) {
          if (static_cast<int>(nested.field()) != field->number() || nested.key() != named)
            continue;
          change.anew = nested.created();
          change.without = nested.without();
          break;
        }
      }
      for (const auto& removed : write->without.removed()) {
        if (static_cast<int>(removed.field()) != field->number()) continue;
        for (const std::string& named : removed.elements()) {
          elements[named].push_back(Write{write->by, false, true, {}, {}});
        }
      }
    }
    for (const auto& [named, changes] : elements) {
      std::unique_ptr<Message> element(prototype.New());
      if (!Thing(changes, absl::StrCat(name, "[", NameOf(named, key), "]"), element.get()))
        continue;
      result->GetReflection()->AddMessage(result, field)->CopyFrom(*element);
    }
  }

  Expected& expected_;
};

void SortIn(Message* message) {
  const Reflection& r = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      if (is_message) SortIn(r.MutableMessage(message, field));
      continue;
    }
    const Policy policy = PolicyOf(field);
    const int size = r.FieldSize(*message, field);
    for (int i = 0; is_message && i < size; ++i) {
      SortIn(r.MutableRepeatedMessage(message, field, i));
    }
    if (policy != ADD_WINS && policy != BY_KEY) continue;
    const auto text = [&](int i) {
      return is_message ? r.GetRepeatedMessage(*message, field, i).SerializePartialAsString()
                        : r.GetRepeatedString(*message, field, i);
    };
    for (int i = 1; i < size; ++i) {
      for (int j = i; j > 0 && text(j) < text(j - 1); --j) r.SwapElements(message, field, j, j - 1);
    }
  }
}

}  // namespace

Expected Evaluate(const Message& prototype, const History& history) {
  std::vector<Write> writes;
  for (const Accepted& accepted : history) {
    Write& write = writes.emplace_back();
    write.by = accepted.by;
    write.anew = accepted.change.kind() == sync::v1::Change::CREATE;
    write.deletes = accepted.change.kind() == sync::v1::Change::DELETE;
    write.set = accepted.change.set();
    write.without = accepted.change.without();
  }
  Expected expected;
  expected.message.reset(prototype.New());
  expected.alive = Evaluation(&expected).Thing(writes, "", expected.message.get());
  return expected;
}

std::string Render(const Message& message) {
  std::unique_ptr<Message> sorted(message.New());
  sorted->CopyFrom(message);
  sorted->DiscardUnknownFields();  // of a newer app, or made up
  SortIn(sorted.get());
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(*sorted, &text);
  return text;
}

}  // namespace zhibu::sim
