#include "client-core/c/told.h"

#include <string>

#include "client-core/sessions.h"
#include "sync/base/reason.h"
#include "sync/base/text.h"
#include "sync/schema/schema.h"
#include "sync/wire/why.h"

namespace zhibu::client {
namespace {

struct InWords {
  const char* zh;
  const char* en;
};

// Of what is no refusal: the disk's trouble, or the app's own mistake.
InWords WordsOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
      return {
          "本机存储空间不足，没有任何改动。请清理空间后重试。",
          "There is no room left on this device; nothing was changed. Free some and try again."};
    case absl::StatusCode::kDataLoss:
      return {
          "本机有一处数据已损坏，无法读取，其余数据不受影响。请与管理员联系，不要清除应用数据。",
          "Something on this device is damaged and cannot be read; the rest is as it was. Ask "
          "the administrator, and do not clear the app's data."};
    case absl::StatusCode::kUnavailable:
      return {"本机数据暂时无法读写，没有任何改动。请稍后重试。",
              "The data on this device cannot be read or written now; nothing was changed. Try "
              "again in a while."};
    case absl::StatusCode::kFailedPrecondition:
      return {"现在不能这样做，没有任何改动。请更新应用或稍后重试。",
              "This cannot be done now; nothing was changed. Update the app, or try again later."};
    default:
      return {"应用出现内部错误，没有任何改动。请更新应用，或与管理员联系。",
              "The app has made a mistake; nothing was changed. Update it, or ask the "
              "administrator."};
  }
}

std::string WhyTo(const Refused& refused, Language language) {
  const RecordType* type = CatalogueSchema()->Find(refused.type);
  return Printable(WhyInWords(refused.reason, refused.detail,
                              type == nullptr ? nullptr : type->descriptor, language));
}

}  // namespace

api::v1::Error ErrorOf(const absl::Status& status) {
  const Refused refused = ReasonOf(status);
  api::v1::Error error;
  error.set_code(static_cast<int>(status.code()));
  error.set_reason(refused.reason);
  error.set_type(refused.type);
  if (refused.reason == sync::v1::NO_REASON) {
    const InWords words = WordsOf(status.code());
    error.set_words_zh(words.zh);
    error.set_words_en(words.en);
    error.set_detail(Printable(std::string(status.message())));
  } else {
    error.set_words_zh(WhyTo(refused, Language::kChinese));
    error.set_words_en(WhyTo(refused, Language::kEnglish));
    error.set_detail(Printable(refused.detail));
  }
  return error;
}

api::v1::Error ErrorOf(sync::v1::Reason reason, absl::string_view detail) {
  return ErrorOf(Refuse(reason, detail));
}

absl::Status StatusOf(const api::v1::StreamEnd& end) {
  if (end.other_server()) return Refuse(sync::v1::OTHER_SERVER, "");
  return WhyEnded(static_cast<absl::StatusCode>(end.code()), end.text(), end.details());
}

}  // namespace zhibu::client
