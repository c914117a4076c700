// Records that somebody looks for by what they are called: 王, wang xy, wxy, 七月.
//
//   Names names(*store, Language::kChinese);
//   ASSIGN_OR_RETURN(const SearchHits found, Search(*store, names, {member_type}, "wxy", 20));
//   ASSIGN_OR_RETURN(found, Search(*store, names, ChoicesFor(names, field), "", 20));
//
// Threads and errors: as the store.
#ifndef ZHIBU_CLIENT_CORE_QUERY_SEARCH_H_
#define ZHIBU_CLIENT_CORE_QUERY_SEARCH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/actions/names.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct SearchHit {
  const RecordType* type = nullptr;
  Id id;
  std::string title;
  std::string about;  // who keeps it; empty where it says nothing of that
};

struct SearchHits {
  std::vector<SearchHit> hits;  // those whose title begins with the text first
  bool more = false;            // than `limit`
};

// Of these types, whose title has `text` or sounds like it; an empty one has every title.
absl::StatusOr<SearchHits> Search(Store& store, Names& names,
                                  const std::vector<const RecordType*>& types,
                                  absl::string_view text, size_t limit);

// What a person would choose from to fill in that field: members and organisations, unless it says
// what it is of.
std::vector<const RecordType*> ChoicesFor(const Names& names,
                                          const google::protobuf::FieldDescriptor& field);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_QUERY_SEARCH_H_
