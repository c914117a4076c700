// Who may use whom (docs/design.md). The system's headers lie in one folder, so
// include paths enforce nothing; this does.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Layer {
  std::string folder;
  std::string may;      // a pattern for what may be included
  std::string may_not;  // and of those, what may not
};

// Own headers, messages, and the libraries of the layer. Standard headers have
// no slash or dot.
const std::string kGround =
    R"(zhibu/.*\.pb\.h|absl/.*|google/protobuf/.*|sodium\.h|[a-z_0-9]+|sys/.*\.h|[a-z]+\.h)";
const std::string kStorage = R"(SQLiteCpp/.*|sqlite3\.h)";
const std::string kCommand = R"(CLI/.*|nlohmann/.*)";
const std::string kGrpc = R"(grpcpp/.*|grpc/.*|zhibu/.*\.grpc\.pb\.h)";

const std::vector<Layer> kLayers = {
    {"sync", R"(sync/.*|re2/re2\.h|unicode/.*|)" + kGround,
     R"(sync/rules/.*|sqlite3\.h|csv\.h|.*\.grpc\.pb\.h)"},
    {"sync/rules", "sync/.*|" + kGround, R"(.*\.grpc\.pb\.h)"},
    {"sync/rules/cel", R"(sync/(rules/cel/.*|status\.h)|re2/re2\.h|)" + kGround,
     R"(zhibu/.*\.pb\.h|sodium\.h)"},
    {"client-core", "client-core/.*|sync/.*|" + kGround + "|" + kStorage,
     R"(client-core/(actions|transport|cli)/.*|.*\.grpc\.pb\.h)"},
    {"client-core/actions", "client-core/.*|sync/.*|" + kGround,
     R"(client-core/((transport|cli)/.*|(session|tables|transaction)\.h)|.*\.grpc\.pb\.h)"},
    {"client-core/transport", "client-core/.*|sync/.*|" + kGround + "|" + kGrpc,
     R"(client-core/((actions|cli)/.*|(tables|transaction)\.h))"},
    {"client-core/cli", "client-core/.*|sync/.*|" + kGround + "|" + kCommand,
     R"(client-core/(tables|transaction)\.h)"},
    {"server", R"(server/.*|sync/.*|asio/.*|openssl/.*|spdlog/.*|)" + kGround + "|" + kStorage,
     R"(server/(rpc|cli)/.*|.*\.grpc\.pb\.h|sqlite3\.h|SQLiteCpp/.*)"},
    {"server/ingest",
     R"(server/(ingest/.*|(authority|held|store/store)\.h)|sync/.*|spdlog/.*|)" + kGround,
     R"(zhibu/records/.*|sync/rules/typed\.h|.*\.grpc\.pb\.h)"},
    {"server/roster", R"(server/(roster/.*|(ingest|named|store/store)\.h)|sync/.*|)" + kGround,
     R"(.*\.grpc\.pb\.h)"},
    {"server/store", "server/store/.*|sync/.*|" + kGround + "|" + kStorage, R"(.*\.grpc\.pb\.h)"},
    {"server/rpc", "server/.*|sync/.*|asio/.*|" + kGround + "|" + kGrpc, "server/cli/.*"},
    {"server/cli",
     "server/(cli/.*|rpc/.*|named\\.h)|sync/.*|spdlog/.*|" + kGround + "|" + kCommand + "|" + kGrpc,
     "-"},
};

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

TEST(Layering, EachFolderIncludesOnlyWhatItsLayerMay) {
  std::vector<std::string> wrong;
  int files = 0;
  for (const Layer& layer : kLayers) {
    const std::regex may(layer.may);
    const std::regex may_not(layer.may_not);
    for (const auto& entry : fs::directory_iterator(fs::path(ZHIBU_SOURCE) / layer.folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
      ++files;
      for (const std::string& include : IncludesOf(entry.path())) {
        if (!std::regex_match(include, may) || std::regex_match(include, may_not)) {
          wrong.push_back(layer.folder + "/" + entry.path().filename().string() + ": " + include);
        }
      }
    }
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
  EXPECT_GT(files, 30) << "the folders were not found";
}

// What is special about a type is declared, or is a rule (sync/rules): whoever adds one does
// not open ingest.
TEST(Layering, IngestNamesNoRecordType) {
  std::vector<fs::path> files = {"server/ingest.h", "server/ingest.cc"};
  for (const auto& entry : fs::directory_iterator(fs::path(ZHIBU_SOURCE) / "server/ingest")) {
    files.push_back(entry.path());
  }
  EXPECT_GT(files.size(), 10u) << "the folder was not found";
  for (const fs::path& name : files) {
    const fs::path file = fs::path(ZHIBU_SOURCE) / name;
    EXPECT_THAT(IncludesOf(file),
                testing::Not(testing::Contains(testing::ContainsRegex("records/v1|rules/typed"))))
        << name;
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("records::v1"))) << name;
    EXPECT_THAT(text, testing::Not(testing::IsEmpty())) << name;
  }
}

}  // namespace
