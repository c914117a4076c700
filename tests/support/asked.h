// Whether a superior has been asked by a record, as declared (zhibu.next, zhibu.taken_by): for what
// judges the product without its code.
#ifndef ZHIBU_TESTS_SUPPORT_ASKED_H_
#define ZHIBU_TESTS_SUPPORT_ASKED_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::test {

inline bool AboveTakes(const google::protobuf::EnumValueDescriptor& state) {
  const auto& takers = state.options().GetRepeatedExtension(zhibu::taken_by);
  return std::count(takers.begin(), takers.end(), ABOVE) > 0;
}

inline std::vector<const google::protobuf::EnumValueDescriptor*> NextStatesOf(
    const google::protobuf::EnumValueDescriptor& state) {
  std::vector<const google::protobuf::EnumValueDescriptor*> next;
  for (const std::string& name : state.options().GetRepeatedExtension(zhibu::next)) {
    next.push_back(state.type()->FindValueByName(name));
  }
  return next;
}

inline bool Leads(const google::protobuf::EnumValueDescriptor& from,
                  const google::protobuf::EnumValueDescriptor& to,
                  std::set<const google::protobuf::EnumValueDescriptor*>* seen) {
  if (&from == &to) return true;
  if (!seen->insert(&from).second) return false;
  const auto next = NextStatesOf(from);
  return std::any_of(
      next.begin(), next.end(),
      [&](const google::protobuf::EnumValueDescriptor* one) { return Leads(*one, to, seen); });
}

// Whether it has come to a state, by now or before, from which somebody above steps on; of what
// they take no step in, always.
inline bool IsAsked(const google::protobuf::Message& record) {
  const auto* type = record.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type->field(i);
    if (field.options().GetExtension(zhibu::merge) != FORWARD) continue;
    const google::protobuf::EnumValueDescriptor& now =
        *record.GetReflection()->GetEnum(record, &field);
    bool takes = false;
    for (int j = 1; j < now.type()->value_count(); ++j) {
      const google::protobuf::EnumValueDescriptor& state = *now.type()->value(j);
      const auto next = NextStatesOf(state);
      const bool asks =
          AboveTakes(state) ||
          std::any_of(next.begin(), next.end(), [](const auto* one) { return AboveTakes(*one); });
      takes = takes || asks;
      std::set<const google::protobuf::EnumValueDescriptor*> seen;
      if (asks && Leads(state, now, &seen)) return true;
    }
    if (takes) return false;
  }
  return true;
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_ASKED_H_
