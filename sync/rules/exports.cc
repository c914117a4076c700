#include "sync/rules/exports.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/offices.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu {
namespace {

using google::protobuf::util::TimeUtil;
using records::v1::AccessLog;
using records::v1::LedgerExport;
using records::v1::Member;

// By person and type of record: the fields of theirs that stand in the file.
using Given = std::map<std::pair<Id, const RecordType*>, std::set<std::string>>;

class ToldOfExports : public Rule {
 public:
  explicit ToldOfExports(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}

  bool Concerns(const RecordType& type) const override { return IsA<LedgerExport>(type); }

  absl::Status Judge(const Case& of, const Step& step) const override {
    int persons = 0;
    const auto told = Parse<LedgerExport>(step.after.body);
    for (const LedgerExport::Given& given : told.given()) {
      persons += given.member_ids_size();
    }
    const auto is_one = [&](const Step& other) { return IsA<LedgerExport>(other.type); };
    const auto exports = std::count_if(of.steps.begin(), of.steps.end(), is_one);
    return persons <= kGivenMax && exports == 1 ? absl::OkStatus()
                                                : Refuse(sync::v1::BAD_VALUE, "given");
  }

  absl::Status Follow(const Case& of, const Step& step, Consequences* follows) const override {
    if (step.before.exists) return absl::OkStatus();
    const auto told = Parse<LedgerExport>(step.after.body);
    ASSIGN_OR_RETURN(const Given given, GivenIn(of, told));
    for (const auto& [whose, fields] : given) {
      RETURN_IF_ERROR(Tell(of, whose.first, *whose.second, fields, &follows->edit));
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<Given> GivenIn(const Case& of, const LedgerExport& told) const {
    Given given;
    const auto branch = Id::FromBytes(told.branch_id());
    if (!branch || told.given().empty()) return given;
    ASSIGN_OR_RETURN(const Eyes eyes, EyesAt(of, *branch));
    for (const LedgerExport::Given& one : told.given()) {
      const RecordType* type = schema_->Find(one.record_type());
      if (type == nullptr) continue;
      const std::set<std::string> labels = LabelsOf(*type, one, eyes);
      for (const std::string& member : one.member_ids()) {
        const auto id = Id::FromBytes(member);
        if (!id || *id == of.author || labels.empty()) continue;
        ASSIGN_OR_RETURN(const bool known,
                         of.lookup.EverIn(*branch, {TypeOf<Member>().number, *id}));
        if (known) given[{*id, type}].insert(labels.begin(), labels.end());
      }
    }
    return given;
  }

  // What the author can have been shown there by an office that they have or had.
  static absl::StatusOr<Eyes> EyesAt(const Case& of, const Id& branch) {
    ASSIGN_OR_RETURN(const Offices offices, OfficesOf(of.lookup, of.author, of.now_ms));
    const auto ended = offices.ended.find(branch);
    const uint32_t had = ended == offices.ended.end() ? 0 : ended->second;
    const uint32_t as = offices.In(branch) | had;
    return Eyes{.at_home = as, .as_host = as};
  }

  // Whoever is told of a file in which something stands is told the truth: nobody writes out what
  // they could not read.
  static std::set<std::string> LabelsOf(const RecordType& type, const LedgerExport::Given& given,
                                        const Eyes& eyes) {
    std::set<std::string> labels;
    for (const uint32_t number : given.fields()) {
      const FieldRule* field = type.fields.Find(number);
      if (field == nullptr || !field->sensitive || !eyes.Meet(field->readers)) continue;
      labels.insert(field->descriptor->options().GetExtension(zhibu::label));
    }
    return labels;
  }

  absl::Status Tell(const Case& of, const Id& member, const RecordType& type,
                    const std::set<std::string>& fields, sync::v1::Edit* edit) const {
    const RecordType& log_type = *schema_->Find(AccessLog::descriptor());
    AccessLog log;
    log.set_member_id(member.str());
    log.set_reader_id(of.author.str());
    log.set_record_type(type.number);
    log.set_day(absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(of.now_ms), absl::UTCTimeZone()));
    ASSIGN_OR_RETURN(const Id id, DeriveId(log_type, log.SerializeAsString()));
    ASSIGN_OR_RETURN(const RecordState before, of.lookup.GetRecord({log_type.number, id}));
    if (before.alive()) log.ParseFromString(before.body);
    ASSIGN_OR_RETURN(*log.mutable_reader_name(),
                     RegisteredNameOf<Member>(of.lookup, of.author.bytes()));
    for (const std::string& field : fields) {
      const auto& known = log.fields();
      if (std::count(known.begin(), known.end(), field) == 0) log.add_fields(field);
    }
    log.set_exports(log.exports() + 1);
    *log.mutable_last() = TimeUtil::MillisecondsToTimestamp(of.now_ms);
    AddChange(log_type, id, before, log, edit);
    return absl::OkStatus();
  }

  const std::shared_ptr<const Schema> schema_;
};

}  // namespace

std::unique_ptr<const Rule> ExportsRule(std::shared_ptr<const Schema> schema) {
  return std::make_unique<ToldOfExports>(std::move(schema));
}

}  // namespace zhibu
