// What a notice (公示) shows of the record that it is about.
#ifndef ZHIBU_SYNC_RULES_NOTICE_H_
#define ZHIBU_SYNC_RULES_NOTICE_H_

#include <memory>

#include "sync/rules/rule.h"
#include "sync/schema/schema.h"

namespace zhibu {

std::unique_ptr<const Rule> NoticeRule(std::shared_ptr<const Schema> schema);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_NOTICE_H_
