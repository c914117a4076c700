// What is carried by hand, as bytes: only its reader can open it, only its author
// can have written it, and nothing else is a file.
#include "sync/crypto/courier.h"

#include <gmock/gmock.h>

#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"

namespace zhibu {
namespace {

using sync::v1::Letter;
using sync::v1::Parcel;
using sync::v1::Reason;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Reason ReasonFor(const absl::Status& status) { return ReasonOf(status).reason; }

class LetterTest : public ::testing::Test {
 protected:
  std::string Sealed() const {
    return SealCargo(Cargo::kBundle, "礼堂", author.secret_key, server.public_key).value();
  }

  const Environment environment = SystemEnvironment();
  const KeyPair author = NewKeyPair(environment);
  const KeyPair server = NewKeyPair(environment);
  const KeyPair other = NewKeyPair(environment);
};

TEST_F(LetterTest, TheReaderReadsItAndKnowsWhoWroteIt) {
  const auto letter = UnsealCargo(Sealed(), server.secret_key);
  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->content(), "礼堂");
  EXPECT_TRUE(SignedBy(author.public_key, Cargo::kBundle, *letter, server.public_key));
}

TEST_F(LetterTest, ACarrierReadsNothing) {
  EXPECT_THAT(Sealed(), Not(HasSubstr("礼堂")));
  EXPECT_EQ(ReasonFor(UnsealCargo(Sealed(), other.secret_key).status()), sync::v1::COURIER_DAMAGED);
  EXPECT_EQ(ReasonFor(UnsealCargo(Sealed(), author.secret_key).status()),
            sync::v1::COURIER_DAMAGED);
}

TEST_F(LetterTest, AlteredAtAnyByteOrCutAnywhereItDoesNotOpen) {
  const std::string sealed = Sealed();
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string altered = sealed;
    altered[at] ^= 1;
    EXPECT_EQ(ReasonFor(UnsealCargo(altered, server.secret_key).status()),
              sync::v1::COURIER_DAMAGED)
        << "byte " << at;
    EXPECT_EQ(ReasonFor(UnsealCargo(sealed.substr(0, at), server.secret_key).status()),
              sync::v1::COURIER_DAMAGED)
        << "cut at " << at;
  }
  EXPECT_FALSE(UnsealCargo(sealed + "x", server.secret_key).ok());
}

// Whoever knows the reader's public key can seal something for it.
TEST_F(LetterTest, WhatAnotherSignedIsNotTheAuthors) {
  const auto forged = SealCargo(Cargo::kBundle, "礼堂", other.secret_key, server.public_key);
  const Letter letter = UnsealCargo(*forged, server.secret_key).value();
  EXPECT_FALSE(SignedBy(author.public_key, Cargo::kBundle, letter, server.public_key));
}

TEST_F(LetterTest, ASignatureIsForOneReaderOneKindAndOneContent) {
  Letter letter = UnsealCargo(Sealed(), server.secret_key).value();
  EXPECT_FALSE(SignedBy(author.public_key, Cargo::kBundle, letter, other.public_key));
  EXPECT_FALSE(SignedBy(author.public_key, Cargo::kReceipt, letter, server.public_key));
  letter.set_content("祠堂");
  EXPECT_FALSE(SignedBy(author.public_key, Cargo::kBundle, letter, server.public_key));
  letter.clear_signature();
  EXPECT_FALSE(SignedBy(author.public_key, Cargo::kBundle, letter, server.public_key));
}

TEST_F(LetterTest, ForAReaderWhoHasNoKeyNothingIsSealed) {
  EXPECT_FALSE(SealCargo(Cargo::kBundle, "礼堂", author.secret_key, "").ok());
  EXPECT_FALSE(SealCargo(Cargo::kBundle, "礼堂", author.secret_key, std::string(32, '\0')).ok());
  EXPECT_FALSE(UnsealCargo(Sealed(), "").ok());
}

TEST_F(LetterTest, WhatIsLargerThanAnyBundleIsNotOpened) {
  EXPECT_EQ(
      ReasonFor(UnsealCargo(std::string(kSealedBytesMax + 1, 'x'), server.secret_key).status()),
      sync::v1::TOO_LARGE);
}

// ---- The file --------------------------------------------------------------------

Parcel ParcelOf(int sealed) {
  Parcel parcel;
  parcel.set_address("zhibu.example:7443");
  for (int i = 0; i < sealed; ++i) parcel.add_sealed("sealed");
  return parcel;
}

TEST(ParcelTest, ReadsBackWhatItWrote) {
  const std::string file = ToFile(Cargo::kBundle, ParcelOf(2));
  EXPECT_THAT(file.substr(2), StartsWith("zhibu bundles 1"));
  const auto parcel = FromFile(Cargo::kBundle, file);
  ASSERT_TRUE(parcel.ok()) << parcel.status();
  EXPECT_EQ(parcel->address(), "zhibu.example:7443");
  EXPECT_EQ(parcel->sealed_size(), 2);
}

TEST(ParcelTest, WhatIsNoSuchFileIsRefused) {
  const std::string file = ToFile(Cargo::kBundle, ParcelOf(1));
  Parcel future = ParcelOf(1);
  future.GetReflection()->MutableUnknownFields(&future)->AddVarint(99, 1);
  Parcel long_address = ParcelOf(1);
  long_address.set_address(std::string(1000, 'a'));
  Parcel large = ParcelOf(1);
  large.add_sealed(std::string(kSealedBytesMax + 1, 'x'));
  const std::vector<std::string> wrong = {"",
                                          "photo",
                                          file.substr(0, file.size() - 1),
                                          ToFile(Cargo::kReceipt, ParcelOf(1)),
                                          ToFile(Cargo::kBundle, ParcelOf(0)),
                                          ToFile(Cargo::kBundle, ParcelOf(kSealedMax + 1)),
                                          ToFile(Cargo::kBundle, future),
                                          ToFile(Cargo::kBundle, long_address),
                                          ToFile(Cargo::kBundle, large)};
  for (size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(ReasonFor(FromFile(Cargo::kBundle, wrong[i]).status()), sync::v1::COURIER_DAMAGED)
        << i;
  }
}

}  // namespace
}  // namespace zhibu
