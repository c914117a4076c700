// What every part of one transaction of ingest is handed.
#ifndef ZHIBU_SERVER_INGEST_WORK_H_
#define ZHIBU_SERVER_INGEST_WORK_H_

#include "server/base/observer.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "sync/rules/book/book.h"
#include "sync/rules/rule_book.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

struct Work {
  const Schema& schema;
  const RuleBook& rules;
  const rules::Book& book;  // whose figures are kept
  const Environment& environment;
  Observer& observer;
  Writer& writer;
  DeviceNumber own_chain;  // in which stands what this process composes (own_chain.h)
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_WORK_H_
