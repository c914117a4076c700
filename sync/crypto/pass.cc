#include "sync/crypto/pass.h"

#include <sodium.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/types.h"
#include "sync/crypto/handshake.h"
#include "sync/crypto/sodium_bytes.h"

namespace zhibu {

using sync::v1::PassToken;

namespace {

constexpr char kPrefix[] = "ZP1:";
constexpr char kContext[] = "zhibu pass v1";

std::string Payload(PassToken token) {
  token.clear_signature();
  return absl::StrCat(kContext, token.SerializeAsString());
}

// Of a server's key; the same on every machine.
uint64_t NameOf(absl::string_view public_key) {
  uint64_t name = 0;
  for (const char c : public_key.substr(0, 8)) name = name << 8 | static_cast<unsigned char>(c);
  return name;
}

bool Holds(const PassToken& token, absl::string_view public_key) {
  const std::string payload = Payload(token);
  return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
         token.signature().size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(Bytes(token.signature()), Bytes(payload), payload.size(),
                                     Bytes(public_key)) == 0;
}

}  // namespace

PassToken SignPass(PassToken token, absl::string_view secret_key) {
  token.set_server(NameOf(PublicKeyOf(secret_key)));
  const std::string payload = Payload(token);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(&signature), nullptr, Bytes(payload), payload.size(),
                       Bytes(secret_key));
  token.set_signature(signature);
  return token;
}

std::string ToText(const PassToken& token) {
  return absl::StrCat(kPrefix, absl::WebSafeBase64Escape(token.SerializeAsString()));
}

absl::StatusOr<PassToken> PassFromText(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  std::string bytes;
  if (text.size() > 2 * kPassBytesMax || !absl::ConsumePrefix(&text, kPrefix) ||
      !absl::WebSafeBase64Unescape(text, &bytes) || absl::WebSafeBase64Escape(bytes) != text) {
    return Refuse(sync::v1::PASS_INVALID, kPrefix);
  }
  return PassFromBytes(bytes);
}

absl::StatusOr<PassToken> PassFromBytes(absl::string_view bytes) {
  PassToken token;
  if (bytes.size() > kPassBytesMax ||
      !token.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      token.pass_id().size() != Id::kSize || token.member_id().size() != Id::kSize ||
      !IsDate(token.from()) || !IsDate(token.until()) ||
      token.signature().size() != crypto_sign_BYTES || token.SerializeAsString() != bytes ||
      // What is unknown is kept in the order in which it came.
      !token.GetReflection()->GetUnknownFields(token).empty()) {
    return Refuse(sync::v1::PASS_INVALID, "form");
  }
  return token;
}

PassFinding JudgePass(const PassToken& token, absl::string_view public_key,
                      absl::string_view today) {
  if (token.server() != NameOf(public_key)) return PassFinding::kOtherServer;
  if (!Holds(token, public_key)) return PassFinding::kForged;
  if (today < token.from()) return PassFinding::kNotYet;
  if (today > token.until()) return PassFinding::kExpired;
  return PassFinding::kValid;
}

}  // namespace zhibu
