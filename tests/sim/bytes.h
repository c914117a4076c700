// Protobuf's wire form, read and written by hand: what a hostile phone says need not be
// what a serializer writes. Shares no code with sync/wire/wire.h.
#ifndef ZHIBU_TESTS_SIM_BYTES_H_
#define ZHIBU_TESTS_SIM_BYTES_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace zhibu::sim {

inline constexpr int kVarint = 0;
inline constexpr int kFixed64 = 1;
inline constexpr int kBytes = 2;
inline constexpr int kFixed32 = 5;

// One field as it stands.
struct Piece {
  uint32_t number = 0;
  int type = kVarint;
  uint64_t value = 0;    // of a number
  std::string payload;   // of bytes
  bool shortest = true;  // no varint of it is longer than it must be
};

// None where it is cut off, or holds what is no field.
std::optional<std::vector<Piece>> PiecesOf(absl::string_view bytes);

// `padding`: so many bytes more than the shortest varint.
std::string VarintOf(uint64_t value, int padding = 0);
std::string BytesOf(const Piece& piece, int padding = 0);
std::string BytesOf(const std::vector<Piece>& pieces);

// Why somebody might read these bytes of a partial record otherwise than somebody else;
// empty if nobody can.
std::string Ambiguity(const google::protobuf::Descriptor& type, absl::string_view bytes);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_BYTES_H_
