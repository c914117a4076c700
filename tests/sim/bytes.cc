#include "tests/sim/bytes.h"

#include <limits>
#include <set>

#include "absl/strings/str_cat.h"

namespace zhibu::sim {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

// Takes a varint from the front.
bool Take(absl::string_view* rest, uint64_t* value, bool* shortest) {
  *value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (rest->empty()) return false;
    const auto byte = static_cast<uint8_t>(rest->front());
    rest->remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift > 0) *shortest = false;
    return true;
  }
  return false;
}

bool Take(absl::string_view* rest, size_t size, absl::string_view* taken) {
  if (rest->size() < size) return false;
  *taken = rest->substr(0, size);
  rest->remove_prefix(size);
  return true;
}

uint64_t LittleEnd(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

int WireTypeOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return kFixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return kBytes;
    default:
      return kVarint;
  }
}

bool InRange(const FieldDescriptor& field, uint64_t value) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return value <= 1;
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_SINT32:
      return value <= std::numeric_limits<uint32_t>::max();
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_ENUM: {
      const auto number = static_cast<int64_t>(value);
      return number >= std::numeric_limits<int32_t>::min() &&
             number <= std::numeric_limits<int32_t>::max();
    }
    default:
      return true;
  }
}

std::string AmbiguityOf(const FieldDescriptor& field, const Piece& piece) {
  const bool packed = field.is_packed();
  if (piece.type != (packed ? kBytes : WireTypeOf(field))) return "another wire type";
  if (packed) {
    absl::string_view rest = piece.payload;
    uint64_t value = 0;
    bool shortest = true;
    while (!rest.empty() && WireTypeOf(field) == kVarint) {
      if (!Take(&rest, &value, &shortest)) return "a packed list that is cut off";
      if (!InRange(field, value)) return "out of range";
    }
    return shortest ? "" : "a varint with padding";
  }
  if (!InRange(field, piece.value)) return "out of range";
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return "";
  return Ambiguity(*field.message_type(), piece.payload);
}

}  // namespace

std::optional<std::vector<Piece>> PiecesOf(absl::string_view rest) {
  std::vector<Piece> pieces;
  while (!rest.empty()) {
    Piece piece;
    uint64_t tag = 0;
    if (!Take(&rest, &tag, &piece.shortest)) return std::nullopt;
    piece.number = static_cast<uint32_t>(tag >> 3);
    piece.type = static_cast<int>(tag & 7);
    if (piece.number == 0 || tag >> 3 > FieldDescriptor::kMaxNumber) return std::nullopt;
    absl::string_view taken;
    switch (piece.type) {
      case kVarint:
        if (!Take(&rest, &piece.value, &piece.shortest)) return std::nullopt;
        break;
      case kFixed64:
      case kFixed32:
        if (!Take(&rest, piece.type == kFixed64 ? 8 : 4, &taken)) return std::nullopt;
        piece.value = LittleEnd(taken);
        break;
      case kBytes:
        if (!Take(&rest, &piece.value, &piece.shortest)) return std::nullopt;
        if (!Take(&rest, piece.value, &taken)) return std::nullopt;
        piece.payload = std::string(taken);
        break;
      default:
        return std::nullopt;
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::string VarintOf(uint64_t value, int padding) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
  for (int i = 0; i < padding; ++i) {
    bytes.back() = static_cast<char>(bytes.back() | 0x80);
    bytes += '\0';
  }
  return bytes;
}

std::string BytesOf(const Piece& piece, int padding) {
  std::string bytes = VarintOf(uint64_t{piece.number} << 3 | static_cast<uint64_t>(piece.type));
  switch (piece.type) {
    case kVarint:
      return bytes + VarintOf(piece.value, padding);
    case kBytes:
      return bytes + VarintOf(piece.payload.size(), padding) + piece.payload;
    default:
      for (int i = 0; i < (piece.type == kFixed64 ? 8 : 4); ++i) {
        bytes += static_cast<char>(piece.value >> (8 * i));
      }
      return bytes;
  }
}

std::string BytesOf(const std::vector<Piece>& pieces) {
  std::string bytes;
  for (const Piece& piece : pieces) bytes += BytesOf(piece);
  return bytes;
}

std::string Ambiguity(const Descriptor& type, absl::string_view bytes) {
  const auto pieces = PiecesOf(bytes);
  if (!pieces) return absl::StrCat(type.name(), ": not a message");
  std::set<const void*> said;
  uint32_t last = 0;
  for (const Piece& piece : *pieces) {
    const auto complain = [&](absl::string_view what) {
      return absl::StrCat(type.name(), ".", piece.number, ": ", what);
    };
    if (!piece.shortest) return complain("a varint with padding");
    if (piece.number < last) return complain("out of order");
    last = piece.number;
    const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(piece.number));
    if (field == nullptr) continue;
    const auto* oneof = field->real_containing_oneof();
    const void* slot = oneof == nullptr ? static_cast<const void*>(field) : oneof;
    const bool once = !field->is_repeated() || field->is_packed();
    if (once && !said.insert(slot).second) return complain("twice");
    if (const std::string why = AmbiguityOf(*field, piece); !why.empty()) return complain(why);
  }
  return "";
}

}  // namespace zhibu::sim
