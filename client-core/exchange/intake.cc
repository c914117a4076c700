#include "client-core/exchange/intake.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client-core/actions/books.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/known.h"
#include "client-core/exchange/field.h"
#include "client-core/exchange/known_records.h"
#include "client-core/exchange/people.h"
#include "client-core/exchange/row.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/base/words.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/open.h"
#include "sync/exchange/text.h"
#include "sync/rules/book/check.h"
#include "sync/rules/book/same.h"
#include "sync/rules/supplements.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::LedgerInto;
using Fate = IntakeRow::Fate;

constexpr size_t kRecordsToAnEdit = 200;

void CopyField(const FieldDescriptor& field, const Message& from, Message* to) {
  const std::unique_ptr<Message> only(from.New());
  only->CopyFrom(from);
  std::vector<const FieldDescriptor*> fields;
  only->GetReflection()->ListFields(*only, &fields);
  for (const FieldDescriptor* other : fields) {
    if (other != &field) only->GetReflection()->ClearField(only.get(), other);
  }
  to->GetReflection()->ClearField(to, &field);
  to->MergeFrom(*only);
}

// What is to be written for a row, once all rows are read.
struct Planned {
  size_t row = 0;  // of the report
  Draft draft;
};

class TakingIn {
 public:
  TakingIn(Store& store, const IntakeAsked& asked, OpenedSheet opened, People people,
           KnownRecords known, absl::CivilDay today)
      : store_(store),
        asked_(asked),
        intake_(*asked.ledger->intake),
        opened_(std::move(opened)),
        columns_(*asked.ledger, opened_.sheet.rows[opened_.header.first]),
        people_(std::move(people)),
        known_(std::move(known)),
        today_(today),
        around_(AroundHere(store)) {}

  // By what is judged here, and when it is written.
  absl::Status ReadBooks() {
    ASSIGN_OR_RETURN(books_, BooksHere(store_));
    return absl::OkStatus();
  }

