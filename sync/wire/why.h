// Why something was refused, in one language, with what it concerns in that language too. On the
// wire a detail says names out of a .proto, which every client understands:
//
//   BAD_VALUE "born: 2026-01-31"           出生日期（写作 2026-01-31 这样的日期）
//   STEP_NOT_ALLOWED "state: HELD → PLANNED"  状态: 已召开 → 计划
//   UNKNOWN_FIELD "Meeting.topic"          会议.主题
#ifndef ZHIBU_SYNC_WIRE_WHY_H_
#define ZHIBU_SYNC_WIRE_WHY_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/strings/string_view.h"
#include "sync/base/words.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu {

// The detail of a refusal alone. `type`: of the record that was refused; null: what its names mean
// in whichever type has them.
std::string DetailInWords(absl::string_view detail, const google::protobuf::Descriptor* type,
                          Language language);

// The words of the reason with that detail in them.
std::string WhyInWords(sync::v1::Reason reason, absl::string_view detail,
                       const google::protobuf::Descriptor* type, Language language);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_WHY_H_
