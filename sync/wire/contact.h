// What must not stand before the public: see NO_CONTACT in options.proto.
#ifndef ZHIBU_SYNC_WIRE_CONTACT_H_
#define ZHIBU_SYNC_WIRE_CONTACT_H_

#include "absl/strings/string_view.h"

namespace zhibu {

// Whether there is what looks like an identity number, a mobile number, or one with an
// area code; however it is spaced, in whatever digits (８, 八, ⑧), with or without +86.
bool HoldsContact(absl::string_view text);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_CONTACT_H_
