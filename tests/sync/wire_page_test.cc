// The worked values of docs/wire.md: made here from their parts by hand, held to the
// product, and to the page that strangers build from.
#include <gtest/gtest.h>
#include <sodium.h>

#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sync/crypto/check_in_code.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

// As somebody would write it from the page, in another language.
std::string Blake2b(const std::string& bytes, size_t size) {
  std::string digest(size, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), size,
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return digest;
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }
std::string FromHex(absl::string_view hex) { return absl::HexStringToBytes(hex); }

void ExpectOnPage(const std::string& line) {
  std::stringstream read;
  read << std::ifstream(absl::StrCat(ZHIBU_DOCS, "/wire.md")).rdbuf();
  EXPECT_NE(read.str().find(absl::StrCat("\n", line, "\n")), std::string::npos)
      << "docs/wire.md does not say:\n"
      << line;
}

TEST(WirePage, SaysHowAnIdFollowsFromFields) {
  const std::string meeting = FromHex("0193a0c4e5f6000102030405060708ff");
  const std::string member = FromHex("0192ffeeddcc101112131415161718ff");
  records::v1::CheckIn check_in;
  check_in.set_activity_id(meeting);
  check_in.set_member_id(member);
  // The type's number; then for each field its number as that of a bytes field, and in it
  // the field as it stands in the record.
  const std::string hashed = FromHex("21") + FromHex("0a12") + FromHex("0a10") + meeting +
                             FromHex("1212") + FromHex("1210") + member;
  const std::string digest = Blake2b(hashed, 16);
  const std::string id = meeting.substr(0, 6) + digest.substr(6);
  const RecordType& type = *CatalogueSchema()->Find(records::v1::CheckIn::descriptor());
  EXPECT_EQ(Hex(DeriveId(type, check_in.SerializeAsString()).value().bytes()), Hex(id));
  ExpectOnPage(absl::StrCat(" activity_id  ", Hex(meeting)));
  ExpectOnPage(absl::StrCat(" member_id    ", Hex(member)));
  ExpectOnPage(absl::StrCat(" hashed       21 0a12 0a10", Hex(meeting), " 1212 1210", Hex(member)));
  ExpectOnPage(absl::StrCat(" digest       ", Hex(digest)));
  ExpectOnPage(absl::StrCat(" id           ", Hex(id)));
}

TEST(WirePage, SaysHowANumberMakesAnId) {
  // An office is a number: its field is hashed as it stands, and gives no first bytes.
  records::v1::Grant grant;
  grant.set_person_id(std::string(16, 'p'));
  grant.set_organisation_id(std::string(16, 'o'));
  grant.set_office(DEPUTY);
  const std::string hashed = FromHex("05") + FromHex("0a12") + FromHex("0a10") + grant.person_id() +
                             FromHex("1212") + FromHex("1210") + grant.organisation_id() +
                             FromHex("1a02") + FromHex("1802");
  const RecordType& type = *CatalogueSchema()->Find(records::v1::Grant::descriptor());
  EXPECT_EQ(DeriveId(type, grant.SerializeAsString()).value().bytes(),
            "pppppp" + Blake2b(hashed, 16).substr(6));
}

TEST(WirePage, SaysHowAnEditIsLinked) {
  const std::string edit = FromHex("0a02080110c0843d190102030405060708");
  const std::string digest = Blake2b(edit, 32);
  uint64_t link = 0;
  for (int i = 0; i < 8; ++i) link = link << 8 | static_cast<unsigned char>(digest[i]);
  EXPECT_EQ(LinkTo(edit), link);
  ExpectOnPage(absl::StrCat(" edit         ", Hex(edit)));
  ExpectOnPage(absl::StrCat(" digest       ", Hex(digest)));
  ExpectOnPage(absl::StrFormat(" link         0x%016x", link));
}

TEST(WirePage, SaysWhatACheckInCodeSigns) {
  const std::string seed(crypto_sign_SEEDBYTES, '\7');
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string secret_key(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                           reinterpret_cast<unsigned char*>(secret_key.data()),
                           reinterpret_cast<const unsigned char*>(seed.data()));
  const auto code =
      MakeCheckInCode(*Id::FromBytes(std::string(16, 'a')), *Id::FromBytes(std::string(16, 'b')),
                      DeviceNumber(7), 1'795'000'000'000, secret_key);
  // Fields 1 to 4 as protobuf writes them, behind the words.
  const std::string number = FromHex("1807") + FromHex("20f5f7c31c");
  const std::string fields =
      FromHex("0a10") + std::string(16, 'a') + FromHex("1210") + std::string(16, 'b') + number;
  auto unsigned_code = code;
  unsigned_code.clear_signature();
  EXPECT_EQ(Hex(unsigned_code.SerializeAsString()), Hex(fields));
  const std::string signed_bytes = "zhibu check-in v1" + fields;
  EXPECT_EQ(crypto_sign_verify_detached(
                reinterpret_cast<const unsigned char*>(code.signature().data()),
                reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(),
                reinterpret_cast<const unsigned char*>(public_key.data())),
            0);
}

}  // namespace
}  // namespace zhibu
