// A QR code as lines of a terminal, for the command line of either side; a target by
// itself.
#ifndef ZHIBU_SYNC_CLI_QR_H_
#define ZHIBU_SYNC_CLI_QR_H_

#include <string>

#include "absl/status/statusor.h"

namespace zhibu {

// Black on white whatever the terminal's colours are, two rows of the code to a line,
// with the margin that readers need. RESOURCE_EXHAUSTED: the text is too long for one.
absl::StatusOr<std::string> DrawQr(const std::string& text);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CLI_QR_H_
