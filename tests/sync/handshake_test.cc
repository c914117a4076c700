// Proofs of who a device is, and what an enrolment code carries.
#include "sync/crypto/handshake.h"

#include <gmock/gmock.h>

#include "absl/strings/escaping.h"
#include "sync/base/reason.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu {
namespace {

const std::string kFingerprint(64, 'a');

Environment Counting() {
  return {.now_ms = [] { return 1; },
          .random_bytes = [next = '\0'](size_t size) mutable { return std::string(size, ++next); }};
}

std::string HelloOf(uint32_t device) {
  sync::v1::Hello hello;
  hello.set_device(device);
  return hello.SerializeAsString();
}

// ---- Proof ---------------------------------------------------------------------

TEST(Proof, HoldsForThisKeyNonceCertificateAndHelloAlone) {
  const Environment environment = Counting();
  const KeyPair keys = NewKeyPair(environment);
  const KeyPair others = NewKeyPair(environment);
  const std::string proof = SignProof(keys.secret_key, "nonce", kFingerprint, HelloOf(7));
  EXPECT_TRUE(VerifyProof(keys.public_key, "nonce", kFingerprint, HelloOf(7), proof));
  EXPECT_FALSE(VerifyProof(others.public_key, "nonce", kFingerprint, HelloOf(7), proof));
  EXPECT_FALSE(VerifyProof(keys.public_key, "another", kFingerprint, HelloOf(7), proof));
  EXPECT_FALSE(VerifyProof(keys.public_key, "nonce", std::string(64, 'b'), HelloOf(7), proof));
  EXPECT_FALSE(VerifyProof(keys.public_key, "nonce", kFingerprint, HelloOf(8), proof));
}

TEST(Proof, OfNoCertificateIsNone) {
  const KeyPair keys = NewKeyPair(Counting());
  EXPECT_FALSE(VerifyProof(keys.public_key, "nonce", "", HelloOf(7),
                           SignProof(keys.secret_key, "nonce", "", HelloOf(7))));
}

TEST(Proof, OfTheWrongSizeIsNone) {
  const KeyPair keys = NewKeyPair(Counting());
  const std::string proof = SignProof(keys.secret_key, "nonce", kFingerprint, HelloOf(7));
  EXPECT_FALSE(VerifyProof(keys.public_key, "nonce", kFingerprint, HelloOf(7), ""));
  EXPECT_FALSE(VerifyProof(keys.public_key, "nonce", kFingerprint, HelloOf(7), proof.substr(1)));
  EXPECT_FALSE(VerifyProof(keys.public_key.substr(1), "nonce", kFingerprint, HelloOf(7), proof));
}

TEST(Enrolment, HoldsForThisServerDeviceAndCertificateAlone) {
  const Environment environment = Counting();
  const KeyPair server = NewKeyPair(environment);
  const KeyPair device = NewKeyPair(environment);
  const std::string said = SignEnrolment(server.secret_key, device.public_key, kFingerprint);
  EXPECT_TRUE(VerifyEnrolment(server.public_key, device.public_key, kFingerprint, said));
  EXPECT_FALSE(VerifyEnrolment(device.public_key, device.public_key, kFingerprint, said));
  EXPECT_FALSE(VerifyEnrolment(server.public_key, server.public_key, kFingerprint, said));
  EXPECT_FALSE(VerifyEnrolment(server.public_key, device.public_key, std::string(64, 'b'), said));
  EXPECT_FALSE(VerifyEnrolment(server.public_key, device.public_key, kFingerprint, ""));
  EXPECT_FALSE(VerifyEnrolment("", device.public_key, kFingerprint, said));
}

// Of an order that divides eight anybody makes a signature that holds.
TEST(PublicKey, IsAPointThatOneSecretBelongsTo) {
  EXPECT_TRUE(IsPublicKey(NewKeyPair(Counting()).public_key));
  for (const char* none : {"", "0000000000000000000000000000000000000000000000000000000000000000",
                           "0100000000000000000000000000000000000000000000000000000000000000",
                           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                           "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b"}) {
    EXPECT_FALSE(IsPublicKey(absl::HexStringToBytes(none))) << none;
  }
  EXPECT_FALSE(IsPublicKey(NewKeyPair(Counting()).public_key.substr(1)));
}

TEST(Link, FollowsFromTheEditBefore) {
  EXPECT_EQ(LinkTo("edit"), LinkTo("edit"));
  EXPECT_NE(LinkTo("edit"), LinkTo("another"));
}

// ---- Certificate ---------------------------------------------------------------

TEST(Fingerprint, IsOfTheBytesWithinTheCertificate) {
  // echo -n zhibu | sha256sum
  EXPECT_EQ(
      FingerprintOf("text\n-----BEGIN CERTIFICATE-----\nemhp\nYnU=\n-----END CERTIFICATE-----\n"),
      "e16f3c6ca0883f18d6e76d6f9ea602dc3a380f0a3978a76c933647fb409a79ee");
}

TEST(Fingerprint, IsEmptyForWhatIsNoCertificate) {
  EXPECT_EQ(FingerprintOf(""), "");
  EXPECT_EQ(FingerprintOf("-----BEGIN CERTIFICATE-----\nemhp"), "");
  EXPECT_EQ(FingerprintOf("-----END CERTIFICATE----------BEGIN CERTIFICATE-----"), "");
  EXPECT_EQ(FingerprintOf("-----BEGIN CERTIFICATE-----\n#\n-----END CERTIFICATE-----"), "");
}

// ---- Ticket --------------------------------------------------------------------

TEST(Ticket, IsReadAsItWasWrittenWithBlanksAroundItAndInAnyCase) {
  const EnrolmentTicket ticket{"[::1]:8443", kFingerprint, "K7PQ-22MD"};
  EXPECT_EQ(ticket.ToText(), "zhibu1/[::1]:8443/" + kFingerprint + "/K7PQ-22MD");
  const auto read =
      EnrolmentTicket::FromText("  zhibu1/[::1]:8443/" + std::string(64, 'A') + "/K7PQ-22MD\n");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ToText(), ticket.ToText());
}

TEST(Ticket, RefusesALineThatIsNone) {
  for (const std::string& text : {
           std::string(),
           std::string("zhibu1"),
           "zhibu2/host:1/" + kFingerprint + "/code",
           "zhibu1//" + kFingerprint + "/code",
           "zhibu1/host:1/" + kFingerprint.substr(1) + "/code",
           "zhibu1/host:1/" + kFingerprint + "/",
           "zhibu1/host:1/" + kFingerprint + "/code/more",
       }) {
    const auto ticket = EnrolmentTicket::FromText(text);
    EXPECT_EQ(ReasonOf(ticket.status()).reason, sync::v1::BAD_CODE) << text;
  }
}

}  // namespace
}  // namespace zhibu
