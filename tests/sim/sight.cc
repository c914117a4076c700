#include "tests/sim/sight.h"

#include <algorithm>
#include <set>

#include "tests/sim/bytes.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::sim {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

template <typename Offices>
uint32_t Bits(const Offices& offices) {
  uint32_t bits = 0;
  for (const int office : offices) bits |= 1u << office;
  return bits;
}

uint32_t SeenBy(const FieldDescriptor& field) {
  const auto& offices = field.options().GetRepeatedExtension(zhibu::seen_by);
  return Bits(offices.empty()
                  ? field.containing_type()->options().GetExtension(zhibu::record).readers()
                  : google::protobuf::RepeatedField<int>(offices.begin(), offices.end()));
}

uint32_t WrittenBy(const FieldDescriptor& field) {
  const auto& offices = field.options().GetRepeatedExtension(zhibu::written_by);
  return Bits(offices.empty()
                  ? field.containing_type()->options().GetExtension(zhibu::record).writers()
                  : google::protobuf::RepeatedField<int>(offices.begin(), offices.end()));
}

bool StaysHome(const FieldDescriptor& field) {
  return field.options().GetExtension(zhibu::home_only) ||
         field.options().GetExtension(zhibu::sensitive);
}

// The field that says it; null: hosts see all in every state.
const FieldDescriptor* StateForHosts(const google::protobuf::Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* states = type.field(i)->enum_type();
    if (states == nullptr || type.field(i)->options().GetExtension(zhibu::merge) != FORWARD) {
      continue;
    }
    for (int n = 0; n < states->value_count(); ++n) {
      if (states->value(n)->options().HasExtension(zhibu::at_host)) return type.field(i);
    }
  }
  return nullptr;
}

// Not before the host has taken the record.
bool ComesLater(const FieldDescriptor& field) {
  const auto& options = field.options();
  return StateForHosts(*field.containing_type()) != nullptr &&
         !options.GetExtension(zhibu::shown_when_asked) && !options.GetExtension(zhibu::required) &&
         options.GetExtension(zhibu::place) == NOWHERE &&
         options.GetExtension(zhibu::merge) != FORWARD;
}

bool Has(const Sight& sight, uint32_t offices, bool stays_home) {
  return (sight.home & offices) != 0 || (!stays_home && (sight.host & offices) != 0);
}

}  // namespace

HostSight AtHost(const Message& message) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> filled;
  reflection.ListFields(message, &filled);
  for (const FieldDescriptor* field : filled) {
    if (field->options().GetExtension(zhibu::taken_by_host)) return HOST_SEES_ALL;
  }
  const FieldDescriptor* state = StateForHosts(*message.GetDescriptor());
  if (state == nullptr) return HOST_SEES_ALL;
  return reflection.GetEnum(message, state)->options().GetExtension(zhibu::at_host);
}

Sight SightOn(const Message& message, Sight sight) {
  const HostSight at_host = AtHost(message);
  if (at_host == HOST_SEES_NOTHING) sight.host = 0;
  sight.asked = at_host == HOST_IS_ASKED;
  return sight;
}

bool Restricted(const FieldDescriptor& field) {
  return StaysHome(field) || ComesLater(field) ||
         field.options().ExtensionSize(zhibu::seen_by) > 0 ||
         field.options().ExtensionSize(zhibu::written_by) > 0;
}

bool HasRestricted(const google::protobuf::Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (Restricted(*type.field(i))) return true;
  }
  return false;
}

bool Sees(const Sight& sight, const FieldDescriptor& field) {
  return Has(sight, SeenBy(field), StaysHome(field) || (sight.asked && ComesLater(field)));
}

bool MayWrite(const Sight& sight, const FieldDescriptor& field) {
  return Has(sight, SeenBy(field) & WrittenBy(field),
             StaysHome(field) || (sight.asked && ComesLater(field)));
}

std::vector<const FieldDescriptor*> WrittenIn(const sync::v1::Change& change,
                                              const google::protobuf::Descriptor& type) {
  std::set<uint32_t> numbers;
  for (const Piece& piece : PiecesOf(change.set()).value_or(std::vector<Piece>())) {
    numbers.insert(piece.number);
  }
  const auto& without = change.without();
  numbers.insert(without.cleared().begin(), without.cleared().end());
  for (const auto& removed : without.removed()) numbers.insert(removed.field());
  for (const auto& nested : without.nested()) numbers.insert(nested.field());
  std::vector<const FieldDescriptor*> written;
  for (const uint32_t number : numbers) {
    const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(number));
    if (field != nullptr) written.push_back(field);
  }
  return written;
}

std::vector<std::string> SensitiveIn(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::vector<std::string> labels;
  for (const FieldDescriptor* field : fields) {
    if (!field->options().GetExtension(zhibu::sensitive)) continue;
    labels.push_back(field->options().GetExtension(zhibu::label));
  }
  return labels;
}

void Hide(const Sight& sight, Message* message) {
  const auto* descriptor = message->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (Restricted(*field) && !Sees(sight, *field)) {
      message->GetReflection()->ClearField(message, field);
    }
  }
}

}  // namespace zhibu::sim
