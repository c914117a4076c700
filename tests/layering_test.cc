// Who may use whom (docs/design.md). Include paths enforce nothing, since the system's
// headers lie in one folder; this does. What a folder may use is all that it may include,
// so what it gets by way of another's header comes from that one's own list.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Layer {
  std::string folder;
  std::set<std::string> uses;  // folders beside its own, each of a line above
  std::string libraries;       // beside kPure: a pattern
};

// What neither waits, nor starts, nor reads or writes outside memory, nor asks the time.
const char kPure[] =
    R"(absl/.*|google/protobuf/.*|sodium\.h|zhibu/.*(?!\.grpc)\.pb\.h|algorithm|any|array|bitset|)"
    R"(cerrno|charconv|cmath|compare|cstddef|cstdint|cstdlib|cstring|deque|functional|iterator|)"
    R"(limits|list|map|memory|numeric|optional|queue|set|span|string|string_view|tuple|)"
    R"(type_traits|utility|variant|vector)";
const char kTime[] = R"(time\.h|absl/time/clock\.h)";
const std::string kHost =  // threads, files, clocks
    R"([a-z_0-9]+|[a-z]+\.h|sys/.*\.h|absl/.*)";
const char kStorage[] = R"(SQLiteCpp/.*|sqlite3\.h)";
const char kCommand[] = R"(CLI/.*|nlohmann/.*)";
const char kGrpc[] = R"(grpcpp/.*|grpc/.*|zhibu/.*\.grpc\.pb\.h)";
const char kNotGrpc[] = R"(^zhibu/.*\.grpc\.pb\.h$)";

std::string Any(const std::vector<std::string>& patterns) {
  std::string any;
  for (const std::string& pattern : patterns) any += (any.empty() ? "" : "|") + pattern;
  return any;
}

