// The pages that a build has in it: made by Vite (client-core/screen/pages) and linked into the
// program that shows them; one without them has none.
#ifndef ZHIBU_CLIENT_CORE_SCREEN_PAGES_H_
#define ZHIBU_CLIENT_CORE_SCREEN_PAGES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zhibu::client {

struct Page {
  absl::string_view path;  // "/", "/assets/index-3f9c.js"
  absl::string_view type;  // of MIME
  absl::string_view body;
};

absl::Span<const Page> Pages();

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SCREEN_PAGES_H_
