// Scalars on the wire, compared and added without a generated class: for MAX,
// MIN, FORWARD and SUM.
//
//   ScalarOf(rule, theirs) < ScalarOf(rule, ours)
//
// Internal to the merge (sync/merge/merge.h).
#ifndef ZHIBU_SYNC_WIRE_SCALAR_H_
#define ZHIBU_SYNC_WIRE_SCALAR_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sync/schema/schema.h"

namespace zhibu::merging {

struct Scalar {
  bool is_signed = false;
  uint64_t number = 0;  // of a Timestamp the seconds
  int32_t nanos = 0;
  absl::string_view text;

  bool is_nonzero() const { return number != 0 || nanos != 0 || !text.empty(); }

  friend bool operator<(const Scalar& a, const Scalar& b) {
    if (a.text != b.text) return a.text < b.text;
    if (a.number != b.number) {
      return a.is_signed ? static_cast<int64_t>(a.number) < static_cast<int64_t>(b.number)
                         : a.number < b.number;
    }
    return a.nanos < b.nanos;
  }
};

// Of a field as on the wire, tag included; of none, zero. Its text lies in `raw`.
Scalar ScalarOf(const FieldRule& rule, absl::string_view raw);

// The field that holds both; nothing where that is zero.
std::string SumField(const FieldRule& rule, absl::string_view value, absl::string_view addend);

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_WIRE_SCALAR_H_
