// Protobuf's wire format, read field by field without a generated class. The
// merge works on these bytes, so that a field which this build has never heard
// of is kept.
#ifndef ZHIBU_SYNC_WIRE_WIRE_H_
#define ZHIBU_SYNC_WIRE_WIRE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace zhibu::wire {

enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline constexpr uint32_t kNumberMax = (1u << 29) - 1;

struct Field {
  uint32_t number = 0;
  Type type = Type::kVarint;
  uint64_t scalar = 0;        // kVarint, kFixed64, kFixed32
  absl::string_view payload;  // kBytes: the content
  absl::string_view whole;    // tag and all
};

// Reads the fields of one message in the order they stand.
//
//   wire::Reader reader(bytes);
//   wire::Field field;
//   while (reader.Next(&field)) …
//   if (!reader.ok()) …  // cut off, a bad tag, or a group (not used since proto2)
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}

  bool Next(Field* field);
  bool ok() const { return ok_; }

 private:
  bool Fail();

  absl::string_view rest_;
  bool ok_ = true;
};

void AppendVarint(uint64_t value, std::string* out);
void AppendVarintField(uint32_t number, uint64_t value, std::string* out);
void AppendFixed32Field(uint32_t number, uint32_t value, std::string* out);
void AppendFixed64Field(uint32_t number, uint64_t value, std::string* out);
void AppendBytesField(uint32_t number, absl::string_view payload, std::string* out);

// Every occurrence of the field in a message, as it stands there.
std::string ValuesIn(absl::string_view message, uint32_t number);

// Again, in as few bytes as there are.
void AppendField(const Field& field, std::string* out);

// Whether its tag, length and number take as few bytes as there are.
bool IsShortest(const Field& field);
// The numbers of a packed field, in the order they stand.
class PackedReader {
 public:
  PackedReader(Type type, absl::string_view payload) : type_(type), rest_(payload) {}

  // In `field` is no tag: `whole` is the number alone.
  bool Next(Field* field);
  bool ok() const { return ok_; }

 private:
  const Type type_;
  absl::string_view rest_;
  bool ok_ = true;
};

inline uint64_t ZigZag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t UnZigZag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

}  // namespace zhibu::wire

#endif  // ZHIBU_SYNC_WIRE_WIRE_H_
