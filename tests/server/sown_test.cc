// What was written in a field before any version declared it.
#include "server/feed/sown.h"

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/feed/incarnation.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "sync/wire/value.h"
#include "sync/wire/wire.h"
#include "tests/support/village.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::test {
namespace {

using google::protobuf::FieldDescriptor;
using server::Reader;
using server::Writer;

class Sown : public Village {
 protected:
  Sown() { record.touch = {Version(1), DeviceNumber(2), Stamp(1)}; }

  static std::string ValueOf(const FieldRule& rule) {
    std::string raw;
    const bool bytes =
        rule.descriptor->is_packed() || WireTypeOf(*rule.descriptor) == wire::Type::kBytes;
    if (bytes) {
      wire::AppendBytesField(rule.number, rule.descriptor->message_type() ? "" : "\1", &raw);
    } else {
      wire::AppendVarintField(rule.number, 1, &raw);
    }
    return raw;
  }
  // In the body, in what the merge remembers, in a former life.
  void Write(const RecordType& type, const std::string& body, uint32_t field) {
    record.exists = true;
    record.body = body;
    sync::v1::Trace trace;
    trace.add_fields()->set_field(field);
    auto* life = trace.add_former_lives();
    life->set_body(body);
    life->mutable_trace()->add_fields()->set_field(field);
    record.trace = trace.SerializeAsString();
    EXPECT_EQ(world.store().Write([&](Writer& writer) {
      return writer.PutRecord({type.number, id}, record, {}, {});
    }),
              absl::OkStatus());
  }
  RecordState Read(const RecordType& type) {
    RecordState state;
    EXPECT_EQ(world.store().Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(state, reader.GetRecord({type.number, id}));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return state;
  }
  bool Clear(const std::set<std::string>& before) {
    bool any = false;
    EXPECT_EQ(world.store().Write([&](Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(any, server::ClearSown(writer, *world.schema(), before));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return any;
  }

  const Id id = *Id::FromBytes(std::string(16, 'x'));
  RecordState record;
};

TEST_F(Sown, InEveryFieldOfEveryTypeThatAnUpdateDeclaresItBecomesNobodysPlaceNorTheServersWord) {
  const std::set<std::string> all = server::FieldsOf(*world.schema());
  int cleared = 0;
  for (const RecordType& type : world.schema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      std::set<std::string> before = all;
      ASSERT_EQ(before.erase(absl::StrCat(type.number, ".", rule.number)), 1u);
      std::string newer;
      wire::AppendVarintField(400'000, 1, &newer);
      Write(type, ValueOf(rule) + newer, rule.number);
      const RecordState was = Read(type);
      EXPECT_EQ(Clear(before), rule.special) << rule.descriptor->full_name();
      const RecordState is = Read(type);
      if (!rule.special) {
        EXPECT_EQ(is.body, was.body) << "a plain field keeps what a newer app wrote";
        EXPECT_EQ(is.trace, was.trace);
        continue;
      }
      ++cleared;
      EXPECT_EQ(is.body, newer) << rule.descriptor->full_name();
      sync::v1::Trace trace;
      ASSERT_TRUE(trace.ParseFromString(is.trace));
      EXPECT_TRUE(trace.fields().empty()) << rule.descriptor->full_name();
      EXPECT_EQ(trace.former_lives(0).body(), newer);
      EXPECT_TRUE(trace.former_lives(0).trace().fields().empty());
      EXPECT_EQ(is.touch, was.touch);
      EXPECT_FALSE(Clear(all)) << "once";
    }
  }
  EXPECT_GT(cleared, 50);
}

TEST_F(Sown, InAnElementAsWell) {
  std::set<std::string> before = server::FieldsOf(*world.schema());
  const RecordType& type = *world.schema()->FindByName("Sampler");
  const FieldRule& list = *type.fields.Find(10);
  ASSERT_EQ(before.erase("zhibu.testing.Sampler.Item.3"), 1u);  // votes, a sum
  testing::Sampler::Item item;
  item.set_key("k"), item.set_text("t");
  const std::string rest = item.SerializeAsString();
  item.set_votes(1000);
  item.add_parts()->set_votes(7);
  std::string body;
  wire::AppendBytesField(list.number, item.SerializeAsString(), &body);
  Write(type, body, 2);
  EXPECT_TRUE(Clear(before));
  testing::Sampler left;
  ASSERT_TRUE(left.ParseFromString(Read(type).body));
  EXPECT_EQ(left.by_key(0).text(), "t");
  EXPECT_EQ(left.by_key(0).votes(), 0);
  EXPECT_EQ(left.by_key(0).parts(0).votes(), 0);
}

// Of a database from before anything was written down nobody can tell what was known.
TEST_F(Sown, NothingIsTakenWhereItIsNotKnownWhatWasDeclared) {
  const RecordType& type = *world.schema()->FindByName("Member");
  Write(type, ValueOf(*type.fields.Find(13)), 13);
  EXPECT_FALSE(Clear({}));
}

TEST_F(Sown, AServerThatIsUpdatedClearsItBeforeItServesAndAllReadAnew) {
  const auto setting = [&](const char* name) {
    std::string value;
    EXPECT_EQ(world.store().Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(value, reader.GetSetting(name));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return value;
  };
  const RecordType& type = *world.schema()->FindByName("Member");
  Write(type, ValueOf(*type.fields.Find(13)), 13);  // merged_into_id
  std::string older;
  for (const absl::string_view one : absl::StrSplit(setting("audiences"), ' ')) {
    if (!absl::StartsWith(one, "2.13=")) absl::StrAppend(&older, one, " ");
  }
  EXPECT_EQ(world.store().Write([&](Writer& w) { return w.PutSetting("audiences", older); }),
            absl::OkStatus());
  const std::string incarnation = setting(server::kIncarnation);
  EXPECT_EQ(server::EnsureIncarnation(world.store(), *world.schema(), world.fate().environment()),
            absl::OkStatus());
  EXPECT_EQ(Read(type).body, "");
  EXPECT_NE(setting(server::kIncarnation), incarnation);
}

}  // namespace
}  // namespace zhibu::test
