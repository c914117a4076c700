// A ledger, or all of them, into a file of the operator's.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/admin/acts.h"
#include "server/admin/admin.h"
#include "server/exchange/ledger.h"
#include "server/identity/named.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/sheet.h"
#include "sync/exchange/write_csv.h"
#include "sync/exchange/write_workbook.h"
#include "sync/rules/book/book.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {
namespace {

using records::v1::OperatorAct;
using records::v1::Organisation;
using rules::Ledger;
using rules::LedgerTable;

absl::StatusOr<std::vector<const Ledger*>> Named(const std::string& name) {
  std::vector<const Ledger*> ledgers;
  if (name.empty()) {
    for (const Ledger& ledger : rules::ShippedBook().ledgers()) ledgers.push_back(&ledger);
    return ledgers;
  }
  ledgers.push_back(rules::ShippedBook().FindLedger(name));
  if (ledgers.front() != nullptr) return ledgers;
  return absl::NotFoundError(InBoth(absl::StrCat("没有这种台账：", name),
                                    absl::StrCat("there is no such ledger: ", name)));
}

absl::Status WriteInto(const NewFile& file, const std::string& name,
                       const std::vector<LedgerTable>& tables) {
  if (absl::EndsWithIgnoreCase(name, ".xlsx")) return WriteWorkbook(tables, file);
  if (absl::EndsWithIgnoreCase(name, ".csv") && tables.size() == 1) {
    return file.Write(CsvOf(tables[0]));
  }
  return Unusable("文件名须以 .xlsx 或 .csv 结尾；多张台账只能写入 .xlsx",
                  "the file's name ends with .xlsx or .csv; several ledgers go into .xlsx only");
}

absl::Status InWords(const absl::Status& status) {
  if (!HasWords(status)) return status;
  const Words words = WordsOf(status);
  return absl::InvalidArgumentError(InBoth(words.zh(), words.en()));
}

}  // namespace

absl::StatusOr<admin::v1::LedgerReply> Admin::Ledger(const admin::v1::LedgerRequest& request) {
  RETURN_IF_ERROR(CheckOperatorName(request.operator_name()));
  ASSIGN_OR_RETURN(const auto ledgers, Named(request.ledger()));
  rules::LedgerQuery query{.today = DayAt(hub_.environment().now_ms())};
  if (request.year() != 0) query.year = request.year();
  if (request.english()) query.language = Language::kEnglish;
  std::vector<LedgerTable> tables;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(query.organisation,
                     FindRegistered<Organisation>(reader, request.organisation(), Among::kThere));
    ASSIGN_OR_RETURN(tables, WriteUpForOperator(reader, ledgers, query));
    return absl::OkStatus();
  }));
  absl::StatusOr<NewFile> file = NewFile::Begin(request.file());
  RETURN_IF_ERROR(InWords(file.status()));
  RETURN_IF_ERROR(InWords(WriteInto(*file, request.file(), tables)));
  RETURN_IF_ERROR(InWords(file->Finish()));
  // First: nobody has the file before it is written down.
  OperatorAct act;
  act.set_kind(OperatorAct::LEDGER_EXPORTED);
  act.set_organisation_id(query.organisation.str());
  act.set_file(file->digest());
  RETURN_IF_ERROR(NoteAct(request.operator_name(), act));
  RETURN_IF_ERROR(InWords(file->Keep()));
  admin::v1::LedgerReply reply;
  reply.set_ledgers(static_cast<uint32_t>(tables.size()));
  for (const LedgerTable& table : tables) {
    reply.set_rows(reply.rows() + table.rows.size());
    for (const std::string& fault : table.faults) reply.add_faults(fault);
  }
  return reply;
}

}  // namespace zhibu::server
