#include "sync/cli/qr.h"

#include <qrencode.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace zhibu {
namespace {

constexpr int kMargin = 4;
constexpr char kBlackOnWhite[] = "\x1b[30;107m";
constexpr char kAsBefore[] = "\x1b[0m";

}  // namespace

absl::StatusOr<std::string> DrawQr(const std::string& text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M), &QRcode_free);
  if (code == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no QR code holds ", text.size(), " bytes"));
  }
  const auto dark = [&](int row, int column) {
    const bool inside = row >= 0 && row < code->width && column >= 0 && column < code->width;
    return inside && (code->data[row * code->width + column] & 1) != 0;
  };
  static constexpr const char* kCells[2][2] = {{" ", "▄"}, {"▀", "█"}};
  std::string drawn;
  for (int row = -kMargin; row < code->width + kMargin; row += 2) {
    absl::StrAppend(&drawn, kBlackOnWhite);
    for (int column = -kMargin; column < code->width + kMargin; ++column) {
      absl::StrAppend(&drawn, kCells[dark(row, column)][dark(row + 1, column)]);
    }
    absl::StrAppend(&drawn, kAsBefore, "\n");
  }
  return drawn;
}

}  // namespace zhibu
