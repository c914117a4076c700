#include <algorithm>

#include "server/store/postgresql/transaction.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

constexpr char kGetSetting[] = "SELECT value FROM setting WHERE name = $1";
constexpr char kPutSetting[] =
    "INSERT INTO setting (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value";

constexpr char kGetCount[] = "SELECT value FROM counter WHERE name = $1";
constexpr char kAddToCount[] =
    "INSERT INTO counter (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value";

constexpr char kFindMarked[] = "SELECT person FROM mark WHERE mark = $1 ORDER BY person LIMIT $2";
constexpr char kFindCommon[] =
    "SELECT mark FROM mark GROUP BY mark HAVING count(*) > $1 ORDER BY mark";
constexpr char kPutMark[] =
    "INSERT INTO mark (mark, person) VALUES ($1, $2) ON CONFLICT (mark, person) DO NOTHING";
constexpr char kDeleteMark[] = "DELETE FROM mark WHERE mark = $1 AND person = $2";

}  // namespace

absl::StatusOr<std::string> Transaction::GetSetting(absl::string_view name) {
  if (!broken_.ok()) return broken_;
  if (const auto known = settings_.find(name); known != settings_.end()) {
    ++work_;
    return known->second;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetSetting, Text{name}));
  if (rows.empty()) return settings_[name] = "";
  std::optional<std::string> value = Open(rows, 0, 0, layout::Setting(name));
  if (!value) return DamagedRow(layout::Setting(name));
  return settings_[name] = *std::move(value);
}

Transaction::TakeIn Transaction::QueueSetting(const std::string& name) {
  connection_.Queue(kGetSetting, {Text{name}});
  return [this, name](const Rows& rows) {
    std::optional<std::string> value = "";
    if (!rows.empty()) value = Open(rows, 0, 0, layout::Setting(name));
    if (value) settings_.try_emplace(name, *std::move(value));  // else whoever asks is told
  };
}

absl::Status Transaction::PutSetting(absl::string_view name, absl::string_view value) {
  Remember(settings_, std::string(name), std::string(value));
  return Queue(kPutSetting, Text{name}, Close(layout::Setting(name), value));
}

absl::StatusOr<int64_t> Transaction::GetCount(absl::string_view name) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetCount, Text{name}));
  return rows.empty() ? 0 : rows.Int(0, 0);
}

absl::Status Transaction::AddToCount(absl::string_view name, int64_t more) {
  return Queue(kAddToCount, Text{name}, more);
}

absl::StatusOr<std::vector<Id>> Transaction::FindMarked(absl::string_view mark, size_t most) {
  if (!broken_.ok()) return broken_;
  if (const auto known = marked_.find(mark); known != marked_.end()) {
    ++work_;
    const std::vector<Id>& all = known->second;
    return std::vector<Id>(all.begin(),
                           all.begin() + static_cast<ptrdiff_t>(std::min(most, all.size())));
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kFindMarked, mark, static_cast<int64_t>(most)));
  std::vector<Id> marked;
  for (int row = 0; row < rows.size(); ++row) marked.push_back(rows.IdAt(row, 0));
  return marked;
}

absl::StatusOr<std::vector<std::string>> Transaction::FindCommonMarks(size_t many) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kFindCommon, static_cast<int64_t>(many)));
  std::vector<std::string> marks;
  for (int row = 0; row < rows.size(); ++row) marks.push_back(rows.Bytes(row, 0));
  return marks;
}

absl::Status Transaction::PutMark(absl::string_view mark, const Id& person) {
  marked_.erase(mark);
  return Queue(kPutMark, mark, person);
}

absl::Status Transaction::DeleteMark(absl::string_view mark, const Id& person) {
  marked_.erase(mark);
  return Queue(kDeleteMark, mark, person);
}

}  // namespace zhibu::server::postgresql
