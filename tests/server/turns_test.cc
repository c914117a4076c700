// Whose edits the writer takes next: told here by order alone, since how long it takes depends
// on the machine.
#include "server/sessions/turns.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

namespace zhibu::server {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Id Named(const std::string& name) {
  return *Id::FromBytes(std::string(name).append(Id::kSize - name.size(), '.'));
}

class TurnsTest : public ::testing::Test {
 protected:
  void Push(const std::string& who, size_t edits, size_t bytes = 300) {
    std::vector<Submitted> push;
    for (size_t i = 0; i < edits; ++i) {
      Submitted& submitted = push.emplace_back();
      submitted.device = DeviceNumber(NumberOf(who));
      submitted.edit.set_number(++last_[who]);
      submitted.edit.set_edit(std::string(bytes, 'x'));
    }
    turns_.Add(
        Named(who), [](const auto&) {}, std::move(push));
  }
  uint32_t NumberOf(const std::string& who) {
    return numbers_.try_emplace(who, static_cast<uint32_t>(numbers_.size()) + 2).first->second;
  }

  // One group is written; an edit of `heavy` takes a second, any other none to speak of.
  // How many of each were in it.
  std::map<std::string, size_t> Write(const std::string& heavy = "") {
    const Turns::Group group = turns_.Take();
    std::map<std::string, size_t> taken;
    std::vector<uint64_t> work;
    auto edit = group.edits.begin();
    for (const Turns::Part& part : group.parts) {
      std::string who;
      for (const auto& [name, number] : numbers_) {
        if (Named(name) == part.whose) who = name;
      }
      taken[who] += part.edits;
      work.push_back(part.edits * (who == heavy ? 40'000 : 12));
      for (size_t i = 0; i < part.edits; ++i, ++edit) {
        EXPECT_EQ(edit->device.value, numbers_[who]);
        EXPECT_EQ(edit->edit.number(), ++written_[who]) << "one after the other";
      }
    }
    EXPECT_EQ(edit, group.edits.end());
    turns_.Took(group, work, std::chrono::seconds(heavy.empty() ? 0 : taken[heavy]) + 1ms);
    return taken;
  }

  Turns turns_;
  std::map<std::string, uint32_t> numbers_;
  std::map<std::string, uint64_t> last_;
  std::map<std::string, uint64_t> written_;
};

TEST_F(TurnsTest, WhatTwentyDevicesBringAtOnceDelaysNobodyElsesEdit) {
  for (int i = 0; i < 20; ++i) Push("bulk " + std::to_string(i), 1000);
  for (int i = 0; i < 5; ++i) {
    Write();
    Push("small", 1);
    EXPECT_EQ(Write()["small"], 1u) << "in the very next group";
  }
}

TEST_F(TurnsTest, OneDevicesHeavyEditsAreTakenOneAtATimeOnceTheyAreKnown) {
  Push("heavy", 1000);
  Push("bulk", 1000);
  EXPECT_LE(Write("heavy")["heavy"], 4u) << "nobody knew";
  for (int i = 0; i < 20; ++i) {
    Push("small", 1);
    const auto taken = Write("heavy");
    EXPECT_LE(taken.count("heavy") == 0 ? 0 : taken.at("heavy"), 1u);
    EXPECT_EQ(taken.count("small"), 1u);
  }
  EXPECT_GE(written_["heavy"], 5u) << "it has its turns too";
}

TEST_F(TurnsTest, WhoseEditsWereHeavyIsKnownWhenItComesBack) {
  Push("heavy", 2);
  Write("heavy");
  ASSERT_FALSE(turns_.Holds(Named("heavy")));
  Push("heavy", 100);
  EXPECT_EQ(Write()["heavy"], 1u);
  for (int i = 0; i < 10; ++i) Write();  // they are no longer
  EXPECT_FALSE(turns_.Holds(Named("heavy")));
  Push("heavy", 100);
  EXPECT_EQ(Write()["heavy"], 4u) << "as anybody";
}

TEST_F(TurnsTest, ThoseWhoCameFirstAreNotKeptWaitingByThoseWhoCome) {
  Push("bulk", 200);
  Write();
  for (int i = 0; i < 40 && turns_.Holds(Named("bulk")); ++i) {
    for (int j = 0; j < 300; ++j) Push("new " + std::to_string(i * 300 + j), 1);
    EXPECT_GE(Write()["bulk"], 1u);
  }
  EXPECT_FALSE(turns_.Holds(Named("bulk")));
}

TEST_F(TurnsTest, EveryEditIsTakenOnceAndNothingIsLeftOver) {
  for (int i = 0; i < 7; ++i) {
    Push("a", static_cast<size_t>(i * 13));
    Push("b", 3, 1 << 20);
    Push("c", 60, 5000);
  }
  EXPECT_GT(turns_.bytes(), size_t{21} << 20);
  while (!turns_.empty()) EXPECT_FALSE(Write().empty());
  EXPECT_EQ(written_, last_);
  EXPECT_EQ(turns_.bytes(), 0u);
  EXPECT_EQ(turns_.work().count(), 0);
  EXPECT_THAT(turns_.Take().edits, IsEmpty());
}

TEST_F(TurnsTest, WhatADeviceSentUponAnEditThatCannotBeWrittenGoesBack) {
  Push("a", 100);
  Push("a", 5);
  Push("b", 3);
  Write();
  EXPECT_THAT(turns_.Drop(Named("a"), DeviceNumber(NumberOf("b"))), IsEmpty());
  EXPECT_THAT(turns_.Drop(Named("a"), DeviceNumber(NumberOf("a"))), SizeIs(2));
  EXPECT_TRUE(turns_.empty());
  EXPECT_EQ(turns_.bytes(), 0u);
  Push("a", 1);
  last_["a"] = written_["a"];
  EXPECT_THAT(turns_.Take().parts, SizeIs(1));
}

}  // namespace
}  // namespace zhibu::server
