// One reading of whatever is taken: changes of every type, honest ones with bytes put in,
// taken out and turned over, and bytes that nobody has written.
//
//   input = which type, a change, where to spoil it …
#include "sync/merge/diff.h"
#include "tests/fuzz/choices.h"
#include "tests/support/one_reading.h"
#include "tests/support/world.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::test {
namespace {

void Spoil(Choices* in, std::string* bytes) {
  const size_t at = bytes->empty() ? 0 : in->Number() % bytes->size();
  switch (in->Below(5)) {
    case 0:
      bytes->insert(at, std::string(in->Bytes()));
      return;
    case 1:
      bytes->erase(at, 1 + in->Below(8));
      return;
    case 2:
      if (!bytes->empty()) (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << in->Below(8)));
      return;
    case 3:
      *bytes += *bytes;
      return;
    default:
      bytes->append(std::string(in->Bytes()));
  }
}

void Once(Choices* in) {
  const auto schema = WideSchema();
  const RecordType& type = in->Type(*schema);
  sync::v1::Change change;
  change.set_id(Id().str());
  in->Fill(type, &change);
  if (in->Coin()) change.set_set(Canonical(type.fields, change.set()));
  for (uint32_t n = in->Below(4); n > 0; --n) Spoil(in, change.mutable_set());
  ExpectOneReading(*schema, change);
  const std::string bytes(in->Bytes());
  sync::v1::Edit edit;
  if (CheckCanonicalMessage(*sync::v1::Edit::descriptor(), bytes).ok()) {
    EXPECT_TRUE(edit.ParseFromString(bytes));
  }
}

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zhibu::test::Choices in(data, size);
  while (!in.done()) zhibu::test::Once(&in);
  return 0;
}
