#include "sync/exchange/flaw_words.h"

#include "absl/strings/str_cat.h"
#include "sync/exchange/text.h"

namespace zhibu {

FlawWords WordsFor(Flaw flaw) {
  switch (flaw) {
    case Flaw::kRounded:
      return {"被表格软件当作数值，末几位已变成 0，原号码丢失：请把该列设为文本格式后重新填写",
              "was taken for a quantity by the spreadsheet program, and its last digits are lost; "
              "format the column as text and enter it again",
              false};
    case Flaw::kOnlyYear:
      return {"只有年份，至少要写到月", "has only a year; write the month at least", true};
    case Flaw::kLostZero:
      return {"可能是 1 月，也可能是 10 月（表格软件去掉了末尾的 0），请写成 1990-01 或 1990-10",
              "may be January or October, whose zero a spreadsheet drops; write 1990-01 or 1990-10",
              true};
    case Flaw::kNotInCalendar:
      return {"日历上没有这一天", "is not in the calendar", true};
    case Flaw::kOldNumber:
      return {"是 15 位的旧号码，请填 18 位的", "is an old one of 15 digits; enter the one of 18",
              false};
    case Flaw::kWrongLength:
      return {"不是 18 位", "does not have 18 characters", false};
    case Flaw::kWrongCheck:
      return {"有误：校验码或出生日期不对",
              "is wrong: its check digit or the date in it is not right", false};
    case Flaw::kLostCharacter:
      return {"里有问号：生僻字在保存时丢失了，请另存为 XLSX 或 UTF-8 后再试",
              "has a question mark in it, where saving has lost a rare character; save the file as "
              "XLSX or UTF-8",
              true};
    case Flaw::kMarkLeftOut:
      return {"旁边的标记没有读取", "has a mark beside it that was not read", true};
    case Flaw::kNotUnderstood:
    case Flaw::kNone:
      break;
  }
  return {"无法识别", "is not understood", true};
}

Words Describe(Flaw flaw, absl::string_view text) {
  const FlawWords words = WordsFor(flaw);
  if (!words.may_repeat) return Say(words.zh, words.en);
  return Say(absl::StrCat("“", Excerpt(text), "”", words.zh),
             absl::StrCat("\"", Excerpt(text), "\" ", words.en));
}

}  // namespace zhibu
