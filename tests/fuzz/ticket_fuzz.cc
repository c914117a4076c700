// What people type, scan or paste: enrolment codes, ids, certificates.
#include <gtest/gtest.h>

#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/shown.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto ticket = EnrolmentTicket::FromText(text); ticket.ok()) {
    const auto again = EnrolmentTicket::FromText(ticket->ToText());
    EXPECT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->ToText(), ticket->ToText());
  } else {
    EXPECT_EQ(ReasonOf(ticket.status()).reason, sync::v1::BAD_CODE);
  }
  if (const auto id = IdFromText(text)) {
    EXPECT_EQ(IdFromText(TextOf(*id)), id);
  }
  const std::string fingerprint = FingerprintOf(text);
  EXPECT_TRUE(fingerprint.empty() || fingerprint.size() == 64) << fingerprint;
  return 0;
}
