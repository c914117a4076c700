#include "server/net/address.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/identity/named.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

constexpr size_t kPortDigitsMax = 5;

absl::Status Refused(absl::string_view text, absl::string_view zh, absl::string_view en) {
  return absl::InvalidArgumentError(
      InBoth(absl::StrCat("“", text, "”", zh), absl::StrCat("\"", text, "\" ", en)));
}

// Names and IPv4 addresses.
bool IsOfName(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; }
// With the name of an interface.
bool IsOfIpv6(char c) { return IsOfName(c) || c == ':' || c == '%'; }

bool IsHost(absl::string_view host, bool bracketed) {
  return std::all_of(host.begin(), host.end(), bracketed ? IsOfIpv6 : IsOfName) &&
         !(bracketed && host.empty());
}

bool TakePort(absl::string_view text, uint16_t* port) {
  uint32_t number = 0;
  if (text.empty() || text.size() > kPortDigitsMax ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &number) || number > std::numeric_limits<uint16_t>::max()) {
    return false;
  }
  *port = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

bool Address::IsAny() const { return host.empty() || host == "0.0.0.0" || host == "::"; }

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  const size_t colon = text.rfind(':');
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[");
  if (colon == absl::string_view::npos || (bracketed && !absl::ConsumeSuffix(&host, "]")) ||
      !IsHost(host, bracketed) || !TakePort(text.substr(colon + 1), &address.port)) {
    return Refused(text, "不是 主机:端口（端口 0 至 65535）",
                   "is not HOST:PORT with a port of 0 to 65535");
  }
  address.host = std::string(host);
  return address;
}

absl::Status CheckReachable(absl::string_view text) {
  ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  if (!address.IsAny() && address.port != 0) return absl::OkStatus();
  return Refused(text, "不是设备可以连接的地址",
                 "is no address at which a device reaches a server");
}

}  // namespace zhibu::server
