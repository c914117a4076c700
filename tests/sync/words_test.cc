// Every type, field and value of the catalogue has Chinese words, and English ones that
// follow from its name and read like words.
#include "sync/base/words.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "sync/schema/schema.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using records::v1::DevelopmentCase;
using records::v1::Member;

TEST(English, FollowsFromNames) {
  EXPECT_EQ(EnglishOf("DevelopmentCase"), "Development case");
  EXPECT_EQ(EnglishOf("Meeting"), "Meeting");
  const auto field = [](const char* name) {
    return WordsOf(*DevelopmentCase::descriptor()->FindFieldByName(name), Language::kEnglish);
  };
  EXPECT_EQ(field("lead_branch_id"), "lead branch");
  EXPECT_EQ(field("superior_ids"), "superiors");
  EXPECT_EQ(field("second_branch_ids"), "second branches");
  EXPECT_EQ(field("probation_end"), "probation end");
  EXPECT_EQ(
      WordsOf(*Member::Sex_descriptor()->FindValueByNumber(Member::NOT_STATED), Language::kEnglish),
      "not stated");
}

TEST(Chinese, IsWhatIsDeclared) {
  EXPECT_EQ(WordsOf(*DevelopmentCase::descriptor(), Language::kChinese), "发展党员档案");
  EXPECT_EQ(WordsOf(*Member::Sex_descriptor()->FindValueByNumber(Member::MALE), Language::kChinese),
            "男");
}

// Of everything that people are shown.
class Shown {
 public:
  explicit Shown(const std::function<void(const std::string& name, const std::string& zh,
                                          const std::string& en)>& visit)
      : visit_(visit) {
    for (const RecordType& type : CatalogueSchema()->types()) LookAt(*type.descriptor);
  }

 private:
  void LookAt(const Descriptor& message) {
    if (!seen_.insert(message.full_name()).second || message.well_known_type() != 0) return;
    if (message.options().HasExtension(zhibu::record)) Visit(message.full_name(), message);
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& field = *message.field(i);
      Visit(field.full_name(), field);
      if (field.message_type() != nullptr) LookAt(*field.message_type());
      if (field.enum_type() != nullptr) LookAt(*field.enum_type());
    }
  }
  void LookAt(const EnumDescriptor& values) {
    if (!seen_.insert(values.full_name()).second) return;
    for (int i = 0; i < values.value_count(); ++i) {
      const auto& value = *values.value(i);
      if (value.number() != 0) Visit(value.full_name(), value);  // 0 is shown nowhere
    }
  }
  template <typename T>
  void Visit(const std::string& name, const T& declared) {
    visit_(name, WordsOf(declared, Language::kChinese), WordsOf(declared, Language::kEnglish));
  }

  const std::function<void(const std::string&, const std::string&, const std::string&)>& visit_;
  std::set<std::string> seen_;
};

TEST(Words, OfEverythingAreChineseWhereTheyAreToBe) {
  Shown([](const std::string& name, const std::string& zh, const std::string& en) {
    EXPECT_NE(zh, en) << name << " has no Chinese words";
    EXPECT_TRUE(std::any_of(zh.begin(), zh.end(), [](char c) { return (c & 0x80) != 0; })) << name;
  });
}

// Or is a number.
bool HasVowel(const std::string& word) {
  return word.find_first_of("aeiouy0123456789") != std::string::npos;
}

TEST(Words, OfEverythingAreWholeInEnglish) {
  static const std::set<std::string> kCutShort = {
      "addr", "amt",  "app",  "attr", "avg",  "cat", "cfg", "cnt",  "dept", "desc",
      "dev",  "doc",  "edu",  "emp",  "id",   "ids", "idx", "info", "max",  "min",
      "misc", "msg",  "no",   "nr",   "num",  "obj", "org", "para", "pct",  "pos",
      "pref", "prev", "proc", "prof", "qty",  "rec", "ref", "reg",  "rel",  "res",
      "resp", "sec",  "sig",  "spec", "stat", "std", "tel", "temp", "val",  "vol"};
  int words = 0;
  Shown([&](const std::string& name, const std::string&, const std::string& en) {
    const std::vector<std::string> all = absl::StrSplit(en, ' ');
    for (const std::string& word : all) {
      ++words;
      EXPECT_EQ(kCutShort.count(word), 0u) << name << ": " << word;
      EXPECT_TRUE(word.size() == 1 || HasVowel(word) || word == "qr") << name << ": " << word;
      EXPECT_LE(word.size(), 17u) << name << ": " << word;
    }
  });
  EXPECT_GT(words, 1500);
}

}  // namespace
}  // namespace zhibu
