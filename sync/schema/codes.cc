#include "sync/schema/codes.h"

#include <google/protobuf/text_format.h>

#include <cstdlib>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "sync/base/require.h"

namespace zhibu {

// sync/schema/codes.textproto, as the build found it (sync/CMakeLists.txt).
extern const char kCodesText[];

namespace {

struct Index {
  absl::flat_hash_map<std::string, const CodeTable*> tables;
  absl::flat_hash_map<std::pair<std::string, std::string>, const Code*> codes;
};

Index IndexOf(const CodeTables& all) {
  Index index;
  for (const CodeTable& table : all.tables()) {
    index.tables.emplace(table.name(), &table);
    for (const Code& code : table.codes()) {
      index.codes.emplace(std::pair(table.name(), code.code()), &code);
    }
  }
  return index;
}

const Index& TheIndex() {
  static const auto* index = new Index(IndexOf(AllCodeTables()));
  return *index;
}

}  // namespace

const CodeTables& AllCodeTables() {
  static const CodeTables* all = [] {
    auto* tables = new CodeTables;
    // It is part of the program: one that cannot be read was never tested.
    REQUIRE(google::protobuf::TextFormat::ParseFromString(kCodesText, tables));
    return tables;
  }();
  return *all;
}

const CodeTable* FindCodeTable(absl::string_view name) {
  const auto it = TheIndex().tables.find(std::string(name));
  return it == TheIndex().tables.end() ? nullptr : it->second;
}

const Code* FindCode(absl::string_view table, absl::string_view code) {
  const auto it = TheIndex().codes.find(std::pair(std::string(table), std::string(code)));
  return it == TheIndex().codes.end() ? nullptr : it->second;
}

}  // namespace zhibu
