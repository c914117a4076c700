// How values and times are written: `string(x)`, literals, and what people are shown.
#ifndef ZHIBU_SYNC_RULES_CEL_TEXT_H_
#define ZHIBU_SYNC_RULES_CEL_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// The shortest that reads back as the same number: "0.1", "1e+300", "nan".
std::string TextOf(double number);
// "2009-02-13T23:31:30.5Z"
std::string TextOf(absl::Time time);
// In seconds: "-1.5s".
std::string TextOf(absl::Duration duration);

// Of null, bool, a number, text or bytes: what the lexer reads back as the same.
std::string Literal(const Value& constant);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_TEXT_H_
