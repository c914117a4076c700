// What a pass shows: one form of it, one key, some days.
#include "sync/crypto/pass.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"

namespace zhibu {
namespace {

using sync::v1::PassToken;

class PassTest : public ::testing::Test {
 protected:
  PassToken Token(const std::string& name = "丙滨海") {
    PassToken token;
    token.set_pass_id(std::string(16, 'p'));
    token.set_member_id(std::string(16, 'm'));
    token.set_number("青石 2026-001");
    token.set_name(name);
    token.set_issuer("云溪镇青石村党支部");
    token.set_from("2026-11-01");
    token.set_until("2027-10-31");
    return SignPass(token, keys_.secret_key);
  }
  PassFinding On(const std::string& day, const PassToken& token) {
    return JudgePass(token, keys_.public_key, day);
  }
  std::string ReasonFor(absl::string_view text) {
    const auto token = PassFromText(text);
    return token.ok() ? "" : sync::v1::Reason_Name(ReasonOf(token.status()).reason);
  }

  const Environment environment_{
      .now_ms = [] { return int64_t{0}; },
      .random_bytes = [next = '\0'](size_t size) mutable { return std::string(size, ++next); }};
  const KeyPair keys_ = NewKeyPair(environment_);
  const KeyPair others_ = NewKeyPair(environment_);
};

TEST_F(PassTest, ComesBackFromItsTextAndHoldsOnEachOfItsDays) {
  const std::string text = ToText(Token());
  EXPECT_EQ(text.substr(0, 4), "ZP1:");
  EXPECT_LE(text.size(), 400u);  // a QR that a phone reads from a phone
  const auto token = PassFromText(absl::StrCat(" ", text, "\n"));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->name(), "丙滨海");
  EXPECT_EQ(On("2026-10-31", *token), PassFinding::kNotYet);
  EXPECT_EQ(On("2026-11-01", *token), PassFinding::kValid);
  EXPECT_EQ(On("2027-10-31", *token), PassFinding::kValid);
  EXPECT_EQ(On("2027-11-01", *token), PassFinding::kExpired);
}

TEST_F(PassTest, ChangedInAnyFieldItIsForged) {
  const auto changed = [&](void (*change)(PassToken&)) {
    PassToken token = Token();
    change(token);
    return On("2026-11-21", token);
  };
  EXPECT_EQ(changed([](PassToken& t) { t.set_pass_id(std::string(16, 'q')); }),
            PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_member_id(std::string(16, 'n')); }),
            PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_number("2"); }), PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_name("丁"); }), PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_issuer("别处"); }), PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_from("2025-11-01"); }), PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken& t) { t.set_until("2037-10-31"); }), PassFinding::kForged);
  EXPECT_EQ(changed([](PassToken&) {}), PassFinding::kValid);
}

TEST_F(PassTest, SignedByAnotherServerItIsNotForgedButUnknown) {
  EXPECT_EQ(On("2026-11-21", SignPass(Token(), others_.secret_key)), PassFinding::kOtherServer);
  // Who only says that it is ours has forged it.
  PassToken claimed = SignPass(Token(), others_.secret_key);
  claimed.set_server(Token().server());
  EXPECT_EQ(On("2026-11-21", claimed), PassFinding::kForged);
  EXPECT_EQ(JudgePass(Token(), "", "2026-11-21"), PassFinding::kOtherServer);
}

TEST_F(PassTest, WhatIsNoPassIsRefused) {
  const std::string text = ToText(Token());
  EXPECT_EQ(ReasonFor(""), "PASS_INVALID");
  EXPECT_EQ(ReasonFor("ZB1:AAAA"), "PASS_INVALID");
  EXPECT_EQ(ReasonFor(text.substr(0, text.size() - 2)), "PASS_INVALID");
  EXPECT_EQ(ReasonFor(absl::StrCat(text, "AAAA")), "PASS_INVALID");
  EXPECT_EQ(ReasonFor(absl::StrCat("ZP1:", std::string(2000, 'A'))), "PASS_INVALID");
  PassToken token = Token();
  token.set_until("2027-02-30");
  EXPECT_EQ(ReasonFor(ToText(token)), "PASS_INVALID");
  token = Token();
  token.set_member_id("short");
  EXPECT_EQ(ReasonFor(ToText(token)), "PASS_INVALID");
  EXPECT_EQ(ReasonFor(ToText(Token(std::string(700, 'x')))), "PASS_INVALID");
}

TEST(DateTest, ADayIsADayOfTheCalendarInOneForm) {
  EXPECT_TRUE(IsDate("2028-02-29"));
  for (const char* none : {"", "2027-02-29", "2027-2-1", " 2027-02-01", "2027-02", "27-02-01"}) {
    EXPECT_FALSE(IsDate(none)) << none;
  }
}

TEST(DateTest, TheDayChangesAtMidnightInChina) {
  EXPECT_EQ(DateAt(1'795'017'599'000), "2026-11-18");
  EXPECT_EQ(DateAt(1'795'017'600'000), "2026-11-19");
}

TEST(DateTest, ADayLastsUntilTheNextBeginsInChina) {
  EXPECT_EQ(EndOf("2026-11-18"), 1'795'017'600'000);
  EXPECT_EQ(EndOf("2026-02-30"), std::nullopt);
}

TEST(DateTest, DaysAreCountedAcrossMonthsAndOnlyBetweenDates) {
  EXPECT_EQ(DaysBetween("2026-11-18", "2027-02-16"), 90);
  EXPECT_EQ(DaysBetween("2026-11-18", "2026-11-17"), -1);
  EXPECT_EQ(DaysBetween("2026-11-18", "soon"), std::nullopt);
}

}  // namespace
}  // namespace zhibu
