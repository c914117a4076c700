#include "server/admin/check.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/admin/admin.h"
#include "server/feed/cursor.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/named.h"
#include "server/identity/whereabouts.h"
#include "server/ingest/chains.h"
#include "sync/base/status.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/enrolment.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::server {

using admin::v1::CheckReply;
using records::v1::Member;
using records::v1::Organisation;

namespace {

// Rows to a transaction.
constexpr int kRowsMax = 500;
constexpr int kFindingsMax = 1000;
constexpr size_t kLostMax = 1000;

Words InWords(std::string zh, std::string en) {
  Words words;
  words.set_zh(std::move(zh));
  words.set_en(std::move(en));
  return words;
}

Words Restore() {
  return InWords("恢复最近的备份（见 docs/operating.md）；在此之前其余内容照常使用",
                 "restore the newest backup (docs/operating.md); until then all else goes on");
}

Words Report() {
  return InWords("请连同此行和程序版本向开发者报告；其余内容照常使用",
                 "report it with this line and the program's version; all else goes on");
}

class Check {
 public:
  Check(Store& store, const Schema& schema, CheckReply* reply)
      : store_(store), schema_(schema), reply_(*reply) {}

  absl::Status Run() {
    RETURN_IF_ERROR(CheckRecords());
    RETURN_IF_ERROR(store_.Read([&](Reader& reader) { return CheckLost(reader); }));
    RETURN_IF_ERROR(store_.Read([&](Reader& reader) { return CheckSettings(reader); }));
    std::vector<DeviceRow> devices;
    RETURN_IF_ERROR(store_.Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(devices, reader.ListDevices());
      return absl::OkStatus();
    }));
    for (const DeviceRow& device : devices) {
      if (!device.of_server()) {
        RETURN_IF_ERROR(store_.Read([&](Reader& reader) { return CheckDevice(reader, device); }));
      }
      RETURN_IF_ERROR(CheckChain(device));
    }
    return absl::OkStatus();
  }

 private:
  // Null where there are enough already.
  CheckReply::Finding* Find(Words what, Words advice) {
    reply_.set_found(reply_.found() + 1);
    if (reply_.findings_size() >= kFindingsMax) return nullptr;
    CheckReply::Finding* finding = reply_.add_findings();
    *finding->mutable_what() = std::move(what);
    *finding->mutable_advice() = std::move(advice);
    return finding;
  }

  std::string NameOf(const RecordKey& key, bool zh) const {
    const RecordType* type = schema_.Find(key.type);
    const std::string name =
        type == nullptr ? absl::StrCat(key.type) : std::string(zh ? type->label : type->name);
    return absl::StrCat(name, " ", Hex(key.id.bytes()));
  }

  // ---- Records -------------------------------------------------------------------

  absl::Status CheckRecords() {
    RecordKey last;
    bool more = true;
    while (more) {
      RETURN_IF_ERROR(store_.Read([&](Reader& reader) -> absl::Status {
        absl::Status status;
        int rows = 0;
        more = false;
        RETURN_IF_ERROR(
            reader.ReadRecords(last, [&](const RecordKey& key, const RecordState* state) {
              last = key;
              reply_.set_records(reply_.records() + 1);
              status.Update(CheckRecord(reader, key, state));
              more = ++rows >= kRowsMax;
              return !more && status.ok();
            }));
        return status;
      }));
    }
    return absl::OkStatus();
  }

  absl::Status CheckRecord(Reader& reader, const RecordKey& key, const RecordState* state) {
    sync::v1::Trace trace;
    if (state == nullptr || !trace.ParseFromString(state->trace)) {
      return AddDamaged(reader, key);
    }
    const RecordType* type = schema_.Find(key.type);
    if (type == nullptr || !state->alive()) return absl::OkStatus();
    for (const Placed& placed : PlacesOf(*type, key.id, state->body)) {
      RETURN_IF_ERROR(CheckPlace(reader, key, placed.scope));
    }
    return absl::OkStatus();
  }

  absl::Status AddDamaged(Reader& reader, const RecordKey& key) {
    ASSIGN_OR_RETURN(const std::vector<Id> scopes, reader.ScopesOf(key));
    auto* finding = Find(InWords(absl::StrCat("记录已损坏，无法读取: ", NameOf(key, true)),
                                 absl::StrCat("damaged record: ", NameOf(key, false))),
                         Restore());
    return AddWhom(reader, scopes, finding);
  }

  absl::Status CheckPlace(Reader& reader, const RecordKey& key, const Id& scope) {
    ASSIGN_OR_RETURN(const bool there, IsThere(reader, scope));
    if (!there) {
      Find(InWords(absl::StrCat("记录所属的组织或人员不存在: ", NameOf(key, true)),
                   absl::StrCat("it lies with nobody who is there: ", NameOf(key, false))),
           Report());
    }
    ASSIGN_OR_RETURN(const Version shown, reader.LastShown(scope, kLiesThere, key));
    if (shown.value != 0) return absl::OkStatus();
    auto* finding = Find(InWords(absl::StrCat("记录不会发到设备: ", NameOf(key, true)),
                                 absl::StrCat("it is not sent to devices: ", NameOf(key, false))),
                         Restore());
    return AddWhom(reader, {scope}, finding);
  }

  // One that is damaged is there.
  absl::StatusOr<bool> IsThere(Reader& reader, const Id& scope) {
    for (const uint32_t type : {TypeOf<Organisation>().number, TypeOf<Member>().number}) {
      const absl::StatusOr<RecordState> state = reader.GetRecord({type, scope});
      RETURN_IF_ERROR(PassOver(state.status()));
      if (!state.ok() || state->exists) return true;
    }
    return false;
  }

  absl::Status AddWhom(Reader& reader, const std::vector<Id>& scopes,
                       CheckReply::Finding* finding) {
    for (const Id& scope : scopes) {
      if (finding == nullptr) break;
      absl::StatusOr<admin::v1::Registered> whom = RegisteredAs<Organisation>(reader, scope);
      if (whom.ok() && whom->name().empty()) whom = RegisteredAs<Member>(reader, scope);
      RETURN_IF_ERROR(PassOver(whom.status()));
      admin::v1::Registered* added = finding->add_whom();
      if (whom.ok()) *added = *whom;
      added->set_id(scope.str());
    }
    return absl::OkStatus();
  }

  absl::Status CheckLost(Reader& reader) {
    ASSIGN_OR_RETURN(const std::vector<RecordKey> lost, reader.FindLost(kLostMax));
    for (const RecordKey& key : lost) {
      ASSIGN_OR_RETURN(const std::vector<Id> scopes, reader.ScopesOf(key));
      auto* finding = Find(InWords(absl::StrCat("记录已丢失: ", NameOf(key, true)),
                                   absl::StrCat("lost record: ", NameOf(key, false))),
                           Restore());
      RETURN_IF_ERROR(AddWhom(reader, scopes, finding));
    }
    return absl::OkStatus();
  }

  absl::Status CheckSettings(Reader& reader) {
    for (const char* name : {kServerId, kServerKey, kServerCertificate, kIncarnation, kCursorKey,
                             kCourierKeySetting, kMarkKeySetting}) {
      if (reader.GetSetting(name).ok()) continue;
      Find(InWords(absl::StrCat("服务器设置无法读取: ", name),
                   absl::StrCat("a setting of the server's cannot be read: ", name)),
           Restore());
    }
    return absl::OkStatus();
  }

  // ---- Devices, and what they have sent --------------------------------------------

  absl::Status CheckDevice(Reader& reader, const DeviceRow& device) {
    const RecordKey key{TypeOf<records::v1::Device>().number, device.record};
    const absl::StatusOr<RecordState> record = reader.GetRecord(key);
    RETURN_IF_ERROR(PassOver(record.status()));
    // One that is damaged has been found among the records.
    if (record.ok() && !record->exists) {
      AddOfDevice(device, InWords("设备没有设备记录", "it has no record"), Report());
    }
    ASSIGN_OR_RETURN(const bool there, IsThere(reader, device.person));
    if (!there) AddOfDevice(device, InWords("机主不存在", "its owner is not there"), Report());
    if (device.name.empty()) {
      AddOfDevice(device, InWords("名称已损坏", "its name is damaged"), Restore());
    }
    return absl::OkStatus();
  }

  void AddOfDevice(const DeviceRow& device, const Words& what, Words advice) {
    auto* finding = Find(InWords(absl::StrCat("设备 ", device.number.value, ": ", what.zh()),
                                 absl::StrCat("device ", device.number.value, ": ", what.en())),
                         std::move(advice));
    if (finding != nullptr) finding->set_device(device.number.value);
  }

  absl::Status CheckChain(const DeviceRow& device) {
    std::string chain;
    EditNumber last;
    bool more = true;
    while (more) {
      RETURN_IF_ERROR(store_.Read([&](Reader& reader) {
        int rows = 0;
        more = false;
        return reader.ReadAudit(device.number, last, [&](const AuditRow& row) {
          CheckRow(device, row, last, chain);
          reply_.set_edits(reply_.edits() + 1);
          last = row.number;
          chain = row.chain;
          more = ++rows >= kRowsMax;
          return !more;
        });
      }));
    }
    if (last < device.last_number) {
      AddOfDevice(device,
                  InWords(absl::StrCat("审计缺少编号 ", last.value, " 之后的修改"),
                          absl::StrCat("the audit lacks its edits after ", last.value)),
                  Restore());
    }
    return absl::OkStatus();
  }

  void CheckRow(const DeviceRow& device, const AuditRow& row, EditNumber last,
                const std::string& chain) {
    if (row.damaged) {
      return AddOfDevice(device,
                         InWords(absl::StrCat("修改 ", row.number.value, " 已损坏"),
                                 absl::StrCat("edit ", row.number.value, " is damaged")),
                         Restore());
    }
    if (row.number.value == last.value + 1 && row.chain == ChainAfter(chain, row)) return;
    AddOfDevice(device,
                InWords(absl::StrCat("审计链在修改 ", row.number.value, " 处断开：有人改动过"),
                        absl::StrCat("its chain in the audit is broken at edit ", row.number.value,
                                     ": somebody has altered it")),
                Restore());
  }

  Store& store_;
  const Schema& schema_;
  CheckReply& reply_;
};

}  // namespace

absl::Status CheckStore(Store& store, const Schema& schema, CheckReply* reply) {
  return Check(store, schema, reply).Run();
}

}  // namespace zhibu::server
