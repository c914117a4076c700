// Equality and order of values, numbers across their kinds: 1 == 1u == 1.0.
#ifndef ZHIBU_SYNC_RULES_CEL_COMPARE_H_
#define ZHIBU_SYNC_RULES_CEL_COMPARE_H_

#include <compare>
#include <optional>

#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// Of any two proper values; of different kinds, false. What is looked at is charged: once
// `meter` is exhausted, the answer means nothing.
bool AreEqual(const Value& a, const Value& b, Meter* meter);

// Nothing where they have no order: of different kinds, or lists, maps, messages, null, types.
std::optional<std::partial_ordering> Compare(const Value& a, const Value& b);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_COMPARE_H_
