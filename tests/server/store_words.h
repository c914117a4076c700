// What is in a store, in short words: "ann" is the Id whose bytes are "ann" and zeros, so that ids
// sort as their names do.
#ifndef ZHIBU_TESTS_SERVER_STORE_WORDS_H_
#define ZHIBU_TESTS_SERVER_STORE_WORDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/store/store.h"
#include "sync/base/status.h"

namespace zhibu::server {

inline Id Named(absl::string_view name) {
  std::string bytes(name);
  bytes.resize(Id::kSize, '\0');
  return *Id::FromBytes(bytes);
}
inline std::string NameOf(const Id& id) { return std::string(id.bytes().data()); }

constexpr uint32_t kMeeting = 31;
constexpr uint32_t kMember = 20;

inline RecordState Written(Version version, absl::string_view body) {
  RecordState state;
  state.exists = true;
  state.touch = {version, DeviceNumber(7), StampAt(1700000000000, 3)};
  state.body = std::string(body);
  state.trace = absl::StrCat("trace of ", body);
  return state;
}

// "4 31/ann=hello", " left" where it has left, " deleted" where it is.
inline std::string Describe(const FeedRow& row) {
  return absl::StrCat(row.version.value, " ", row.key.type, "/", NameOf(row.key.id), "=",
                      row.state.body, row.present ? "" : " left",
                      row.state.alive() ? "" : " deleted");
}

inline absl::StatusOr<std::string> FeedOf(Reader& reader, absl::string_view scope,
                                          uint64_t after = 0, uint32_t offices = kAllOffices) {
  std::vector<std::string> rows;
  RETURN_IF_ERROR(reader.ReadFeed(Named(scope), Version(after), offices, [&](const FeedRow& row) {
    rows.push_back(Describe(row));
    return true;
  }));
  return absl::StrJoin(rows, ", ");
}

inline absl::StatusOr<std::string> ListOf(Reader& reader, uint32_t type,
                                          std::optional<absl::string_view> scope) {
  std::vector<std::string> rows;
  std::optional<Id> id;
  if (scope.has_value()) id = Named(*scope);
  RETURN_IF_ERROR(reader.ListRecords(type, id, [&](const Id& record, const RecordState& state) {
    rows.push_back(absl::StrCat(NameOf(record), "=", state.body));
  }));
  return absl::StrJoin(rows, ", ");
}

// Seen there by `offices`.
inline std::vector<Showing> Shown(const std::vector<Id>& scopes, uint32_t offices = kAllOffices) {
  std::vector<Showing> showings;
  for (const Id& scope : scopes) showings.push_back({scope, offices});
  return showings;
}

}  // namespace zhibu::server

#endif  // ZHIBU_TESTS_SERVER_STORE_WORDS_H_
