#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"

namespace zhibu::server::sqlite {
namespace {

constexpr char kGetSetting[] = "SELECT value FROM setting WHERE name = ?";
constexpr char kPutSetting[] = "REPLACE INTO setting (name, value) VALUES (?, ?)";

constexpr char kGetCount[] = "SELECT value FROM counter WHERE name = ?";
constexpr char kAddToCount[] =
    "INSERT INTO counter (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value";

constexpr char kFindMarked[] = "SELECT person FROM mark WHERE mark = ? ORDER BY person LIMIT ?";
constexpr char kFindCommon[] =
    "SELECT mark FROM mark GROUP BY mark HAVING count(*) > ? ORDER BY mark";
constexpr char kPutMark[] = "INSERT OR IGNORE INTO mark (mark, person) VALUES (?, ?)";
constexpr char kDeleteMark[] = "DELETE FROM mark WHERE mark = ? AND person = ?";

}  // namespace

absl::StatusOr<std::string> Transaction::GetSetting(absl::string_view name) {
  return Reading([&]() -> absl::StatusOr<std::string> {
    Statement row(connection_, kGetSetting, Text{name});
    return row.Step() ? row.Opened(0, seal_, layout::Setting(name)) : std::string();
  });
}

absl::Status Transaction::PutSetting(absl::string_view name, absl::string_view value) {
  return Writing([&] {
    const std::string sealed = seal_.Close(layout::Setting(name), value);
    Statement(connection_, kPutSetting, Text{name}, sealed).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Transaction::GetCount(absl::string_view name) {
  return Reading([&]() -> absl::StatusOr<int64_t> {
    Statement row(connection_, kGetCount, Text{name});
    return row.Step() ? row.Int(0) : 0;
  });
}

absl::Status Transaction::AddToCount(absl::string_view name, int64_t more) {
  return Writing([&] {
    Statement(connection_, kAddToCount, Text{name}, more).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Id>> Transaction::FindMarked(absl::string_view mark, size_t most) {
  return Reading([&]() -> absl::StatusOr<std::vector<Id>> {
    std::vector<Id> marked;
    Statement row(connection_, kFindMarked, mark, static_cast<int64_t>(most));
    while (row.Step()) marked.push_back(row.IdAt(0));
    return marked;
  });
}

absl::StatusOr<std::vector<std::string>> Transaction::FindCommonMarks(size_t many) {
  return Reading([&]() -> absl::StatusOr<std::vector<std::string>> {
    std::vector<std::string> marks;
    Statement row(connection_, kFindCommon, static_cast<int64_t>(many));
    while (row.Step()) marks.push_back(row.Bytes(0));
    return marks;
  });
}

absl::Status Transaction::PutMark(absl::string_view mark, const Id& person) {
  return Writing([&] {
    Statement(connection_, kPutMark, mark, person).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::DeleteMark(absl::string_view mark, const Id& person) {
  return Writing([&] {
    Statement(connection_, kDeleteMark, mark, person).Run();
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server::sqlite
