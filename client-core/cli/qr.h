// A QR code as lines of a terminal.
#ifndef ZHIBU_CLIENT_CORE_CLI_QR_H_
#define ZHIBU_CLIENT_CORE_CLI_QR_H_

#include <string>

#include "absl/status/statusor.h"

namespace zhibu::client {

// Black on white whatever the terminal's colours are, two rows of the code to a line,
// with the margin that readers need. RESOURCE_EXHAUSTED: the text is too long for one.
absl::StatusOr<std::string> DrawQr(const std::string& text);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_QR_H_
