// Any descriptors in place of a schema: what is not refused must lead a merge.
//
//   input = serialised FileDescriptorSet, where unknown fields hold the bytes of edits
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "sync/wire/record.h"
#include "tests/fuzz/choices.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::test {
namespace {

using google::protobuf::DescriptorPool;

// The pool would tell of every fault on the standard error.
class Silent : public DescriptorPool::ErrorCollector {
  void AddError(const std::string&, const std::string&, const google::protobuf::Message*,
                ErrorLocation, const std::string&) override {}
};

void Use(const Schema& schema, const RecordType& type, Choices* in) {
  sync::v1::Change change;
  change.set_type(type.number);
  change.set_id(Id().str());
  change.set_kind(sync::v1::Change::CREATE);
  RecordState state;
  for (uint64_t version = 1; version < 4; ++version) {
    const std::string before = state.body;
    change.set_set(std::string(in->Bytes()));
    *change.mutable_without() = in->Without(type.fields);
    if (!CheckChange(schema, change).ok()) continue;
    Outcome outcome;
    const Origin origin{DeviceNumber(version), Version(version), Stamp(version)};
    if (!Apply(&type, change, origin, &state, &outcome).ok()) continue;
    for (const Conflict& conflict : outcome.conflicts) JsonOf(conflict.rule, conflict.lost);
    PlacesOf(type, Id(), state.body);
    ReadersOf(schema, type, state.body);
    (void)CheckRecord(type, Id(), state.body);
    sync::v1::Change back;
    Diff(type, state.body, before, &back);
    change.set_kind(sync::v1::Change::UPDATE);
  }
}

void Compile(const google::protobuf::FileDescriptorSet& set, Choices* in) {
  // The options and Timestamp are those that this program is compiled with.
  DescriptorPool pool(DescriptorPool::generated_pool());
  Silent silent;
  std::vector<const google::protobuf::FileDescriptor*> files;
  for (const auto& file : set.file()) {
    if (const auto* built = pool.BuildFileCollectingErrors(file, &silent)) files.push_back(built);
  }
  const auto schema = Schema::Compile(files);
  if (!schema.ok()) {
    EXPECT_EQ(schema.status().code(), absl::StatusCode::kInvalidArgument);
    return;
  }
  for (const RecordType& type : (*schema)->types()) {
    EXPECT_EQ((*schema)->Find(type.number), &type);
    Use(**schema, type, in);
  }
}

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zhibu::records::v1::Catalogue::descriptor();  // and with it the options are linked
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(data, static_cast<int>(size))) return 0;
  std::string edits;
  for (int i = 0; i < set.unknown_fields().field_count(); ++i) {
    const auto& field = set.unknown_fields().field(i);
    if (field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      edits += field.length_delimited();
    }
  }
  zhibu::test::Choices in(reinterpret_cast<const uint8_t*>(edits.data()), edits.size());
  zhibu::test::Compile(set, &in);
  return 0;
}
