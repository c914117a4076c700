// What a record points at is there, is of the right kind, and has to do with it.
//
//   refused = an edit writes the id of a record (refers_to) that was never there, or that neither
//             lies nor ever lay in a scope in which this record lies
//
// "Not there" and "not yours" are one answer. What has been deleted since was there. What is kept
// together (kept_with) the server's authority holds together.
#ifndef ZHIBU_SYNC_RULES_REFERENCES_H_
#define ZHIBU_SYNC_RULES_REFERENCES_H_

#include <memory>

#include "sync/rules/rule.h"

namespace zhibu {

std::unique_ptr<const Rule> ReferencesRule();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_REFERENCES_H_
