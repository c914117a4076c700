// Records of the types that rules and the server name, as the messages they are.
#ifndef ZHIBU_SYNC_RULES_TYPED_H_
#define ZHIBU_SYNC_RULES_TYPED_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/status.h"
#include "sync/rules/lookup.h"
#include "sync/schema/schema.h"

namespace zhibu {

template <typename T>
const RecordType& TypeOf() {
  static const RecordType& type = *CatalogueSchema()->Find(T::descriptor());
  return type;
}

template <typename T>
bool IsA(const RecordType& type) {
  return type.number == TypeOf<T>().number;
}

// What cannot be read is empty.
template <typename T>
T Parse(absl::string_view body) {
  T record;
  record.ParseFromArray(body.data(), static_cast<int>(body.size()));
  return record;
}

// Nothing where there is no such living record.
template <typename T>
absl::StatusOr<std::optional<T>> Find(Lookup& reader, const Id& id) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({TypeOf<T>().number, id}));
  T record;
  if (!state.alive() || !record.ParseFromString(state.body)) return std::nullopt;
  return record;
}

// By the bytes of its id; empty where there is none.
template <typename T>
absl::StatusOr<T> Get(Lookup& reader, absl::string_view id) {
  const auto known = Id::FromBytes(id);
  if (!known) return T();
  ASSIGN_OR_RETURN(std::optional<T> found, Find<T>(reader, *known));
  return found ? *std::move(found) : T();
}

template <typename T>
absl::StatusOr<std::string> NameOf(Lookup& reader, absl::string_view id) {
  ASSIGN_OR_RETURN(const T record, Get<T>(reader, id));
  return record.name();
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_TYPED_H_
