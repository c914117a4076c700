// What is wrong with a cell, in words.
#ifndef ZHIBU_SYNC_EXCHANGE_FLAW_WORDS_H_
#define ZHIBU_SYNC_EXCHANGE_FLAW_WORDS_H_

#include "absl/strings/string_view.h"
#include "sync/exchange/sheet.h"
#include "sync/exchange/values.h"

namespace zhibu {

struct FlawWords {
  absl::string_view zh;
  absl::string_view en;
  bool may_repeat;  // the value: it is nothing private
};

FlawWords WordsFor(Flaw flaw);

// "“1990”只有年份…", without the value where it is private.
Words Describe(Flaw flaw, absl::string_view text);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_FLAW_WORDS_H_
