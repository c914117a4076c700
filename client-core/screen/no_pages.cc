// Of a program that is built without them.
#include "client-core/screen/pages.h"

namespace zhibu::client {

absl::Span<const Page> Pages() { return {}; }

}  // namespace zhibu::client
