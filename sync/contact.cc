#include "sync/contact.h"

#include <re2/re2.h>

namespace zhibu {

bool HoldsContact(absl::string_view text) {
  static const RE2 contact(R"((?:^|\D)(?:)"
                           R"(\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx]|)"
                           R"(1[3-9]\d[ -]?\d{4}[ -]?\d{4}|)"
                           R"(0\d{2,3}[ -]?\d{7,8})"
                           R"()(?:\D|$))");
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), contact);
}

}  // namespace zhibu