  absl::StatusOr<Intake> Run() {
    const std::vector<SheetRow>& rows = opened_.sheet.rows;
    taken_.unread = columns_.Unread();
    SayHowItWasRead(rows[opened_.header.first].line);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == opened_.header.first) continue;
      taken_.rows.push_back({.line = rows[i].line});
      RETURN_IF_ERROR(Take(rows[i], i < opened_.header.first));
    }
    if (!asked_.check) RETURN_IF_ERROR(Write());
    return std::move(taken_);
  }

 private:
  IntakeRow& row() { return taken_.rows.back(); }
  void End(Fate fate, Words words = {}) {
    row().fate = fate;
    if (!words.zh().empty()) row().notes.push_back({"", "", std::move(words)});
  }

  void SayHowItWasRead(uint32_t header_line) {
    const Words& read_as = opened_.sheet.read_as;
    taken_.read_as = Say(absl::StrCat(read_as.zh(), "，表头在第 ", header_line, " 行"),
                         absl::StrCat(read_as.en(), ", its header in line ", header_line));
    for (const Words& other : opened_.others) {
      absl::StrAppend(taken_.read_as.mutable_zh(), "；没有读取：", other.zh());
      absl::StrAppend(taken_.read_as.mutable_en(), "; not read: ", other.en());
    }
  }

  std::optional<Words> WhyLeftOut(const SheetRow& cells, bool above) const {
    if (above) return Say("在表头上面", "stands above the header");
    if (cells.broken) return std::nullopt;
    if (columns_.IsRepeatedBy(cells)) return Say("又是表头", "is the header again");
    absl::string_view first;
    for (size_t i = 0; first.empty() && i < cells.cells.size(); ++i) first = Trim(cells.cells[i]);
    if (IsSum(first)) return Say("是合计行", "sums up");
    if (IsFoot(first)) return Say("是落款或说明", "is a signature or a remark");
    return std::nullopt;
  }

  absl::Status Take(const SheetRow& cells, bool above) {
    if (const auto why = WhyLeftOut(cells, above)) {
      End(Fate::kLeftOut, *why);
      return absl::OkStatus();
    }
    if (cells.broken) {
      End(Fate::kWrong, Say("引号不成对", "has a quotation mark without its partner"));
      return absl::OkStatus();
    }
    const std::unique_ptr<Message> record =
        ReadRow({asked_, columns_, people_, known_, opened_.sheet.days_from_1904}, cells, &row());
    if (record == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string key, known_.KeyOf(*record));
    const auto [earlier, fresh] = lines_.emplace(key, row().line);
    if (!fresh) {
      End(Fate::kWrong, Say(absl::StrCat("与第 ", earlier->second, " 行说的是同一条"),
                            absl::StrCat("says the same record as line ", earlier->second)));
      return absl::OkStatus();
    }
    return Match(*record, known_.With(key));
  }

  absl::Status Match(const Message& record, const std::vector<Id>& there) {
    if (there.empty()) return Make(record);
    absl::StatusOr<Draft> draft = store_.Edit(*intake_.type, there.front());
    RETURN_IF_ERROR(draft.status());
    return Compare(record, *std::move(draft), there.size());
  }

  absl::Status Make(const Message& record) {
    Draft draft = store_.New(*intake_.type);
    draft.message().CopyFrom(record);
    for (const auto* value : intake_.always) {
      const FieldDescriptor* field = FieldOfType(*value->type());
      draft.message().GetReflection()->SetEnum(&draft.message(), field, value);
    }
    return Plan(std::move(draft), Fate::kMade);
  }
  const FieldDescriptor* FieldOfType(const google::protobuf::EnumDescriptor& type) const {
    const auto* descriptor = intake_.type->descriptor;
    for (int i = 0; i < descriptor->field_count(); ++i) {
      if (descriptor->field(i)->enum_type() == &type) return descriptor->field(i);
    }
    return nullptr;
  }

  // Of several that are recorded one that says the same will do.
  absl::Status Compare(const Message& record, Draft draft, size_t there) {
    bool differs = false, fills = false;
    const bool take = asked_.take.count(row().line) > 0;
    for (const LedgerInto& into : intake_.into) {
      const FieldDescriptor& field = *into.field;
      if (into.of != nullptr || !IsSaid(field, record)) continue;
      if (IsSaid(field, draft.message())) {
        if (SayTheSame(field, record, draft.message())) continue;
        differs = differs || !take;
        NoteDifference(into, draft.message());
        if (!take) continue;
      }
      CopyField(field, record, &draft.message());
      fills = true;
    }
    if (there > 1) {
      row().notes.push_back(
          {"", "",
           Say(absl::StrCat("已登记 ", there, " 条这样的，请核对是否重复"),
               absl::StrCat(there, " such are recorded; look whether one is too many"))});
    }
    if (fills) RETURN_IF_ERROR(Plan(std::move(draft), Fate::kFilled));
    if (row().fate == Fate::kWrong && fills) return absl::OkStatus();
    if (differs) {
      row().fate = Fate::kAsked;
    } else if (!fills) {
      row().fate = Fate::kSame;
    }
    return absl::OkStatus();
  }

  // Both sides, for whoever decides.
  void NoteDifference(const LedgerInto& into, const Message& known) {
    const std::optional<size_t> place = columns_.PlaceOf(into.column);
    const std::string stands = Shown(*into.field, known);
    row().notes.push_back(
        {place ? LetterOf(*place) : "",
         place ? std::string(columns_.HeadingAt(*place)) : std::string(),
         asked_.take.count(row().line) > 0
             ? Say(absl::StrCat("原为“", stands, "”，改为文件所写"),
                   absl::StrCat("was \"", stands, "\"; the file's is taken"))
             : Say(absl::StrCat("已登记为“", stands, "”，未改；以文件为准请加 --take ", row().line),
                   absl::StrCat("is recorded as \"", stands, "\", which stays; --take ", row().line,
                                " takes the file's"))});
  }
  std::string Shown(const FieldDescriptor& field, const Message& record) const {
    if (field.type() == FieldDescriptor::TYPE_BYTES) {
      return NameOfMember(store_, record.GetReflection()->GetString(record, &field));
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      return WordsOf(*record.GetReflection()->GetEnum(record, &field), Language::kChinese);
    }
    const std::string value = rules::SaidIn(field, record);
    return absl::EndsWith(field.name(), "_fen") ? YuanOf(value) : Excerpt(value);
  }
  static std::string YuanOf(const std::string& fen) {
    std::string padded = fen;
    while (padded.size() < 3) padded.insert(0, "0");
    return absl::StrCat(padded.substr(0, padded.size() - 2), ".", padded.substr(padded.size() - 2));
  }

  absl::StatusOr<std::vector<rules::Finding>> JudgeByBooks(const Draft& draft) {
    std::vector<rules::Finding> findings;
    cel::Purse purse(kAddedStepsMax);
    for (const BookHere& here : books_) {
      if (here.book == nullptr || !here.IsFor(*intake_.type, draft.id(), draft.message())) continue;
      ASSIGN_OR_RETURN(auto by_one,
                       rules::JudgeByAll(*here.book, *intake_.type, draft.id(), draft.message(),
                                         today_, around_.get(), here.BoundsBy(&purse)));
      std::move(by_one.begin(), by_one.end(), std::back_inserter(findings));
    }
    return findings;
  }

  // What a hard check would refuse is told before anything is written.
  absl::Status Plan(Draft draft, Fate fate) {
    const FieldDescriptor* because = intake_.type->descriptor->FindFieldByName("irregular_because");
    if (because != nullptr && !asked_.because.empty() && !IsSaid(*because, draft.message())) {
      draft.message().GetReflection()->SetString(&draft.message(), because, asked_.because);
    }
    ASSIGN_OR_RETURN(const std::vector<rules::Finding> findings, JudgeByBooks(draft));
    bool refused = false;
    for (const rules::Finding& found : findings) {
      if (found.outcome != rules::Outcome::kBroken) continue;
      row().notes.push_back({"", "", found.words});
      const bool excused =
          found.check->because != nullptr && !asked_.because.empty() && found.day < today_;
      refused = refused || (found.check->text.hard() && !excused);
    }
    row().fate = refused ? Fate::kWrong : fate;
    if (!refused) planned_.push_back({taken_.rows.size() - 1, std::move(draft)});
    return absl::OkStatus();
  }

  // So many at once; where they are refused together, each by itself, so that one that is wrong
  // keeps no other out.
  absl::Status Write() {
    for (size_t begin = 0; begin < planned_.size(); begin += kRecordsToAnEdit) {
      const size_t end = std::min(begin + kRecordsToAnEdit, planned_.size());
      const absl::Status all = Commit(begin, end);
      if (all.ok()) continue;
      if (ReasonOf(all).reason == sync::v1::NO_REASON) return all;
      for (size_t i = begin; i < end; ++i) {
        const absl::Status one = Commit(i, i + 1);
        if (one.ok()) continue;
        const auto reason = ReasonOf(one);
        if (reason.reason == sync::v1::NO_REASON) return one;
        IntakeRow& row = taken_.rows[planned_[i].row];
        row.fate = Fate::kWrong;
        row.notes.push_back({"", "", WordsFor(reason.reason, reason.detail)});
      }
    }
    return absl::OkStatus();
  }
  absl::Status Commit(size_t begin, size_t end) {
    std::vector<Draft*> drafts;
    for (size_t i = begin; i < end; ++i) drafts.push_back(&planned_[i].draft);
    return store_.Commit(drafts).status();
  }

  Store& store_;
  const IntakeAsked& asked_;
  const rules::LedgerIntake& intake_;
  const OpenedSheet opened_;
  const LedgerColumns columns_;
  const People people_;
  const KnownRecords known_;
  const absl::CivilDay today_;
  const std::unique_ptr<rules::Surroundings> around_;
  std::vector<BookHere> books_;
  std::map<std::string, uint32_t> lines_;  // by key, of what the file has said
  std::vector<Planned> planned_;
  Intake taken_;
};