const std::vector<Layer>& Layers() {
  static const std::set<std::string> kSync = {"sync/base",  "sync/schema", "sync/wire",
                                              "sync/merge", "sync/crypto", "sync/rules"};
  const auto with = [](std::set<std::string> some, const std::set<std::string>& more) {
    some.insert(more.begin(), more.end());
    return some;
  };
  static const std::vector<Layer> kLayers = {
      // For a program's last words; and so that a fork gives out no chance twice.
      {"sync/base", {}, Any({kTime, "unicode/.*", "cstdio", "atomic", R"(pthread\.h)"})},
      {"sync/schema", {"sync/base"}, ""},
      {"sync/wire", {"sync/base", "sync/schema"}, R"(re2/re2\.h|unicode/.*|zstd\.h)"},
      {"sync/merge", {"sync/base", "sync/schema", "sync/wire"}, ""},
      {"sync/crypto", {"sync/base"}, ""},
      {"sync/rules/cel", {"sync/base"}, R"(re2/re2\.h)"},
      {"sync/rules/book",
       {"sync/base", "sync/schema", "sync/wire", "sync/merge", "sync/rules/cel"},
       "cstdio"},
      {"sync/exchange",
       {"sync/base", "sync/wire", "sync/rules/book"},
       Any({kHost, "unicode/.*", R"(csv\.h|zip\.h|expat\.h|re2/re2\.h|xlsxwriter\.h)"})},
      {"sync/rules", with(kSync, {"sync/rules/book"}), ""},
      {"sync/sqlite", {"sync/base", "sync/crypto"}, kStorage},
      {"sync/cli", {"sync/base", "sync/crypto"}, Any({kHost, R"(qrencode\.h)"})},
      {"client-core/store", with(kSync, {"sync/sqlite"}), Any({kHost, kStorage})},
      {"client-core", with(kSync, {"client-core/store"}), kHost},
      {"client-core/actions", with(kSync, {"client-core/store", "sync/rules/book"}), kHost},
      {"client-core/query", with(kSync, {"client-core/store", "client-core/actions"}),
       Any({kHost, "unicode/.*"})},
      {"client-core/c",
       with(kSync,
            {"client-core", "client-core/store", "client-core/actions", "client-core/query"}),
       kHost},
      {"client-core/jvm/native", {"client-core/c"}, kHost},
      {"client-core/js/native", {"client-core/c"}, Any({kHost, R"(node_api\.h)"})},
      {"client-core/exchange",
       with(kSync,
            {"client-core/store", "client-core/actions", "sync/exchange", "sync/rules/book"}),
       kHost},
      {"client-core/transport", with(kSync, {"client-core", "client-core/store"}),
       Any({kHost, kGrpc})},
      {"client-core/screen",
       with(kSync, {"client-core/store", "client-core/c", "client-core/transport"}), kHost},
      {"client-core/cli",
       with(kSync, {"client-core", "client-core/store", "client-core/actions",
                    "client-core/exchange", "client-core/transport", "client-core/screen",
                    "sync/cli", "sync/exchange", "sync/rules/book"}),
       Any({kHost, kCommand})},
      {"server/base", {"sync/base"}, Any({kHost, "spdlog/.*"})},
      {"server/store", with(kSync, {"server/base"}), kHost},
      {"server/store/sqlite", with(kSync, {"server/base", "server/store", "sync/sqlite"}),
       Any({kHost, kStorage})},
      {"server/store/postgresql", with(kSync, {"server/base", "server/store"}),
       Any({kHost, R"(libpq-fe\.h)"})},
      {"server/feed", with(kSync, {"server/base", "server/store"}), kHost},
      {"server/authority", with(kSync, {"server/base", "server/store"}), kHost},
      {"server/figures",
       with(kSync, {"sync/rules/book", "server/base", "server/store", "server/feed"}), kHost},
      {"server/ingest",
       with(kSync, {"sync/rules/book", "server/base", "server/store", "server/feed",
                    "server/authority", "server/figures"}),
       kHost},
      {"server/identity", with(kSync, {"server/base", "server/store", "server/ingest"}),
       Any({kHost, "openssl/.*"})},
      {"server/exchange",
       with(kSync, {"server/base", "server/store", "server/ingest", "server/identity",
                    "sync/exchange", "sync/rules/book"}),
       kHost},
      {"server/sessions",
       with(kSync, {"sync/rules/book", "server/base", "server/store", "server/feed",
                    "server/figures", "server/authority", "server/ingest", "server/identity"}),
       Any({kHost, "asio/.*"})},
      {"server/admin",
       with(kSync, {"sync/exchange", "sync/rules/book", "server/base", "server/store",
                    "server/feed", "server/figures", "server/ingest", "server/identity",
                    "server/exchange", "server/sessions"}),
       kHost},
      {"server/net",
       with(kSync, {"server/base", "server/identity", "server/sessions", "server/admin"}),
       Any({kHost, "asio/.*"})},
      {"server/web", with(kSync, {"server/base", "server/sessions", "server/net"}),
       Any({kHost, "boost/.*", "openssl/.*"})},
      {"server/rpc",
       with(kSync, {"server/base", "server/store", "server/store/sqlite", "server/store/postgresql",
                    "server/feed", "server/figures", "server/ingest", "server/identity",
                    "server/sessions", "server/admin", "server/net", "server/web", "sync/cli"}),
       Any({kHost, kGrpc})},
      {"server/cli",
       with(kSync, {"sync/exchange", "sync/rules/book", "server/identity", "server/exchange",
                    "server/net", "server/rpc", "sync/cli"}),
       Any({kHost, kCommand, kGrpc, "spdlog/.*"})},
  };
  return kLayers;
}

bool IsSource(const fs::path& file) {
  return file.extension() == ".h" || file.extension() == ".cc";
}

