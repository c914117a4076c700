// What is charged to whom, and how long it is remembered.
#include "server/sessions/admission.h"

#include <gmock/gmock.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/sessions/charge.h"

namespace zhibu::server {
namespace {

using namespace std::chrono_literals;

Id Device(int number) {
  std::string bytes = absl::StrCat(number);
  bytes.resize(Id::kSize, '.');
  return *Id::FromBytes(bytes);
}

class AdmissionTest : public ::testing::Test {
 protected:
  Admission admission_{{.edits_per_second = 100}};
  Admission::Clock::time_point now_ = Admission::Clock::now();
};

TEST_F(AdmissionTest, ADeviceRestsForAsLongAsItsWorkTook) {
  EXPECT_LE(admission_.Charge(Device(1), 1000, now_), now_) << "ten seconds are saved up";
  EXPECT_EQ(admission_.Charge(Device(1), 500, now_), now_ + 5s);
  EXPECT_LE(admission_.Charge(Device(2), 1, now_), now_) << "nobody else does";
}

TEST_F(AdmissionTest, AnEditIsChargedForItsBytesAtFirstAndForItsWorkOnceThatIsKnown) {
  EXPECT_EQ(EditsFor(size_t{250}), 1);
  EXPECT_EQ(EditsFor(size_t{1 << 20}), 257);
  EXPECT_EQ(EditsBeyond(250, 0), 0);
  EXPECT_EQ(EditsBeyond(250, 12), 0);
  EXPECT_EQ(EditsBeyond(250, 12'000), 999);
  EXPECT_EQ(EditsBeyond(1 << 20, 12 + 256), 0) << "its bytes are paid for";
  EXPECT_EQ(EditsFor(std::chrono::nanoseconds(50ms)), 200);
}

TEST_F(AdmissionTest, WhatCouriersBringOfADeviceSlowsDownNeitherItNorOtherCouriers) {
  admission_.ChargeCarried(Device(1), 2000, now_);
  EXPECT_FALSE(admission_.MayCarry(Device(1), now_));
  EXPECT_TRUE(admission_.MayCarry(Device(1), now_ + 10s));
  EXPECT_TRUE(admission_.MayCarry(Device(2), now_));
  EXPECT_LE(admission_.Charge(Device(1), 1, now_), now_);
}

TEST_F(AdmissionTest, WhatNobodyIsKnownToHaveSentCostsItsAddressAndNoOther) {
  admission_.ChargeTry("10.0.0.1", 2000, now_);
  EXPECT_FALSE(admission_.MayTry("10.0.0.1", now_));
  EXPECT_TRUE(admission_.MayTry("10.0.0.2", now_));
  EXPECT_TRUE(admission_.MayTry("10.0.0.1", now_ + 10s));
}

TEST_F(AdmissionTest, WhoHasGoneAndOwesNothingIsForgotten) {
  for (int i = 0; i < 100'000; ++i) {
    now_ += 10ms;
    admission_.Charge(Device(i), 1, now_);
    admission_.ChargeCarried(Device(i), 1, now_);
    admission_.ChargeTry(absl::StrCat("10.0.", i / 256, ".", i % 256), 1, now_);
  }
  // Those of the last ten seconds, three times, and as many until the next sweep.
  EXPECT_LT(admission_.remembered(), 3 * 2100u);
}

}  // namespace
}  // namespace zhibu::server
