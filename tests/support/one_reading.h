// The law of sync/wire/canonical.h, asked of any change:
//
//   CheckChange(change).ok()  ⇒  protobuf, the merge's slots, the places, the states and
//                                the derived id read the same values, and writing what
//                                was read gives the same bytes
#ifndef ZHIBU_TESTS_SUPPORT_ONE_READING_H_
#define ZHIBU_TESTS_SUPPORT_ONE_READING_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "sync/wire/canonical.h"
#include "sync/wire/record.h"
#include "sync/wire/scalar.h"
#include "sync/wire/slots.h"
#include "sync/wire/value.h"

namespace zhibu::test {

// Maps in one order, unknown fields last.
inline std::string WrittenAgain(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return bytes;
}

// What a MAX or MIN says with zero, a message says by leaving it out.
inline std::string WithoutZeros(const RecordType& type, absl::string_view set) {
  Slots slots;
  slots.Parse(type.fields, set);
  for (const FieldRule& rule : type.fields.rules()) {
    const bool may = (rule.policy == MAX || rule.policy == MIN) && !rule.descriptor->has_presence();
    if (may && !merging::ScalarOf(rule, slots.Get(rule.slot)).is_nonzero())
      slots.Set(rule.slot, {});
  }
  return slots.Join();
}

inline void ExpectReadAlike(const FieldRule& rule, absl::string_view set,
                            const google::protobuf::Message& typed) {
  using google::protobuf::FieldDescriptor;
  const FieldDescriptor& field = *rule.descriptor;
  const auto& reflection = *typed.GetReflection();
  if (field.is_repeated()) return;
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    EXPECT_EQ(EnumOf(rule, set), reflection.GetEnumValue(typed, &field)) << field.full_name();
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const auto value = LastOf(field, set);
    EXPECT_EQ(value ? std::string(value->payload) : "", reflection.GetString(typed, &field))
        << field.full_name();
  } else if (field.type() == FieldDescriptor::TYPE_UINT32) {
    const auto value = LastOf(field, set);
    EXPECT_EQ(value ? value->scalar : 0, reflection.GetUInt32(typed, &field)) << field.full_name();
  } else if (field.type() == FieldDescriptor::TYPE_INT64) {
    EXPECT_EQ(static_cast<int64_t>(merging::ScalarOf(rule, set).number),
              reflection.GetInt64(typed, &field))
        << field.full_name();
  }
}

inline std::set<std::string> TypedPlaces(const RecordType& type, const Id& id,
                                         const google::protobuf::Message& typed) {
  std::set<std::string> places;
  if (type.own_scope != NOWHERE) places.insert(id.str());
  const auto& reflection = *typed.GetReflection();
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.place == NOWHERE) continue;
    const auto add = [&](const std::string& value) {
      if (Id::FromBytes(value)) places.insert(value);
    };
    if (!rule.descriptor->is_repeated()) add(reflection.GetString(typed, rule.descriptor));
    const int size =
        rule.descriptor->is_repeated() ? reflection.FieldSize(typed, rule.descriptor) : 0;
    for (int i = 0; i < size; ++i) add(reflection.GetRepeatedString(typed, rule.descriptor, i));
  }
  return places;
}

// Whether the change is taken.
inline bool ExpectOneReading(const Schema& schema, const sync::v1::Change& change) {
  if (!CheckChange(schema, change).ok()) return false;
  const RecordType& type = *schema.Find(change.type());
  const std::unique_ptr<google::protobuf::Message> typed(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  EXPECT_TRUE(typed->ParseFromString(change.set())) << type.name;
  EXPECT_EQ(Canonical(type.fields, change.set()), change.set()) << type.name;
  EXPECT_EQ(Canonical(type.fields, WrittenAgain(*typed)), WithoutZeros(type, change.set()))
      << type.name;
  for (const FieldRule& rule : type.fields.rules()) ExpectReadAlike(rule, change.set(), *typed);
  const Id id = *Id::FromBytes(change.id());
  std::set<std::string> places;
  for (const Placed& placed : PlacesOf(type, id, change.set())) places.insert(placed.scope.str());
  EXPECT_EQ(places, TypedPlaces(type, id, *typed)) << type.name;
  if (!type.id_from.empty()) {
    EXPECT_EQ(DeriveId(type, change.set()), DeriveId(type, WrittenAgain(*typed)));
  }
  return true;
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_ONE_READING_H_
