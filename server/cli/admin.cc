#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/cli/server.h"
#include "server/exchange/roster.h"
#include "server/identity/named.h"
#include "server/net/address.h"
#include "server/rpc/node.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/cli/qr.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/write_marked.h"
#include "sync/rules/book/due_report.h"
#include "sync/rules/book/report.h"
#include "sync/schema/schema.h"
#include "sync/wire/worded.h"
#include "zhibu/admin/v1/admin.grpc.pb.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/enrolment.pb.h"

namespace zhibu::server {
namespace {

using Json = nlohmann::json;
using google::protobuf::util::TimeUtil;
namespace v1 = admin::v1;

constexpr absl::Duration kCallTimeout = absl::Minutes(10);
// All that is stored is read.
constexpr absl::Duration kCheckTimeout = absl::Hours(24);
// How long a call waits for another process to let go of the folder.
constexpr absl::Duration kFolderPatience = absl::Seconds(30);
constexpr absl::Duration kFolderLook = absl::Milliseconds(20);
constexpr int kCodeMinutesMax = 7 * 24 * 60;
constexpr char kOrganisationHelp[] = "An organisation, by registered name or id";

struct Arguments {
  DataPlace place;
  std::string file;
  std::string marked;
  std::string branch;
  std::string ledger;
  uint32_t year = 0;
  bool check = false;
  bool found = false;
  std::string member;
  std::string organisation;
  std::string parent;
  std::string host_parent;
  std::string address;
  bool certificate = false;
  bool withdraw = false;
  bool no_parent = false;
  bool no_host_parent = false;
  std::string operator_name;
  std::string office = "SECRETARY";
  std::string until;
  uint32_t device = 0;
  uint32_t minutes = 0;
  uint32_t limit = 0;
  bool all = false;
  bool wipe = false;
  std::string other;
  std::string period;
  std::string on;
  std::string to;
  bool undo = false;
  bool as_text = false;
};

std::string Clock(int64_t ms) {
  constexpr int64_t kMinute = 60'000;
  return ms == 0 ? "-" : TimeInWords(ms - ms % kMinute);
}

// One invocation: a call to whoever holds the data folder, this process if
// nobody does.
class Command {
 public:
  Command(const Arguments& arguments, bool json, Language language)
      : arguments_(arguments), json_(json), language_(language) {}

  // `may_make`: a data folder that is not there is made.
  absl::Status Open(bool may_make) {
    const absl::Time deadline = absl::Now() + kFolderPatience;
    while (true) {
      absl::StatusOr<std::unique_ptr<Node>> node =
          may_make ? Node::Open(arguments_.place) : Node::OpenThere(arguments_.place);
      if (node.ok()) {
        node_ = *std::move(node);
        stub_ = v1::Admin::NewStub(node_->AdminChannel());
        return absl::OkStatus();
      }
      if (!absl::IsUnavailable(node.status())) return node.status();
      if (const auto channel = AdminSocketChannel(arguments_.place.folder)) {
        stub_ = v1::Admin::NewStub(channel);
        return absl::OkStatus();
      }
      // Another admin call, or a server that starts or ends.
      if (absl::Now() >= deadline) return node.status();
      absl::SleepFor(kFolderLook);
    }
  }

  absl::Status Init() {
    v1::InitRequest request;
    request.set_operator_name(Operator());
    v1::InitReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Init, request, &reply));
    return Print(reply,
                 absl::StrCat(Say("已初始化，证书指纹 ", "initialised, certificate fingerprint "),
                              reply.fingerprint()));
  }

