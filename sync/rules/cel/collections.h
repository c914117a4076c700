// Lists and maps as values hold them: never changed once made.
#ifndef ZHIBU_SYNC_RULES_CEL_COLLECTIONS_H_
#define ZHIBU_SYNC_RULES_CEL_COLLECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/variant.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

class List {
 public:
  virtual ~List() = default;
  virtual size_t size() const = 0;
  virtual Value At(size_t index) const = 0;
};

class ValueList : public List {
 public:
  explicit ValueList(std::vector<Value> values) : values_(std::move(values)) {}
  size_t size() const override { return values_.size(); }
  Value At(size_t index) const override { return values_[index]; }

 private:
  const std::vector<Value> values_;
};

// Numbers that are equal are one key, whatever their kind: 2, 2u and 2.0.
using MapKey = absl::variant<bool, int64_t, uint64_t, absl::string_view>;

// Nothing for what equals no key. The text lies in `value`.
std::optional<MapKey> KeyOf(const Value& value);

// Entries keep their order.
class Map {
 public:
  using Entries = std::vector<std::pair<Value, Value>>;

  explicit Map(Entries entries) : entries_(std::move(entries)) {}
  // False where a key is none, or comes twice. Called once.
  bool Index();

  size_t size() const { return entries_.size(); }
  const Entries& entries() const { return entries_; }
  // Null where there is none.
  const Value* Find(const Value& key) const;

 private:
  const Entries entries_;
  absl::flat_hash_map<MapKey, size_t> index_;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_COLLECTIONS_H_
