#include "tests/load/edits.h"

#include <google/protobuf/util/time_util.h>

#include <iterator>

#include "sync/base/require.h"
#include "sync/crypto/check_in_code.h"
#include "sync/merge/diff.h"
#include "sync/schema/schema.h"
#include "sync/wire/canonical.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::load {
namespace {

using google::protobuf::util::TimeUtil;

// Without an id under the one that follows from the record.
std::string EditOf(const google::protobuf::Message& message, Id id, const Environment& environment,
                   int64_t now_ms) {
  static const std::shared_ptr<const Schema> kSchema = CatalogueSchema();
  const RecordType& type = *kSchema->Find(message.GetDescriptor());
  const std::string body = Canonical(type.fields, message.SerializeAsString());
  sync::v1::Edit edit;
  sync::v1::Change& change = *edit.add_changes();
  if (id.empty()) {
    const auto derived = DeriveId(type, body);
    REQUIRE(derived.ok());
    id = *derived;
  }
  change.set_type(type.number);
  change.set_id(id.str());
  change.set_kind(sync::v1::Change::CREATE);
  Diff(type, "", body, &change);
  edit.set_device_time_ms(now_ms);
  edit.set_salt(environment.NewSalt());
  return edit.SerializeAsString();
}

}  // namespace

std::string NoteContact(const Enrolled& who, const Environment& environment, int64_t now_ms) {
  static const char* const kSaid[] = {
      "在外务工一切正常，本月已参加流入地支部学习，党费已按时交纳。",
      "电话询问近况，表示下月回乡参加支部党员大会，无困难需要帮助。",
      "微信联系，已转达会议精神，本人表示按时上交学习心得体会一份。"};
  const Id id = environment.NewId();
  records::v1::Contact contact;
  contact.set_by_id(who.person.str());
  contact.set_member_id(who.person.str());
  contact.set_branch_id(who.branch.str());
  *contact.mutable_at() = TimeUtil::MillisecondsToTimestamp(now_ms);
  contact.set_how("电话");
  contact.set_said(kSaid[static_cast<size_t>(now_ms) % std::size(kSaid)]);
  return EditOf(contact, id, environment, now_ms);
}

std::string CheckIn(const Enrolled& who, const Enrolled& shows, const Environment& environment,
                    int64_t now_ms) {
  const auto code = MakeCheckInCode(environment.NewId(), shows.branch, shows.number, now_ms,
                                    shows.keys.secret_key);
  records::v1::CheckIn check_in;
  check_in.set_activity_id(code.activity_id());
  check_in.set_member_id(who.person.str());
  check_in.set_branch_id(code.branch_id());
  *check_in.mutable_at() = TimeUtil::MillisecondsToTimestamp(ShownAtMs(code));
  check_in.add_ways()->set_how(records::v1::CheckIn::QR);
  check_in.add_codes(code.SerializeAsString());
  return EditOf(check_in, Id(), environment, now_ms);
}

}  // namespace zhibu::load