  absl::Status Import() {
    std::ifstream file(arguments_.file, std::ios::binary);
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", arguments_.file));
    std::ostringstream content;
    content << file.rdbuf();
    ASSIGN_OR_RETURN(std::optional<NewFile> marked, BeginMarked());
    v1::ImportRequest request;
    request.set_file(content.str());
    request.set_operator_name(Operator());
    request.set_branch(arguments_.branch);
    request.set_check(arguments_.check);
    request.set_found(arguments_.found);
    v1::ImportReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Import, request, &reply));
    RETURN_IF_ERROR(Print(reply, ReportOf(reply)));
    return marked ? zhibu::InWords(WriteMarkedCopy(request.file(), reply, *marked), language_)
                  : absl::OkStatus();
  }

  // Before anything is imported: where it cannot be made, nothing is.
  absl::StatusOr<std::optional<NewFile>> BeginMarked() const {
    if (arguments_.marked.empty()) return std::nullopt;
    absl::StatusOr<NewFile> file = NewFile::Begin(arguments_.marked);
    if (!file.ok()) return zhibu::InWords(file.status(), language_);
    return std::optional<NewFile>(*std::move(file));
  }

  absl::Status WriteMarkedCopy(const std::string& bytes, const v1::ImportReply& reply,
                               NewFile& file) const {
    ASSIGN_OR_RETURN(const Sheet sheet, SheetOfRoster(bytes));
    RETURN_IF_ERROR(WriteMarked(sheet, MarksOf(reply), language_, file));
    RETURN_IF_ERROR(file.Finish());
    return file.Keep();
  }

  std::vector<Mark> MarksOf(const v1::ImportReply& reply) const {
    std::vector<Mark> marks;
    for (const auto& row : reply.bad_rows()) {
      marks.push_back(
          {Mark::Kind::kRefused, row.line(), std::nullopt, In(language_, row.reason())});
    }
    for (const auto& row : reply.left_out()) {
      marks.push_back(
          {Mark::Kind::kNotRead, row.line(), std::nullopt, In(language_, row.reason())});
    }
    for (const auto& cell : reply.cells()) {
      marks.push_back({Mark::Kind::kDoubtful, cell.line(), ColumnOf(cell.letter()),
                       In(language_, cell.reason())});
    }
    return marks;
  }

  absl::Status Ledger() {
    v1::LedgerRequest request;
    request.set_file(std::filesystem::absolute(arguments_.file).string());
    request.set_ledger(arguments_.ledger);
    request.set_organisation(arguments_.organisation);
    request.set_year(arguments_.year);
    request.set_english(language_ == Language::kEnglish);
    request.set_operator_name(Operator());
    v1::LedgerReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Ledger, request, &reply));
    return Print(reply, absl::StrCat(Say("已写出 ", "written: "), request.file(), Say("，", ", "),
                                     reply.ledgers(), Say(" 张台账、", " ledgers, "), reply.rows(),
                                     Say(" 行；敏感信息已遮盖", " rows; sensitive fields masked")));
  }

  std::string ReportOf(const v1::ImportReply& reply) const {
    std::string text = absl::StrCat(
        arguments_.check ? Say("试读，什么也没有写入。", "tried only, nothing was written. ") : "",
        Say("读作 ", "read as "), In(language_, reply.read_as()), "\n",
        Say("新建组织 ", "organisations made: "), reply.organisations(),
        Say("，新建党员 ", ", members made: "), reply.members(), Say("，更新 ", ", changed: "),
        reply.changed(), Say("，未变 ", ", unchanged: "), reply.unchanged(),
        Say("，没有进入 ", ", rows that did not go in: "), reply.bad_rows_size(),
        Say("，存疑的格 ", ", doubtful cells: "), reply.cells_size());
    const auto line = [&](uint32_t number) {
      return absl::StrCat("\n", Say("第 ", "line "), number, Say(" 行", ""));
    };
    for (const auto& made : reply.new_organisations()) {
      absl::StrAppend(&text, "\n", Say("新建组织: ", "new organisation: "),
                      PrintableLine(made.name()));
      for (const std::string& near : made.alike()) {
        absl::StrAppend(&text, Say("  （请核对：与已登记的“", "  (look: nearly the same as \""),
                        PrintableLine(near), Say("”相近）", "\", which is registered)"));
      }
    }
    for (const auto& bad : reply.bad_rows()) {
      absl::StrAppend(&text, line(bad.line()), Say("没有进入: ", ", did not go in: "),
                      In(language_, bad.reason()));
    }
    for (const auto& found : reply.found_rows()) {
      absl::StrAppend(&text, line(found.line()), ": ", InWords(found.member()),
                      WhatBecameOf(found));
    }
    for (const auto& cell : reply.cells()) {
      absl::StrAppend(&text, line(cell.line()), Say(" ", ", "), cell.letter(), Say(" 列“", " \""),
                      PrintableLine(cell.heading()), Say("”", "\" "), In(language_, cell.reason()));
    }
    for (const auto& row : reply.left_out()) {
      absl::StrAppend(&text, line(row.line()), Say("没有读取: ", " was not read: "),
                      In(language_, row.reason()));
    }
    for (const auto& column : reply.unread_columns()) {
      absl::StrAppend(&text, "\n", column.letter(), Say(" 列“", " \""),
                      PrintableLine(column.heading()), Say("”没有读取: ", "\" was not read: "),
                      In(language_, column.reason()));
    }
    return text;
  }

  absl::Status Enrol() {
    v1::EnrolCodeRequest request;
    request.mutable_who()->set_member(arguments_.member);
    request.set_valid_minutes(arguments_.minutes);
    request.set_operator_name(Operator());
    v1::EnrolCodeReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Enrol, request, &reply));
    const std::string whose = absl::StrCat(Say("发给: ", "for: "), InWords(reply.person()));
    if (arguments_.as_text && !json_) std::cerr << whose << std::endl;  // apart from the code
    if (json_ || arguments_.as_text) return Print(reply, reply.code());
    ASSIGN_OR_RETURN(const std::string drawn, DrawQr(reply.code()));
    return Print(reply, absl::StrCat(reply.code(), "\n", whose), drawn);
  }

  absl::Status Grant() {
    ASSIGN_OR_RETURN(v1::GrantRequest request, Named());
    request.set_operator_name(Operator());
    v1::GrantReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Grant, request, &reply));
    const std::string until = arguments_.until.empty()
                                  ? Say("无结束日期", "without end")
                                  : absl::StrCat(Say("最后一天 ", "last day "), arguments_.until);
    return Print(reply,
                 absl::StrCat(Done(reply.changed(), Say("已授权", "granted")), ": ",
                              InWords(reply.person()), "\n  ", InWords(reply.organisation()), "  ",
                              LabelOf(Office_descriptor(), request.office()), "  ", until));
  }

  absl::Status Revoke() {
    v1::RevokeRequest request;
    if (arguments_.device != 0) {
      request.set_device(arguments_.device);
      request.set_wipe(arguments_.wipe);
    } else {
      ASSIGN_OR_RETURN(*request.mutable_grant(), Named());
    }
    request.set_operator_name(Operator());
    v1::RevokeReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Revoke, request, &reply));
    std::string text = arguments_.wipe
                           ? Say("已挂失：该设备下次联系时清除本机全部内容，未发送的内容待处理",
                                 "reported lost: at its next contact the device removes all that "
                                 "is on it; what it had not sent is held for review")
                           : Say("已撤销", "revoked");
    if (reply.has_person()) absl::StrAppend(&text, "\n  ", InWords(reply.person()));
    if (reply.has_organisation()) {
      absl::StrAppend(&text, "\n  ", InWords(reply.organisation()), "  ",
                      LabelOf(Office_descriptor(), request.grant().office()));
    }
    return Print(reply, text);
  }

  absl::Status Affiliate() {
    v1::AffiliateRequest request;
    request.set_organisation(arguments_.organisation);
    if (arguments_.no_parent || !arguments_.parent.empty()) {
      request.set_parent(arguments_.parent);
    }
    if (arguments_.no_host_parent || !arguments_.host_parent.empty()) {
      request.set_host_parent(arguments_.host_parent);
    }
    request.set_operator_name(Operator());
    v1::AffiliateReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Affiliate, request, &reply));
    const auto shown = [&](bool has, const v1::Registered& parent) {
      return has ? InWords(parent) : Say("无", "none");
    };
    return Print(
        reply, absl::StrCat(Done(reply.changed(), Say("已调整隶属关系", "affiliated")), ": ",
                            InWords(reply.organisation()), "\n  ", Say("上级组织: ", "above it: "),
                            shown(reply.has_parent(), reply.parent()), "\n  ",
                            Say("流入地上级组织: ", "above it at its host place: "),
                            shown(reply.has_host_parent(), reply.host_parent())));
  }

  absl::Status Announce() {
    v1::AnnounceRequest request;
    if (!arguments_.address.empty()) RETURN_IF_ERROR(CheckReachable(arguments_.address));
    request.set_address(arguments_.address);
    request.set_certificate(arguments_.certificate);
    request.set_withdraw(arguments_.withdraw);
    request.set_operator_name(Operator());
    v1::AnnounceReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Announce, request, &reply));
    std::string text = Say("设备可在以下地址找到服务器:", "devices find the server at:");
    for (const auto& at : reply.reached_at().at()) {
      absl::StrAppend(&text, "\n  ", at.address(), "  ", Say("证书 ", "certificate "),
                      at.fingerprint().substr(0, 16), "…");
    }
    if (reply.announced_ms() == 0) {
      absl::StrAppend(&text, "\n", Say("没有预告任何变更", "nothing is announced"));
    } else {
      absl::StrAppend(&text, "\n", Say("预告时间: ", "announced: "), Clock(reply.announced_ms()),
                      Say("；已知晓的设备: ", "; devices that know: "), reply.know(),
                      Say("，在用设备: ", " of "), reply.devices());
    }
    for (const auto& device : reply.untold()) {
      absl::StrAppend(&text, "\n  ", Say("还不知晓: ", "does not know: "), device.number(), "  ",
                      PrintableLine(device.person_name()), "  ", PrintableLine(device.name()),
                      Say("  最近联系 ", "  last seen "), Clock(device.last_seen_ms()));
    }
    return Print(reply, text);
  }

  absl::Status Devices() {
    v1::DevicesReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Devices, v1::DevicesRequest(), &reply));
    std::string text = Say("设备号  机主  名称  状态  最近联系  编号",
                           "number  owner  name  state  last seen  edits");
    for (const auto& device : reply.devices()) {
      absl::StrAppend(&text, "\n", device.number(), "  ", PrintableLine(device.person_name()), "  ",
                      PrintableLine(device.name()), "  ",
                      LabelOf(records::v1::Device::State_descriptor(), device.state()), "  ",
                      Clock(device.last_seen_ms()), "  ", device.last_number());
    }
    return Print(reply, text);
  }

  absl::Status Conflicts() {
    v1::ConflictsRequest request;
    request.set_settled_too(arguments_.all);
    v1::ConflictsReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Conflicts, request, &reply));
    std::string text;
    const Wording wording{language_, nullptr};
    for (const auto& conflict : reply.conflicts()) {
      const RecordType* type = CatalogueSchema()->FindByName(conflict.record_type());
      const auto* of = type == nullptr ? nullptr : type->descriptor;
      const auto value = [&](const std::string& json) {
        return PrintableLine(JsonInWords(of, conflict.field(), json, wording));
      };
      records::v1::ConflictNote::Kind kind = records::v1::ConflictNote::KIND_UNSPECIFIED;
      records::v1::ConflictNote::Kind_Parse(conflict.kind(), &kind);
      absl::StrAppend(&text, of == nullptr ? conflict.record_type() : WordsOf(*of, language_), " ",
                      PathInWords(of, conflict.field(), language_), "  ",
                      LabelOf(records::v1::ConflictNote::Kind_descriptor(), kind), "\n  ",
                      Say("保留: ", "kept: "), value(conflict.kept()), " (", conflict.kept_by(),
                      ")\n  ", Say("另一个: ", "lost: "), value(conflict.lost()), " (",
                      conflict.lost_by(), ")\n");
    }
    absl::StrAppend(&text, Say("共 ", ""), reply.conflicts_size(), Say(" 条", " conflicts"));
    return Print(reply, text);
  }

  absl::Status Duplicates() {
    v1::DuplicatesReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Duplicates, v1::DuplicatesRequest(), &reply));
    std::string text;
    for (const auto& one : reply.duplicates()) {
      const auto& duplicate = one.duplicate();
      absl::StrAppend(&text,
                      LabelOf(records::v1::DuplicatePerson::State_descriptor(), duplicate.state()),
                      "  ", LabelOf(records::v1::DuplicatePerson::By_descriptor(), duplicate.by()),
                      "\n  ", InWords(one.first()), "\n  ", InWords(one.second()), "\n");
    }
    for (const auto& crowd : reply.crowds()) {
      absl::StrAppend(&text,
                      Say("身份证号、或姓名和出生日期相同的人太多，未逐对列出: ",
                          "too many have one number, or one name and birth date; no pairs: "),
                      crowd.persons_size(), "\n");
      for (const v1::Registered& person : crowd.persons()) {
        absl::StrAppend(&text, "  ", InWords(person), "\n");
      }
    }
    absl::StrAppend(&text, Say("共 ", ""), reply.duplicates_size(), Say(" 对", " pairs"));
    return Print(reply, text);
  }

  absl::Status MergePersons() {
    v1::MergePersonsRequest request;
    request.mutable_keep()->set_member(arguments_.member);
    request.mutable_other()->set_member(arguments_.other);
    request.set_undo(arguments_.undo);
    request.set_operator_name(Operator());
    v1::MergePersonsReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::MergePersons, request, &reply));
    return Print(
        reply,
        absl::StrCat(arguments_.undo ? Say("已撤销合并，恢复为两人", "undone: they are two again")
                                     : Say("已合并为一人，保留第一个",
                                           "merged: they are one person, and the first is kept"),
                     "\n  ", InWords(reply.keep()), "\n  ", InWords(reply.other())));
  }

  absl::Status VerifyAudit() {
    v1::VerifyAuditReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::VerifyAudit, v1::VerifyAuditRequest(), &reply));
    return Print(reply, absl::StrCat(Say("审计链完整: ", "audit is whole: "), reply.edits(),
                                     Say(" 条修改，", " edits, "), reply.chains(),
                                     Say(" 条链，摘要 ", " chains, digest "), reply.digest()));
  }

  absl::Status Backup() {
    v1::BackupRequest request;
    request.set_file(std::filesystem::absolute(arguments_.file).string());
    request.set_operator_name(Operator());
    v1::BackupReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Backup, request, &reply));
    return Print(reply, absl::StrCat(Say("已备份，字节数 ", "backed up, bytes: "), reply.bytes()));
  }

  absl::Status Restored() {
    return Print(v1::BackupReply(), Say("已恢复；服务器下次启动即开始新的一世，设备将重新核对",
                                        "restored; the next server that starts on it begins a new "
                                        "incarnation, and devices read everything anew"));
  }

  absl::Status Moved(const Relocated& moved) {
    const std::string text =
        absl::StrCat(Say("已迁移并核对，行数 ", "moved and verified, rows: "), moved.rows, "\n",
                     Say("两库摘要 ", "digest of both: "), Hex(moved.digest), "\n",
                     Say("以后从新库启用服务；旧库不再启用，确认无误后可删除",
                         "serve from the new store from now on; the old one is not served from any "
                         "more, and may "
                         "be deleted once you are content"));
    const Json told = {{"rows", moved.rows}, {"digest", Hex(moved.digest)}};
    std::cout << (json_ ? told.dump() : Printable(text)) << std::endl;
    return absl::OkStatus();
  }

  absl::Status Acts() {
    v1::ActsRequest request;
    request.set_limit(arguments_.limit);
    v1::ActsReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Acts, request, &reply));
    std::string text = Say("时间  经办人  事项", "when  who  what");
    for (const auto& one : reply.acts()) {
      const auto& act = one.act();
      absl::StrAppend(&text, "\n", Clock(TimeUtil::TimestampToMilliseconds(act.at())), "  ",
                      PrintableLine(act.by()), "  ",
                      LabelOf(records::v1::OperatorAct::Kind_descriptor(), act.kind()));
      if (one.has_member()) absl::StrAppend(&text, "  ", InWords(one.member()));
      if (one.has_other()) absl::StrAppend(&text, "  ", InWords(one.other()));
      if (one.has_organisation()) absl::StrAppend(&text, "  ", InWords(one.organisation()));
      if (act.office() != 0) {
        absl::StrAppend(&text, "  ", LabelOf(Office_descriptor(), act.office()));
      }
      if (act.device() != 0) absl::StrAppend(&text, Say("  设备 ", "  device "), act.device());
      if (!act.file().empty()) absl::StrAppend(&text, "  ", PrintableLine(act.file()));
    }
    return Print(reply, text);
  }

  absl::Status Counts() {
    // What this process has counted since it opened the folder a moment ago is nothing.
    if (node_ != nullptr) {
      return absl::FailedPreconditionError(
          Say("没有正在运行的服务器，没有计数可看；请先启动 serve",
              "no server is running, so nothing is counted; start serve first"));
    }
    v1::CountsReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Counts, v1::CountsRequest(), &reply));
    if (json_) {
      Json counts = Json::object();
      for (const auto& count : reply.counts()) counts[count.name()] = count.value();
      std::cout << Json({{"since_ms", reply.since_ms()}, {"counts", counts}}).dump() << std::endl;
      return absl::OkStatus();
    }
    std::string text = absl::StrCat(Say("自 ", "since "), Clock(reply.since_ms()));
    for (const auto& count : reply.counts()) {
      absl::StrAppend(&text, "\n", count.name(), "  ", count.value());
    }
    return Print(reply, text);
  }

  absl::Status Report() {
    v1::ReportRequest request;
    request.set_organisation(arguments_.organisation);
    request.set_period(arguments_.period);
    v1::ReportReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Report, request, &reply));
    return Print(reply, rules::TextOf(reply.report(), language_));
  }

  absl::Status Due() {
    v1::DueRequest request;
    request.set_organisation(arguments_.organisation);
    request.set_on(arguments_.on);
    v1::DueReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Due, request, &reply));
    return Print(reply, rules::TextOf(reply.report(), language_));
  }

  absl::Status Check() {
    v1::CheckReply reply;
    RETURN_IF_ERROR(Call(&v1::Admin::Stub::Check, v1::CheckRequest(), &reply, kCheckTimeout));
    std::string text;
    for (const auto& finding : reply.findings()) {
      absl::StrAppend(&text, In(language_, finding.what()), "\n");
      for (const auto& whom : finding.whom()) {
        absl::StrAppend(&text, "  ", Say("涉及: ", "concerns: "), InWords(whom), "\n");
      }
      absl::StrAppend(&text, "  ", In(language_, finding.advice()), "\n");
    }
    absl::StrAppend(&text, Say("已检查记录 ", "records read: "), reply.records(),
                    Say("，修改 ", ", edits: "), reply.edits(), Say("，问题 ", ", found: "),
                    reply.found());
    RETURN_IF_ERROR(Print(reply, text));
    if (reply.found() == 0) return absl::OkStatus();
    return absl::DataLossError(Say("数据有损坏，见上", "something is damaged: see above"));
  }

 private:
  std::string Operator() const {
    return arguments_.operator_name.empty() ? UserName() : arguments_.operator_name;
  }

  std::string Say(absl::string_view zh, absl::string_view en) const {
    return std::string(language_ == Language::kChinese ? zh : en);
  }

  std::string LabelOf(const google::protobuf::EnumDescriptor* type, int number) const {
    const auto* value = type->FindValueByNumber(number);
    if (value == nullptr) return absl::StrCat(number);
    return WordsOf(*value, language_);
  }

  // What is said of a call that may find everything as it is to be.
  std::string Done(bool changed, const std::string& done) const {
    return changed ? done : Say("已是如此，未作改动", "it is so already, nothing was changed");
  }

  std::string WhatBecameOf(const v1::FoundRow& found) const {
    std::string text;
    if (!found.registered_before().empty()) {
      absl::StrAppend(&text, Say("，原登记为 ", ", registered before as "),
                      PrintableLine(found.registered_before()));
    }
    if (!found.moved_from().empty()) {
      absl::StrAppend(&text, Say("，由 ", ", moved from "), PrintableLine(found.moved_from()),
                      Say(" 调入 ", " to "), PrintableLine(found.member().branch()));
    }
    for (const Words& field : found.changed()) {
      absl::StrAppend(&text,
                      &field == &found.changed(0) ? Say("，更新 ", ", changed ") : Say("、", ", "),
                      In(language_, field));
    }
    if (found.has_counts_as()) {
      absl::StrAppend(&text, Say("，已并入 ", ", merged into "), InWords(found.counts_as()),
                      Say("（后者不变）", ", which stays as it is"));
    }
    return text;
  }

  // `drawn` is the program's own; text is from others.
  absl::Status Print(const google::protobuf::Message& reply, const std::string& text,
                     absl::string_view drawn = "") const {
    if (!json_) std::cout << drawn;
    std::cout << (json_ ? ToJson(reply) : Printable(text)) << std::endl;
    return absl::OkStatus();
  }

  template <typename Method, typename Request, typename Reply>
  absl::Status Call(Method method, const Request& request, Reply* reply,
                    absl::Duration timeout = kCallTimeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    const grpc::Status status = (stub_.get()->*method)(&context, request, reply);
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }

  absl::StatusOr<v1::GrantRequest> Named() const {
    if (arguments_.member.empty() || arguments_.organisation.empty()) {
      return absl::InvalidArgumentError(
          Say("请写明党员和党组织：党员 党组织 --office 职务",
              "name the member and the organisation: MEMBER ORGANISATION --office OFFICE"));
    }
    v1::GrantRequest request;
    request.mutable_who()->set_member(arguments_.member);
    request.set_organisation(arguments_.organisation);
    Office office;
    if (!Office_Parse(absl::AsciiStrToUpper(arguments_.office), &office)) {
      return absl::InvalidArgumentError(absl::StrCat("no office ", arguments_.office));
    }
    request.set_office(office);
    if (!arguments_.until.empty()) {
      const auto until = EndOf(arguments_.until);
      if (!until) {
        return absl::InvalidArgumentError(
            absl::StrCat("--until ", arguments_.until,
                         Say(": 没有这一天，请按 2027-01-31 的样子填写",
                             ": no such day; write it as 2027-01-31")));
      }
      request.set_until_ms(*until);
    }
    return request;
  }

  const Arguments arguments_;
  const bool json_;
  const Language language_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<v1::Admin::Stub> stub_;
};

}  // namespace

