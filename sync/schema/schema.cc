#include "sync/schema/schema.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sync/schema/codes.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldOptions;
using google::protobuf::FileDescriptor;

namespace {

// A declared number may be as high as 2^29-1.
constexpr uint32_t kNearNumbers = 1024;
constexpr size_t kRestrictedMax = 64;

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("schema: ", where, ": ", what));
}

bool IsInteger(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return true;
    default:
      return false;
  }
}

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

bool IsTimestamp(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->full_name() == "google.protobuf.Timestamp";
}

template <typename Offices>
Eyes EyesOf(const Offices& offices) {
  uint32_t audience = 0;
  for (const int office : offices) audience |= AudienceOf(static_cast<Office>(office));
  return {audience, audience};
}

template <typename Places>
uint32_t BitsOf(const Places& places) {
  uint32_t bits = 0;
  for (const int place : places) bits |= BitOf(static_cast<Place>(place));
  return bits;
}

bool HasAuthority(const FieldOptions& options) {
  return options.HasExtension(zhibu::belongs_to) || options.HasExtension(zhibu::guests_too) ||
         options.HasExtension(zhibu::by_code) || options.HasExtension(zhibu::kept_with) ||
         options.HasExtension(zhibu::refers_to) || options.ExtensionSize(zhibu::written_with) > 0 ||
         options.ExtensionSize(zhibu::written_at) > 0 ||
         options.HasExtension(zhibu::shown_when_asked) ||
         options.HasExtension(zhibu::taken_by_host) || options.GetExtension(zhibu::names_author) ||
         options.HasExtension(zhibu::word_of);
}

absl::flat_hash_map<int, uint32_t> SpeakersOf(const FieldDescriptor& field) {
  absl::flat_hash_map<int, uint32_t> speakers;
  for (int i = 0; field.enum_type() != nullptr && i < field.enum_type()->value_count(); ++i) {
    const auto& value = *field.enum_type()->value(i);
    const uint32_t places = BitsOf(value.options().GetRepeatedExtension(zhibu::said_by));
    if (places != 0) speakers[value.number()] = places;
  }
  return speakers;
}

// In a message that is one value nobody looks for such a word.
bool HoldsWordOfOthers(const Descriptor& message, std::set<const Descriptor*>* seen) {
  if (!seen->insert(&message).second) return false;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (!SpeakersOf(field).empty()) return true;
    if (field.message_type() != nullptr && HoldsWordOfOthers(*field.message_type(), seen)) {
      return true;
    }
  }
  return false;
}

}  // namespace

class SchemaCompiler {
 public:
  explicit SchemaCompiler(Schema* schema) : schema_(*schema) {}

