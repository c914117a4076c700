// Fuzzed bytes as a source of choices, so that a fuzzer's input is a story: what
// happens, to which record, with which values. A story that is cut off goes on
// with zeros; one byte changed changes one choice.
//
//   Choices in(data, size);
//   while (!in.done()) {
//     switch (in.Below(3)) …
//     change.set_base(in.Number());
//     *change.mutable_set() = in.Body(type, ids);
//   }
#ifndef ZHIBU_TESTS_FUZZ_CHOICES_H_
#define ZHIBU_TESTS_FUZZ_CHOICES_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::test {

class Choices {
 public:
  // `ids`: those that records are likely to name. `data` must outlive this.
  Choices(const uint8_t* data, size_t size, std::vector<Id> ids = {})
      : rest_(reinterpret_cast<const char*>(data), size), ids_(std::move(ids)) {}

  bool done() const { return rest_.empty(); }
  uint8_t Byte();
  bool Coin() { return (Byte() & 1) != 0; }
  uint32_t Below(uint32_t n) { return Byte() % n; }
  // Mostly small, else one of the edges, or any.
  uint64_t Number();
  // As long as its first byte says.
  absl::string_view Bytes();

  // Mostly short and one of a few, so that values meet.
  std::string Text();
  Id AnId();
  void Knows(const Id& id) { ids_.push_back(id); }

  // Mostly the one that has every policy (tests/proto/policies.proto).
  const RecordType& Type(const Schema& schema);
  // A record of the type, or a part of one; now and then bytes that are none.
  std::string Body(const RecordType& type);
  void Fill(google::protobuf::Message* message, int depth = 0);
  sync::v1::Without Without(const Fields& fields, int depth = 0);
  // Of a record that the caller names.
  void Fill(const RecordType& type, sync::v1::Change* change);

 private:
  void FillField(google::protobuf::Message* message, const google::protobuf::FieldDescriptor& field,
                 int depth);

  absl::string_view rest_;
  std::vector<Id> ids_;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_FUZZ_CHOICES_H_