void AddAdminCommand(CLI::App* app, const bool* json, const Language* language,
                     std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* admin = app->add_subcommand("admin", "Operate a server, whether it runs or not");
  admin->require_subcommand(1);
  admin->add_option("--data", arguments->place.folder, "The server's data folder")->required();
  admin->add_option("--key-file", arguments->place.key_file, kKeyFileHelp);
  AddStoreOption(admin, &arguments->place.store);
  admin->add_option("--operator", arguments->operator_name,
                    "Who does it, for the record; default: your user name here");
  const auto set = [=](CLI::App* command, absl::Status (Command::*run)(), bool may_make = false) {
    command->callback([=] {
      *chosen = [=]() -> absl::Status {
        Command invocation(*arguments, *json, *language);
        RETURN_IF_ERROR(invocation.Open(may_make));
        return (invocation.*run)();
      };
    });
    return command;
  };
  const auto who = [&](CLI::App* command) {
    return command->add_option("MEMBER", arguments->member, "A member, by registered name or id");
  };
  const auto office = [&](CLI::App* command) {
    command->add_option("ORGANISATION", arguments->organisation, kOrganisationHelp);
    command
        ->add_option("--office", arguments->office, "SECRETARY, DEPUTY, COMMITTEE or GROUP_LEADER")
        ->capture_default_str();
  };

  set(admin->add_subcommand("init", "Make a new data folder"), &Command::Init, true);
  CLI::App* import =
      set(admin->add_subcommand(
              "import",
              "Read a roster of members: XLSX, or CSV or text in UTF-8, UTF-16, GB18030 or Big5"),
          &Command::Import);
  import->add_option("FILE", arguments->file, "The roster")->required();
  import->add_option("--branch", arguments->branch, "The branch of the rows that name none");
  import->add_flag("--check", arguments->check, "Say what would become of it, and write nothing");
  import->add_option(
      "--marked", arguments->marked,
      "Write the roster to this file, XLSX, with what is doubtful or did not go in marked");
  import->add_flag("--found", arguments->found,
                   "Make organisations that are not registered yet; the first roster always does");
  CLI::App* ledger =
      set(admin->add_subcommand(
              "ledger", "Write a ledger of an organisation into a file, sensitive fields masked"),
          &Command::Ledger);
  ledger->add_option("FILE", arguments->file, "To be written, .xlsx or .csv; must not be there")
      ->required();
  ledger->add_option("--organisation", arguments->organisation, kOrganisationHelp)->required();
  ledger->add_option("--ledger", arguments->ledger,
                     "By key or title, 党费台账; default: all of them, a sheet each");
  ledger->add_option("--year", arguments->year, "Of this year only");
  CLI::App* enrol = set(
      admin->add_subcommand("enrol", "Print a one-time code for a member's device, and as a QR"),
      &Command::Enrol);
  who(enrol)->required();
  enrol->add_option("--minutes", arguments->minutes, "How long the code is good; default: a day")
      ->check(CLI::Range(1, kCodeMinutesMax));
  enrol->add_flag("--text", arguments->as_text, "As text only");
  enrol->add_option("--as", arguments->operator_name, "The same as --operator");
  CLI::App* grant =
      set(admin->add_subcommand("grant", "Let a member act for an organisation"), &Command::Grant);
  who(grant)->required();
  office(grant);
  grant->add_option("--until", arguments->until,
                    "Last day, to its end in China, 2027-01-31; default: no end");
  CLI::App* revoke =
      set(admin->add_subcommand("revoke", "End a grant, or stop a device"), &Command::Revoke);
  who(revoke);
  office(revoke);
  CLI::Option* device =
      revoke->add_option("--device", arguments->device, "Number of a device, instead of a grant");
  revoke
      ->add_flag("--wipe", arguments->wipe,
                 "The device is lost: it removes all that is on it at its next contact")
      ->needs(device);
  CLI::App* affiliate = set(admin->add_subcommand("affiliate", "Say what an organisation hangs on"),
                            &Command::Affiliate);
  affiliate->add_option("ORGANISATION", arguments->organisation, kOrganisationHelp)->required();
  CLI::Option* parent =
      affiliate->add_option("--parent", arguments->parent, "The organisation above it (上级组织)");
  CLI::Option* host_parent =
      affiliate->add_option("--host-parent", arguments->host_parent,
                            "The one above it at its host place (流入地上级组织)");
  affiliate->add_flag("--no-parent", arguments->no_parent, "There is none above it")
      ->excludes(parent);
  affiliate->add_flag("--no-host-parent", arguments->no_host_parent, "None at a host place")
      ->excludes(host_parent);
  CLI::App* announce = set(
      admin->add_subcommand("announce", "Tell devices where the server is going to be, or show it"),
      &Command::Announce);
  announce->add_option("--address", arguments->address, "HOST:PORT to which the server moves");
  announce->add_flag("--certificate", arguments->certificate,
                     "A new certificate; `serve --new-certificate` takes it later");
  announce->add_flag("--withdraw", arguments->withdraw, "What was announced does not come");
  set(admin->add_subcommand("devices", "List the devices"), &Command::Devices);
  set(admin->add_subcommand("conflicts", "List conflict notes"), &Command::Conflicts)
      ->add_flag("--all", arguments->all, "Those that are settled as well");
  set(admin->add_subcommand("duplicates", "List members who may be one person"),
      &Command::Duplicates);
  CLI::App* merge = set(admin->add_subcommand("merge-persons", "Make one person of two members"),
                        &Command::MergePersons);
  merge->add_option("KEEP", arguments->member, "The member to keep, by registered name or id")
      ->required();
  merge->add_option("OTHER", arguments->other, "Who that is as well, likewise")->required();
  merge->add_flag("--undo", arguments->undo, "They are two after all");
  CLI::App* audit = admin->add_subcommand("audit", "The record of every edit");
  audit->require_subcommand(1);
  set(audit->add_subcommand("verify", "Check every chain"), &Command::VerifyAudit);
  set(admin->add_subcommand("acts", "List what operators have done, the latest first"),
      &Command::Acts)
      ->add_option("--limit", arguments->limit, "How many; default: 100");
  set(admin->add_subcommand("counts", "How often what has happened since the server began"),
      &Command::Counts);
  set(admin->add_subcommand("check", "Read all that is stored, and tell what is damaged"),
      &Command::Check);
  CLI::App* report = set(
      admin->add_subcommand("report", "What an organisation's year comes to, with all below it"),
      &Command::Report);
  report->add_option("--organisation", arguments->organisation, kOrganisationHelp)->required();
  report->add_option("--period", arguments->period,
                     "2026, 2026-Q1 or 2026-03; this year by default");
  CLI::App* due =
      set(admin->add_subcommand("due", "What is due in an organisation and all below it, by rule"),
          &Command::Due);
  due->add_option("--organisation", arguments->organisation, kOrganisationHelp)->required();
  due->add_option("--on", arguments->on, "As of this day, 2026-01-31; today by default");
  set(admin->add_subcommand("backup", "Copy the store while it is in use"), &Command::Backup)
      ->add_option("FILE", arguments->file, "The copy; must not exist")
      ->required();
  CLI::App* move = admin->add_subcommand(
      "move",
      "Take the whole store into an empty one: from a folder's file into PostgreSQL, or back");
  move->add_option("--to", arguments->to, "postgresql://…, or a data folder")->required();
  move->callback([=] {
    *chosen = [=]() -> absl::Status {
      ASSIGN_OR_RETURN(const Relocated moved, Node::Move(arguments->place, arguments->to));
      return Command(*arguments, *json, *language).Moved(moved);
    };
  });
  CLI::App* restore = admin->add_subcommand(
      "restore", "Fill an empty PostgreSQL database with what `backup` has copied out of one");
  restore->add_option("FILE", arguments->file, "The copy")->required();
  restore->callback([=] {
    *chosen = [=]() -> absl::Status {
      RETURN_IF_ERROR(Node::Restore(arguments->place, arguments->file));
      return Command(*arguments, *json, *language).Restored();
    };
  });
}

}  // namespace zhibu::server
