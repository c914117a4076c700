// Whom the server lets see a record because of where its keeper stands among organisations.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/authority.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::sim {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

using Made = std::map<RecordKey, Expected>;

std::set<std::string> ValuesOf(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return {reflection.GetString(message, &field)};
  std::set<std::string> values;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    values.insert(reflection.GetRepeatedString(message, &field, i));
  }
  return values;
}

bool AboveTakes(const EnumValueDescriptor& state) {
  const auto& takers = state.options().GetRepeatedExtension(zhibu::taken_by);
  return std::count(takers.begin(), takers.end(), ABOVE) > 0;
}

std::vector<const EnumValueDescriptor*> NextOf(const EnumValueDescriptor& state) {
  std::vector<const EnumValueDescriptor*> next;
  for (const std::string& name : state.options().GetRepeatedExtension(zhibu::next)) {
    next.push_back(state.type()->FindValueByName(name));
  }
  return next;
}

bool Leads(const EnumValueDescriptor& from, const EnumValueDescriptor& to,
           std::set<const EnumValueDescriptor*>* seen) {
  if (&from == &to) return true;
  if (!seen->insert(&from).second) return false;
  const auto next = NextOf(from);
  return std::any_of(next.begin(), next.end(),
                     [&](const EnumValueDescriptor* one) { return Leads(*one, to, seen); });
}

// Whether it has come to a state, by now or before, from which somebody above steps on; of what
// they take no step in, always.
bool IsAsked(const Message& record) {
  const auto* type = record.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    if (field.options().GetExtension(zhibu::merge) != FORWARD) continue;
    const EnumValueDescriptor& now = *record.GetReflection()->GetEnum(record, &field);
    bool takes = false;
    for (int j = 1; j < now.type()->value_count(); ++j) {
      const EnumValueDescriptor& state = *now.type()->value(j);
      const auto next = NextOf(state);
      const bool asks =
          AboveTakes(state) ||
          std::any_of(next.begin(), next.end(), [](const auto* one) { return AboveTakes(*one); });
      takes = takes || asks;
      std::set<const EnumValueDescriptor*> seen;
      if (asks && Leads(state, now, &seen)) return true;
    }
    if (takes) return false;
  }
  return true;
}

}  // namespace

void Ledger::JudgeSent(const Row& row, const Made& made) {
  for (const auto& [key, expected] : made) {
    const Message& is = *expected.message;
    const auto* type = is.GetDescriptor();
    if (expected.unclear || !expected.alive ||
        type->options().GetExtension(zhibu::record).made_by_server()) {
      continue;
    }
    const Record* record = Find(key);
    const Message* was = record == nullptr ? nullptr : record->expected.message.get();
    Id keeper;
    for (const auto& [scope, place] : PlacesIn(is, key.id)) {
      if (place == OWNER) keeper = scope;
    }
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      const auto& options = field.options();
      const std::string& named = options.GetExtension(zhibu::sent_to);
      const bool above = options.GetExtension(zhibu::place) == ABOVE &&
                         options.GetExtension(zhibu::merge) == SERVER;
      if (named.empty() && !above) continue;
      const auto before = was == nullptr ? std::set<std::string>() : ValuesOf(*was, field);
      for (const std::string& one : ValuesOf(is, field)) {
        if (before.count(one) > 0) continue;
        const Id organisation = *Id::FromBytes(one);
        const bool right = above ? IsAsked(is) && SuperiorOf(keeper) == organisation
                                 : ValuesOf(is, *type->FindFieldByName(named)).count(one) > 0 &&
                                       organisation != keeper &&
                                       AboveOf(organisation).count(keeper) > 0;
        if (right) continue;
        Doubt(row.audit, kAuthority,
              absl::StrCat(NameOf(key), ": ", field.name(), " is not theirs"), key);
      }
    }
  }
}

}  // namespace zhibu::sim
