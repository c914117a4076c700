#include "server/access.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>

#include "absl/time/time.h"
#include "server/own_edit.h"
#include "server/registration.h"
#include "server/typed.h"
#include "sync/audience.h"
#include "sync/status.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
using records::v1::AccessLog;
using records::v1::Member;

namespace {

// To one edit.
constexpr int kRowsMax = 500;

// Whether it says more than what is written down already.
bool Add(const RecordType& type, uint64_t fields, Way way, int64_t now_ms, AccessLog* log) {
  bool more = way == Way::kQuery || log->times() == 0;
  for (size_t i = 0; i < type.restricted.size(); ++i) {
    if ((fields >> i & 1) == 0) continue;
    const std::string& label = type.restricted[i]->descriptor->options().GetExtension(zhibu::label);
    if (std::count(log->fields().begin(), log->fields().end(), label) > 0) continue;
    log->add_fields(label);
    more = true;
  }
  log->set_times(log->times() + 1);
  *log->mutable_last() = TimeUtil::MillisecondsToTimestamp(now_ms);
  return more;
}

}  // namespace

void AddDisclosures(const RecordType& type, const Id& id, absl::string_view body,
                    const std::vector<Id>& reader, Disclosures* disclosures) {
  const uint64_t fields = SensitiveIn(type, body);
  if (fields == 0) return;
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place == PERSON && std::count(reader.begin(), reader.end(), placed.scope) == 0) {
      (*disclosures)[{placed.scope, &type}] |= fields;
    }
  }
}

absl::Status LogAccess(Writer& writer, const Ingest& ingest, const Environment& environment,
                       const Id& reader, Way way, const Disclosures& disclosures,
                       absl::flat_hash_set<Id>* moved) {
  const RecordType& log_type = *ingest.schema().Find(AccessLog::descriptor());
  const int64_t now_ms = environment.now_ms();
  sync::v1::Edit edit;
  const auto write = [&]() -> absl::Status {
    if (edit.changes().empty()) return absl::OkStatus();
    RETURN_IF_ERROR(ingest.WriteOwn(writer, edit, moved).status());
    edit.Clear();
    return absl::OkStatus();
  };
  for (const auto& [of, fields] : disclosures) {
    const auto& [member, type] = of;
    AccessLog log;
    log.set_member_id(member.str());
    log.set_reader_id(reader.str());
    log.set_record_type(type->number);
    log.set_day(absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(now_ms), absl::UTCTimeZone()));
    ASSIGN_OR_RETURN(const Id id, DeriveId(log_type, log.SerializeAsString()));
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({log_type.number, id}));
    if (before.alive()) log.ParseFromString(before.body);
    ASSIGN_OR_RETURN(*log.mutable_reader_name(), RegisteredNameOf<Member>(writer, reader.bytes()));
    if (!Add(*type, fields, way, now_ms, &log)) continue;
    AddChange(log_type, id, before, log, &edit);
    if (edit.changes_size() >= kRowsMax) RETURN_IF_ERROR(write());
  }
  return write();
}

}  // namespace zhibu::server
