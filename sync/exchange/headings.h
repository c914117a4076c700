// The words of offices that the import knows: data, in headings.textproto.
#ifndef ZHIBU_SYNC_EXCHANGE_HEADINGS_H_
#define ZHIBU_SYNC_EXCHANGE_HEADINGS_H_

#include "absl/strings/string_view.h"
#include "zhibu/exchange/v1/headings.pb.h"

namespace zhibu {

const exchange::v1::Headings& AllHeadings();

// A cell that says that there is nothing: 无, —, 不详.
bool IsBlankWord(absl::string_view cell);
// What a spreadsheet shows instead of a value: #N/A, or ##### where the column was too narrow.
bool IsErrorWord(absl::string_view cell);
// The same as in the row above: 同上.
bool IsDitto(absl::string_view cell);
// By its first cell, a row that sums up (合计5人), or one of signatures and remarks (制表人：…).
bool IsSum(absl::string_view first_cell);
bool IsFoot(absl::string_view first_cell);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_HEADINGS_H_
