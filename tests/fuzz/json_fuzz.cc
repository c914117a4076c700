// What people write on the command line about a record: JSON, and assignments to lists.
// What is taken must be a message that can be kept and shown.
//
//   input = which type, what to do, text …
#include <gtest/gtest.h>

#include "client-core/cli/patch.h"
#include "client-core/store/match.h"
#include "sync/wire/shown.h"
#include "sync/wire/worded.h"
#include "tests/fuzz/choices.h"
#include "tests/support/world.h"

namespace zhibu::test {
namespace {

using google::protobuf::Message;

std::unique_ptr<Message> Blank(const RecordType& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
}

// A device on which nothing is recorded: every name is nobody's.
client::Names& Nobody() {
  static Directory folder;
  static const std::unique_ptr<client::Store> store =
      client::Store::Open({.file = folder.NewFile(), .schema = WideSchema()}).value();
  static client::Names names(*store, Language::kChinese);
  return names;
}

// As the command line would not take it from "@FILE" or what comes in.
absl::Status PatchBy(const std::string& text, const RecordType& type, Message* message) {
  if (text == "-" || (!text.empty() && text[0] == '@')) return absl::OkStatus();
  const auto said = client::Spoken(text, {}, *type.descriptor, Nobody());
  return said.ok() ? client::Patch(*said, message) : said.status();
}

absl::Status Do(Choices* in, const RecordType& type, Message* message) {
  const uint8_t what = in->Byte();
  const std::string text(in->Bytes());
  switch (what % 4) {
    case 0:
      return PatchBy(text, type, message);
    case 1:
      return client::AddElement(text, Nobody(), message);
    case 2:
      return client::RemoveElement(text, Nobody(), message);
    default:
      return client::FieldMatches(
                 *message,
                 type.fields.rules()[in->Below(type.fields.rules().size())].descriptor->name(),
                 text)
          .status();
  }
}

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  using namespace zhibu::test;
  Choices in(data, size);
  const RecordType& type = in.Type(*WideSchema());
  const auto message = Blank(type);
  while (!in.done()) {
    const auto status = Do(&in, type, message.get());
    EXPECT_TRUE(status.ok() || !status.message().empty());
    const auto kept = Blank(type);
    EXPECT_TRUE(kept->ParseFromString(message->SerializeAsString())) << status;
    Lines(*kept, {Language::kChinese, nullptr});
    const auto shown = Blank(type);
    // Some messages have no JSON form: a Timestamp of the year 20000.
    if (const std::string json = ToJson(*kept); json != "{}") {
      EXPECT_EQ(FromJson(json, shown.get()), absl::OkStatus()) << json;
      EXPECT_EQ(ToJson(*shown), json);
    }
  }
  return 0;
}
