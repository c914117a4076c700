// Codes of standards and their words: ethnic groups, education, places
// (sync/schema/codes.textproto).
//
//   FindCode("ethnic_group", "15")->zh()   土家
//
// A record keeps the code, so that a table may be corrected without touching records; a code that
// is not known is kept as well, and shown as it is.
#ifndef ZHIBU_SYNC_SCHEMA_CODES_H_
#define ZHIBU_SYNC_SCHEMA_CODES_H_

#include "absl/strings/string_view.h"
#include "zhibu/schema/v1/codes.pb.h"

namespace zhibu {

// All that this build has. Any thread may read it.
const CodeTables& AllCodeTables();

// Null where there is no such table.
const CodeTable* FindCodeTable(absl::string_view name);

// Null where there is no such table, or no such code in it.
const Code* FindCode(absl::string_view table, absl::string_view code);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_SCHEMA_CODES_H_
