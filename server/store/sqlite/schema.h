// What lies in the file of SqliteStore: its tables, numbered as they came to be, and what of
// them is sealed.
#ifndef ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_
#define ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_

#include "sync/sqlite/file.h"

namespace zhibu::server::sqlite {

extern const zhibu::sqlite::Format kFormat;

}  // namespace zhibu::server::sqlite

#endif  // ZHIBU_SERVER_STORE_SQLITE_SCHEMA_H_