std::vector<fs::path> SourcesIn(const fs::path& folder) {
  std::vector<fs::path> sources;
  for (const auto& entry : fs::directory_iterator(fs::path(ZHIBU_SOURCE) / folder)) {
    if (IsSource(entry.path())) sources.push_back(entry.path());
  }
  return sources;
}

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> IncludesOf(const fs::path& file) {
  static const std::regex kInclude(R"(^#include [<"]([^>"]+)[>"])");
  std::vector<std::string> includes;
  std::ifstream stream(file);
  std::smatch match;
  for (std::string line; std::getline(stream, line);) {
    if (std::regex_search(line, match, kInclude)) includes.push_back(match[1]);
  }
  return includes;
}

bool MayInclude(const Layer& layer, const std::string& include) {
  const std::string folder = fs::path(include).parent_path().string();
  if (folder == layer.folder || layer.uses.count(folder) > 0) return true;
  static const std::set<std::string> kOurs = {"sync", "client-core", "server", "tests"};
  if (kOurs.count(include.substr(0, include.find('/'))) > 0) return false;
  if (std::regex_match(include, std::regex(kNotGrpc))) {
    return std::regex_match(include, std::regex(layer.libraries));
  }
  return std::regex_match(include, std::regex(kPure)) ||
         std::regex_match(include, std::regex(layer.libraries));
}

TEST(Layering, EachFolderIncludesOnlyWhatItsLayerMay) {
  std::vector<std::string> wrong;
  for (const Layer& layer : Layers()) {
    for (const fs::path& file : SourcesIn(layer.folder)) {
      for (const std::string& include : IncludesOf(file)) {
        if (MayInclude(layer, include)) continue;
        wrong.push_back(layer.folder + "/" + file.filename().string() + ": " + include);
      }
    }
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
}

TEST(Layering, ArrowsRunOneWay) {
  std::set<std::string> above;
  for (const Layer& layer : Layers()) {
    for (const std::string& used : layer.uses) {
      EXPECT_TRUE(used == layer.folder || above.count(used) > 0) << layer.folder << ": " << used;
    }
    above.insert(layer.folder);
  }
}

TEST(Layering, NoFolderIsForgotten) {
  std::set<std::string> listed;
  for (const Layer& layer : Layers()) listed.insert(layer.folder);
  std::set<std::string> there;
  for (const char* top : {"sync", "client-core", "server"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(ZHIBU_SOURCE) / top)) {
      const std::string folder = fs::relative(entry.path().parent_path(), ZHIBU_SOURCE).string();
      if (!IsSource(entry.path()) || folder.find("node_modules") != std::string::npos) continue;
      there.insert(folder);
    }
  }
  EXPECT_EQ(there, listed);
}

// Whoever operates the server reads what one observer writes.
TEST(Layering, OnlyTheObserverWritesLogLines) {
  std::vector<std::string> wrong;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(ZHIBU_SOURCE) / "server")) {
    const std::string name = fs::relative(entry.path(), ZHIBU_SOURCE).string();
    if (!IsSource(entry.path()) || name == "server/base/log.cc" || name == "server/cli/serve.cc") {
      continue;
    }
    if (TextOf(entry.path()).find("spdlog") != std::string::npos) wrong.push_back(name);
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
}

// What is special about a type is declared, or is a rule (sync/rules): whoever adds one does
// not open what moves records.
TEST(Layering, WhatMovesRecordsNamesNoRecordType) {
  const std::regex named(
      R"(records::v1::(?!Catalogue)|records/v1/(?!catalogue)|rules/typed|\bTypeOf<)");
  std::vector<std::string> wrong;
  for (const char* folder :
       {"sync/base", "sync/schema", "sync/wire", "sync/merge", "sync/sqlite", "client-core",
        "server/store", "server/store/sqlite", "server/feed", "server/figures", "server/ingest"}) {
    for (const fs::path& file : SourcesIn(folder)) {
      if (std::regex_search(TextOf(file), named)) {
        wrong.push_back(folder + ("/" + file.filename().string()));
      }
    }
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
}

}  // namespace