  absl::Status AddFile(const FileDescriptor& file) {
    if (!files_.insert(&file).second) return absl::OkStatus();
    for (int i = 0; i < file.dependency_count(); ++i) {
      if (auto status = AddFile(*file.dependency(i)); !status.ok()) return status;
    }
    for (int i = 0; i < file.message_type_count(); ++i) {
      const Descriptor& message = *file.message_type(i);
      if (!message.options().HasExtension(zhibu::record)) continue;
      if (auto status = AddRecord(message); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Of types that may be declared in any order.
  absl::Status BindTypes() {
    for (FieldRule* rule : companions_) {
      const std::string& name = rule->descriptor->options().GetExtension(zhibu::kept_with);
      rule->kept_with = schema_.FindByName(name);
      if (rule->kept_with == nullptr || rule->kept_with->Keeper() == nullptr) {
        return Wrong(rule->descriptor->full_name(),
                     absl::StrCat("kept_with names ", name, ", which is no record with one OWNER"));
      }
    }
    for (FieldRule* rule : referring_) {
      const std::string& name = rule->descriptor->options().GetExtension(zhibu::refers_to);
      rule->refers_to = schema_.FindByName(name);
      if (rule->refers_to == nullptr) {
        return Wrong(rule->descriptor->full_name(),
                     absl::StrCat("refers_to names ", name, ", which is no record"));
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status AddRecord(const Descriptor& message) {
    const RecordOptions& options = message.options().GetExtension(zhibu::record);
    RecordType& type = schema_.types_.emplace_back();
    type.number = options.type();
    type.name = message.name();
    type.label = options.label().empty() ? type.name : options.label();
    type.descriptor = &message;
    type.readers = EyesOf(options.readers());
    type.writers = EyesOf(options.writers());
    if (options.written_at_home()) type.writers.as_host = 0;
    type.own_scope = options.own_scope();
    type.permanent = options.permanent();
    type.made_by_server = options.made_by_server();
    if (type.number == 0) return Wrong(message.full_name(), "a record needs a type number");
    if (const auto [it, fresh] = schema_.by_number_.try_emplace(type.number, &type); !fresh) {
      return Wrong(message.full_name(), absl::StrCat("type ", type.number, " is already ",
                                                     it->second->descriptor->full_name()));
    }
    if (const auto [it, fresh] = schema_.by_name_.try_emplace(type.name, &type); !fresh) {
      return Wrong(message.full_name(), absl::StrCat("the name is already taken by ",
                                                     it->second->descriptor->full_name()));
    }
    if (auto status = AddFields(message, &type.fields); !status.ok()) return status;
    for (const std::string& name : options.id_from()) {
      const FieldDescriptor* field = message.FindFieldByName(name);
      if (field == nullptr || field->is_repeated()) {
        return Wrong(message.full_name(),
                     absl::StrCat("id_from names ", name, ", which is not a single field"));
      }
      FieldRule& rule = Mutable(&type.fields, field->number());
      if (rule.policy != LATEST && rule.policy != FIRST) {
        return Wrong(field->full_name(),
                     "a field that makes the id cannot change, so it has no policy");
      }
      rule.identity = true;
      type.id_from.push_back(rule.number);
    }
    for (const FieldRule& rule : type.fields.rules()) {
      if (!rule.at_host.empty()) type.at_host = &rule;
    }
    for (FieldRule& rule : type.fields.rules_) {
      if (auto status = Restrict(&type, &rule); !status.ok()) return status;
    }
    for (FieldRule& rule : type.fields.rules_) {
      if (auto status = Bind(&type, &rule); !status.ok()) return status;
    }
    KeepFromAbove(&type);
    const bool placed = type.own_scope != NOWHERE ||
                        std::any_of(type.fields.rules().begin(), type.fields.rules().end(),
                                    [](const FieldRule& rule) { return rule.place != NOWHERE; });
    if (!placed) return Wrong(message.full_name(), "no field places the record in a scope");
    return absl::OkStatus();
  }

  static absl::Status Restrict(RecordType* type, FieldRule* rule) {
    const FieldDescriptor& field = *rule->descriptor;
    const FieldOptions& options = field.options();
    rule->sensitive = options.GetExtension(zhibu::sensitive);
    rule->readers = type->readers;
    rule->writers = type->writers;
    if (const auto& offices = options.GetRepeatedExtension(zhibu::seen_by); !offices.empty()) {
      rule->readers = EyesOf(offices);
    }
    if (const auto& offices = options.GetRepeatedExtension(zhibu::written_by); !offices.empty()) {
      rule->writers = EyesOf(offices);
    }
    if (rule->sensitive || options.GetExtension(zhibu::home_only)) rule->readers.as_host = 0;
    const bool hidden = rule->readers != type->readers;
    if (hidden) rule->writers = rule->writers & rule->readers;
    const bool always =
        rule->place != NOWHERE || rule->identity || rule->required || rule->policy == FORWARD;
    rule->shown_when_asked = options.GetExtension(zhibu::shown_when_asked) || always;
    rule->taken_by_host = options.GetExtension(zhibu::taken_by_host);
    const bool later = type->at_host != nullptr && !rule->shown_when_asked;
    if (!hidden && !later && rule->writers == type->writers) return absl::OkStatus();
    // Where it lies, what it is and whether it may stand must be known to all who hold it.
    // Of a place that only the server writes, the server knows.
    const bool place = rule->place != NOWHERE && rule->policy != SERVER;
    if (hidden && (place || rule->identity || rule->required)) {
      return Wrong(field.full_name(),
                   "a place, what makes the id and what is required has no readers of its own");
    }
    if (field.real_containing_oneof() != nullptr) {
      return Wrong(field.full_name(), "a member of a oneof has no readers or writers of its own");
    }
    if (type->restricted.size() == kRestrictedMax) {
      return Wrong(field.full_name(), "too many fields with readers or writers of their own");
    }
    rule->special = true;  // a server that does not know it would show it to everybody
    type->restricted.push_back(rule);
    return absl::OkStatus();
  }

  // Who is above by the server's word is asked: they write what is declared theirs.
  static void KeepFromAbove(RecordType* type) {
    const auto& rules = type->fields.rules();
    const bool asks = std::any_of(rules.begin(), rules.end(), [](const FieldRule& rule) {
      return rule.place == ABOVE && rule.policy == SERVER;
    });
    for (FieldRule& rule : type->fields.rules_) {
      const bool declared = rule.written_at != 0 || !rule.written_with.empty() ||
                            !rule.taken_by.empty() || rule.policy == SERVER;
      if (asks && !declared) rule.written_at = BitOf(OWNER) | BitOf(GUEST) | BitOf(PERSON);
    }
  }

  // To the other fields of the record that its declaration names.
  absl::Status Bind(RecordType* type, FieldRule* rule) {
    const FieldDescriptor& field = *rule->descriptor;
    const FieldOptions& options = field.options();
    if (rule->place == GUEST && rule->policy != SERVER && !HostAccepts(*type)) {
      return Wrong(field.full_name(), "a GUEST that authors write needs a step that it takes");
    }
    const bool of_asking =
        options.HasExtension(zhibu::shown_when_asked) || options.HasExtension(zhibu::taken_by_host);
    if (of_asking && type->at_host == nullptr) {
      return Wrong(field.full_name(),
                   "shown_when_asked and taken_by_host need states that say what a host sees");
    }
    rule->guests_too = options.GetExtension(zhibu::guests_too);
    rule->by_code = options.GetExtension(zhibu::by_code);
    const std::string& owner = options.GetExtension(zhibu::belongs_to);
    if (owner.empty() && (rule->guests_too || rule->by_code)) {
      return Wrong(field.full_name(), "guests_too and by_code are for belongs_to");
    }
    if (!owner.empty()) {
      const FieldDescriptor* named = type->descriptor->FindFieldByName(owner);
      const FieldRule* to =
          named == nullptr ? nullptr : type->fields.Find(static_cast<uint32_t>(named->number()));
      if (rule->place != PERSON || to == nullptr || to->place != OWNER || named->is_repeated()) {
        return Wrong(field.full_name(), "belongs_to is for a PERSON, and names a single OWNER");
      }
      rule->belongs_to = to;
    }
    if (options.HasExtension(zhibu::kept_with)) {
      if (field.type() != FieldDescriptor::TYPE_BYTES || field.is_repeated() ||
          type->Keeper() == nullptr) {
        return Wrong(field.full_name(), "kept_with is for one id in a record with one OWNER");
      }
      companions_.push_back(rule);
    }
    if (options.HasExtension(zhibu::refers_to)) {
      if (field.type() != FieldDescriptor::TYPE_BYTES || field.is_repeated() ||
          rule->place != NOWHERE || options.HasExtension(zhibu::kept_with)) {
        return Wrong(field.full_name(), "refers_to is for one id that says nothing else");
      }
      referring_.push_back(rule);
    }
    rule->written_at = BitsOf(options.GetRepeatedExtension(zhibu::written_at));
    if (auto status = BindToAuthor(*type, rule); !status.ok()) return status;
    if (auto status = BindToAddressees(*type, rule); !status.ok()) return status;
    return BindToSteps(type, rule);
  }

  static absl::Status BindToAuthor(const RecordType& type, FieldRule* rule) {
    const FieldDescriptor& field = *rule->descriptor;
    rule->names_author = field.options().GetExtension(zhibu::names_author);
    if (rule->names_author &&
        (field.type() != FieldDescriptor::TYPE_BYTES || field.is_repeated())) {
      return Wrong(field.full_name(), "names_author is for the id of one person");
    }
    const std::string& name = field.options().GetExtension(zhibu::word_of);
    if (name.empty()) return absl::OkStatus();
    const FieldDescriptor* named = type.descriptor->FindFieldByName(name);
    if (named == nullptr || !named->options().GetExtension(zhibu::names_author)) {
      return Wrong(field.full_name(), "word_of names a field that names_author");
    }
    rule->word_of = type.fields.Find(static_cast<uint32_t>(named->number()));
    return absl::OkStatus();
  }

  static absl::Status BindToAddressees(const RecordType& type, FieldRule* rule) {
    const FieldDescriptor& field = *rule->descriptor;
    const std::string& name = field.options().GetExtension(zhibu::sent_to);
    if (name.empty()) return absl::OkStatus();
    const FieldDescriptor* named = type.descriptor->FindFieldByName(name);
    const bool filled_in = rule->place == GUEST && rule->policy == SERVER && field.is_repeated();
    if (!filled_in || type.Keeper() == nullptr || named == nullptr || !named->is_repeated() ||
        named->type() != FieldDescriptor::TYPE_BYTES) {
      return Wrong(field.full_name(),
                   "sent_to is for GUESTs that the server fills in where there is one OWNER, and "
                   "names a field of ids");
    }
    rule->sent_to = type.fields.Find(static_cast<uint32_t>(named->number()));
    rule->sent_while_below = field.options().GetExtension(zhibu::sent_while_below);
    return absl::OkStatus();
  }

  static absl::Status BindToSteps(RecordType* type, FieldRule* rule) {
    const FieldOptions& options = rule->descriptor->options();
    for (int n = 0; n < options.ExtensionSize(zhibu::written_with); ++n) {
      const std::string& name = options.GetExtension(zhibu::written_with, n);
      for (const FieldRule& other : type->fields.rules()) {
        if (other.policy != FORWARD || (type->steps != nullptr && type->steps != &other)) continue;
        const auto* value = other.descriptor->enum_type()->FindValueByName(name);
        if (value == nullptr || rule->policy == FORWARD) continue;
        type->steps = &other;
        rule->written_with.insert(value->number());
      }
      if (rule->written_with.size() != static_cast<size_t>(n) + 1) {
        return Wrong(rule->descriptor->full_name(),
                     absl::StrCat("written_with names ", name,
                                  ", which is no value of the record's one FORWARD field"));
      }
    }
    return absl::OkStatus();
  }

  static bool HostAccepts(const RecordType& type) {
    for (const FieldRule& rule : type.fields.rules()) {
      for (const auto& [value, places] : rule.taken_by) {
        if ((places & BitOf(GUEST)) != 0) return true;
      }
    }
    return false;
  }

  static FieldRule& Mutable(Fields* fields, int number) {
    return *std::find_if(fields->rules_.begin(), fields->rules_.end(), [&](const FieldRule& rule) {
      return rule.number == static_cast<uint32_t>(number);
    });
  }

  absl::Status AddFields(const Descriptor& message, Fields* fields) {
    std::vector<const FieldDescriptor*> order;
    order.reserve(static_cast<size_t>(message.field_count()));
    for (int i = 0; i < message.field_count(); ++i) order.push_back(message.field(i));
    std::sort(order.begin(), order.end(),
              [](auto* a, auto* b) { return a->number() < b->number(); });
    for (const FieldDescriptor* field : order) {
      FieldRule& rule = fields->rules_.emplace_back();
      if (auto status = Fill(*field, &rule); !status.ok()) return status;
    }
    for (const FieldRule& rule : fields->rules_) {
      if (rule.number >= kNearNumbers) break;
      fields->by_number_.resize(rule.number + 1);
      fields->by_number_[rule.number] = &rule;
    }
    return absl::OkStatus();
  }

  absl::Status Fill(const FieldDescriptor& field, FieldRule* rule) {
    const auto& options = field.options();
    rule->number = rule->slot = static_cast<uint32_t>(field.number());
    rule->policy = options.GetExtension(zhibu::merge);
    rule->place = options.GetExtension(zhibu::place);
    rule->required = options.GetExtension(zhibu::required);
    rule->format = options.GetExtension(zhibu::format);
    rule->bytes_max = BytesMaxOf(field);
    rule->number_max = options.GetExtension(zhibu::number_max);
    if (rule->number_max < 0 ||
        (rule->number_max > 0 &&
         (field.type() != FieldDescriptor::TYPE_INT64 || field.is_repeated()))) {
      return Wrong(field.full_name(), "number_max is for one int64, and above zero");
    }
    rule->said_by = SpeakersOf(field);
    std::set<const Descriptor*> seen;
    if (!rule->said_by.empty() && rule->policy == FORWARD) {
      return Wrong(field.full_name(), "who takes a step is said by taken_by");
    }
    if (field.message_type() != nullptr && rule->policy != BY_KEY &&
        HoldsWordOfOthers(*field.message_type(), &seen)) {
      return Wrong(field.full_name(), "said_by is for a field of a record or of its elements");
    }
    rule->reads_as = options.GetExtension(zhibu::reads_as);
    rule->reads_field = options.GetExtension(zhibu::reads_field);
    rule->happened = options.GetExtension(zhibu::happened);
    rule->descriptor = &field;
    rule->special = rule->policy != LATEST || rule->place != NOWHERE || rule->reads_as ||
                    field.real_containing_oneof() != nullptr;
    if (const auto* oneof = field.real_containing_oneof()) {
      if (rule->policy != LATEST) {
        return Wrong(field.full_name(), "members of a oneof are one value and merge as LATEST");
      }
      for (int i = 0; i < oneof->field_count(); ++i) {
        rule->slot = std::min(rule->slot, static_cast<uint32_t>(oneof->field(i)->number()));
      }
    }
    if (rule->place != NOWHERE && field.type() != FieldDescriptor::TYPE_BYTES) {
      return Wrong(field.full_name(), "a place is the id of an organisation or person: bytes");
    }
    if (rule->happened && !IsTimestamp(field)) {
      return Wrong(field.full_name(), "happened is for a Timestamp");
    }
    if (rule->format != ANY && field.type() != FieldDescriptor::TYPE_STRING) {
      return Wrong(field.full_name(), "a format is for a string");
    }
    if (const std::string& table = options.GetExtension(zhibu::code_table); !table.empty()) {
      if (field.type() != FieldDescriptor::TYPE_STRING || FindCodeTable(table) == nullptr) {
        return Wrong(field.full_name(),
                     absl::StrCat("code_table is for a string, and names a table: ", table));
      }
    }
    if (rule->reads_as && (field.type() != FieldDescriptor::TYPE_UINT32 || field.is_repeated())) {
      return Wrong(field.full_name(), "reads_as is for one uint32");
    }
    if (rule->reads_field &&
        (field.type() != FieldDescriptor::TYPE_STRING || field.is_repeated())) {
      return Wrong(field.full_name(), "reads_field is for one string");
    }
    if (options.HasExtension(zhibu::key) && rule->policy != BY_KEY) {
      return Wrong(field.full_name(), "a key is for BY_KEY");
    }
    return FillPolicy(field, rule);
  }

  absl::Status FillPolicy(const FieldDescriptor& field, FieldRule* rule) {
    switch (rule->policy) {
      case LATEST:
      case ASK:
      case FIRST:
      case SERVER:
        return absl::OkStatus();
      case SUM:
        if (field.is_repeated() || field.cpp_type() != FieldDescriptor::CPPTYPE_INT64 ||
            field.type() == FieldDescriptor::TYPE_SFIXED64 || field.has_optional_keyword()) {
          return Wrong(field.full_name(), "SUM is for an int64 or sint64");
        }
        return absl::OkStatus();
      case MAX:
      case MIN:
        if (field.is_repeated() || !(IsInteger(field) || IsText(field) || IsTimestamp(field))) {
          return Wrong(field.full_name(),
                       "MAX and MIN are for an integer, a string or a Timestamp");
        }
        return absl::OkStatus();
      case ADD_WINS:
        if (!field.is_repeated() || !IsText(field)) {
          return Wrong(field.full_name(), "ADD_WINS is for repeated bytes or string");
        }
        return absl::OkStatus();
      case BY_KEY:
        return FillKeyed(field, rule);
      case FORWARD:
        return FillSteps(field, rule);
      default:
        return Wrong(field.full_name(),
                     absl::StrCat("no such policy: ", static_cast<int>(rule->policy)));
    }
  }

  absl::Status FillKeyed(const FieldDescriptor& field, FieldRule* rule) {
    if (!field.is_repeated() || field.message_type() == nullptr) {
      return Wrong(field.full_name(), "BY_KEY is for a repeated message or a map");
    }
    const std::string name = field.is_map() ? "key" : field.options().GetExtension(zhibu::key);
    if (name.empty()) return Wrong(field.full_name(), "BY_KEY needs (zhibu.key)");
    const FieldDescriptor* key = field.message_type()->FindFieldByName(name);
    if (key == nullptr || key->is_repeated() ||
        !(IsInteger(*key) || IsText(*key) || key->enum_type() != nullptr)) {
      return Wrong(field.full_name(),
                   absl::StrCat("the key ", name, " is not an integer, string or enum of ",
                                field.message_type()->full_name()));
    }
    rule->key_number = static_cast<uint32_t>(key->number());
    const auto [it, fresh] = elements_.try_emplace(field.message_type(), nullptr);
    if (fresh) {
      Fields* fields = it->second = &schema_.elements_.emplace_back();
      if (auto status = AddFields(*field.message_type(), fields); !status.ok()) return status;
      if (fields->Find(rule->key_number)->policy != LATEST) {
        return Wrong(key->full_name(), "a key cannot change, so it has no policy");
      }
      for (const FieldRule& inner : fields->rules()) {
        if (inner.taken_by.empty() && inner.at_host.empty() &&
            !HasAuthority(inner.descriptor->options()))
          continue;
        return Wrong(inner.descriptor->full_name(),
                     "who may write is for a field of the record itself, not of an element");
      }
    }
    rule->element = elements_.at(field.message_type());
    return absl::OkStatus();
  }

  static void FindLastWords(FieldRule* rule) {
    const auto others_take = [&](int state) {
      const auto takers = rule->taken_by.find(state);
      return takers != rule->taken_by.end() &&
             (takers->second & ~(BitOf(ABOVE) | BitOf(PERSON))) == 0;
    };
    for (const auto& taken : rule->taken_by) {
      const int state = taken.first;
      const bool goes_on = std::any_of(
          rule->steps.begin(), rule->steps.end(),
          [&](const auto& step) { return step.first == state && !others_take(step.second); });
      if (others_take(state) && !goes_on) rule->last_words.insert(state);
    }
  }

  static void FindAsked(FieldRule* rule) {
    const auto above_takes = [&](int state) {
      const auto takers = rule->taken_by.find(state);
      return takers != rule->taken_by.end() && (takers->second & BitOf(ABOVE)) != 0;
    };
    for (bool found = true; found;) {
      found = false;
      for (const auto& [from, to] : rule->steps) {
        if (above_takes(to)) {
          found |= rule->asked_in.insert(to).second;
          found |= from != 0 && rule->asked_in.insert(from).second;
        }
        if (rule->asked_in.contains(from)) found |= rule->asked_in.insert(to).second;
      }
    }
  }

  absl::Status FillSteps(const FieldDescriptor& field, FieldRule* rule) {
    const EnumDescriptor* states = field.enum_type();
    if (states == nullptr || field.is_repeated()) {
      return Wrong(field.full_name(), "FORWARD is for a single enum");
    }
    for (int i = 0; i < states->value_count(); ++i) {
      const auto& from = *states->value(i);
      const uint32_t places = BitsOf(from.options().GetRepeatedExtension(zhibu::taken_by));
      if (places != 0) {
        rule->taken_by[from.number()] = places;
      }
      const HostSight sight = from.options().GetExtension(zhibu::at_host);
      if (sight != HOST_SEES_ALL) rule->at_host[from.number()] = sight;
      for (int n = 0; n < from.options().ExtensionSize(zhibu::next); ++n) {
        const std::string& name = from.options().GetExtension(zhibu::next, n);
        const auto* to = states->FindValueByName(name);
        if (to == nullptr) {
          return Wrong(
              from.full_name(),
              absl::StrCat("next names ", name, ", which is no value of ", states->full_name()));
        }
        rule->steps.insert({from.number(), to->number()});
      }
    }
    if (rule->steps.empty())
      return Wrong(states->full_name(), "FORWARD needs declared steps (zhibu.next)");
    FindLastWords(rule);
    FindAsked(rule);
    return absl::OkStatus();
  }

  Schema& schema_;
  std::vector<FieldRule*> companions_;  // whose kept_with is to be found
  std::vector<FieldRule*> referring_;   // whose refers_to is
  std::set<const FileDescriptor*> files_;
  absl::flat_hash_map<const Descriptor*, Fields*> elements_;
};

uint32_t BytesMaxOf(const FieldDescriptor& field) {
  constexpr uint32_t kTextBytes = 64 << 10;
  constexpr uint32_t kIdBytes = 16;
  const FieldOptions& options = field.options();
  if (options.HasExtension(zhibu::bytes_max)) return options.GetExtension(zhibu::bytes_max);
  return field.type() == FieldDescriptor::TYPE_BYTES ? kIdBytes : kTextBytes;
}

const FieldRule* Fields::FindFar(uint32_t number) const {
  const auto it =
      std::lower_bound(rules_.begin(), rules_.end(), number,
                       [](const FieldRule& rule, uint32_t n) { return rule.number < n; });
  return it != rules_.end() && it->number == number ? &*it : nullptr;
}

absl::StatusOr<std::shared_ptr<const Schema>> Schema::Compile(
    absl::Span<const FileDescriptor* const> files) {
  std::shared_ptr<Schema> schema(new Schema());
  SchemaCompiler compiler(schema.get());
  for (const FileDescriptor* file : files) {
    if (auto status = compiler.AddFile(*file); !status.ok()) return status;
  }
  if (auto status = compiler.BindTypes(); !status.ok()) return status;
  return schema;
}

const FieldRule* RecordType::Keeper() const {
  const FieldRule* keeper = nullptr;
  for (const FieldRule& rule : fields.rules()) {
    if (rule.place != OWNER) continue;
    if (keeper != nullptr || rule.descriptor->is_repeated()) return nullptr;
    keeper = &rule;
  }
  return keeper;
}

const RecordType* Schema::Find(uint32_t type) const {
  const auto it = by_number_.find(type);
  return it == by_number_.end() ? nullptr : it->second;
}

const RecordType* Schema::FindByName(absl::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

const RecordType* Schema::Find(const Descriptor* descriptor) const {
  const RecordType* type = FindByName(std::string(descriptor->name()));
  return type != nullptr && type->descriptor == descriptor ? type : nullptr;
}

std::shared_ptr<const Schema> CatalogueSchema() {
  static const auto schema = [] {
    auto compiled = Schema::Compile({records::v1::Catalogue::descriptor()->file()});
    return std::move(compiled).value();
  }();
  return schema;
}

}  // namespace zhibu
