// The functions and operators of CEL, a file for each area.
#ifndef ZHIBU_SYNC_RULES_CEL_STANDARD_H_
#define ZHIBU_SYNC_RULES_CEL_STANDARD_H_

#include "sync/rules/cel/function.h"

namespace zhibu::cel {

// Made once; never changed.
const Functions& StandardFunctions();

// Internal to it.
void AddArithmetic(std::vector<Function>* functions);
void AddComparison(std::vector<Function>* functions);
void AddCollections(std::vector<Function>* functions);
void AddStrings(std::vector<Function>* functions);
void AddConversions(std::vector<Function>* functions);
void AddTime(std::vector<Function>* functions);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_STANDARD_H_