absl::Status NoHeader(const rules::Ledger& ledger) {
  std::vector<std::string> zh, en;
  for (const LedgerInto& into : ledger.intake->into) {
    zh.push_back(ledger.columns[into.column].text.head().zh());
    en.push_back(ledger.columns[into.column].text.head().en());
  }
  return Unusable(
      absl::StrCat("没有找到表头，没有导入任何内容。本台账读取的列：", absl::StrJoin(zh, "、")),
      absl::StrCat("there is no header, and nothing was imported; the ledger reads the columns ",
                   absl::StrJoin(en, ", ")));
}

// Without these no row means anything.
absl::Status CheckColumns(const rules::Ledger& ledger, const LedgerColumns& columns) {
  std::map<const FieldDescriptor*, bool> there;
  std::map<const FieldDescriptor*, const rules::v1::Ledger::Column*> heads;
  for (const LedgerInto& into : ledger.intake->into) {
    if (!IsNeeded(*ledger.intake, *into.field)) continue;
    there[into.field] = there[into.field] || columns.PlaceOf(into.column).has_value();
    heads[into.field] = &ledger.columns[into.column].text;
  }
  for (const auto& [field, is_there] : there) {
    if (is_there) continue;
    const auto& head = heads[field]->head();
    return Unusable(
        absl::StrCat("表头缺少“", head.zh(), "”列，没有导入任何内容"),
        absl::StrCat("the header lacks the column \"", head.en(), "\", and nothing was imported"));
  }
  return absl::OkStatus();
}

absl::StatusOr<OpenedSheet> OpenFor(const rules::Ledger& ledger, absl::string_view bytes) {
  const auto find = [&](absl::Span<const SheetRow> rows) { return FindLedgerHeader(ledger, rows); };
  return OpenSheet(bytes, {}, find, NoHeader(ledger));
}

}  // namespace

absl::StatusOr<Sheet> SheetFor(const rules::Ledger& ledger, absl::string_view bytes) {
  ASSIGN_OR_RETURN(OpenedSheet opened, OpenFor(ledger, bytes));
  return std::move(opened.sheet);
}

size_t Intake::Count(IntakeRow::Fate fate) const {
  return static_cast<size_t>(std::count_if(rows.begin(), rows.end(),
                                           [&](const IntakeRow& row) { return row.fate == fate; }));
}

absl::StatusOr<Intake> TakeIn(Store& store, const IntakeAsked& asked, absl::string_view bytes) {
  const rules::Ledger& ledger = *asked.ledger;
  ASSIGN_OR_RETURN(OpenedSheet opened, OpenFor(ledger, bytes));
  RETURN_IF_ERROR(
      CheckColumns(ledger, LedgerColumns(ledger, opened.sheet.rows[opened.header.first])));
  ASSIGN_OR_RETURN(People people, People::Of(store, asked.organisation));
  ASSIGN_OR_RETURN(KnownRecords known, KnownRecords::Of(store, ledger, asked.organisation));
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  TakingIn taking(store, asked, std::move(opened), std::move(people), std::move(known), today);
  RETURN_IF_ERROR(taking.ReadBooks());
  return taking.Run();
}

}  // namespace zhibu::client
