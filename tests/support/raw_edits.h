// Edits as a device numbers them, made by hand: what an app with software of its own may
// send, straight into the server's ingest.
//
//   class MyTest : public RawEdits { … };
//   EXPECT_EQ(Answer(Of(&wang_author, {Create(meeting, NewId())})), "1 RETURNED NOT_ENTITLED");
#ifndef ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_
#define ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/ingest.h"
#include "server/sent.h"
#include "sync/diff.h"
#include "sync/handshake.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "tests/support/migration.h"

namespace zhibu::test {

using server::Result;
using server::Submitted;
using sync::v1::Change;
using sync::v1::Edit;

inline std::string Text(const Result& result) {
  if (result.forked) return "forked";
  const auto& answer = result.answer;
  return absl::StrCat(
      answer.number(), " ", sync::v1::Verdict_Name(answer.verdict()),
      answer.reason() == sync::v1::NO_REASON ? "" : " ",
      answer.reason() == sync::v1::NO_REASON ? "" : sync::v1::Reason_Name(answer.reason()));
}

// The people of migration.h, each with a device of its own numbering.
class RawEdits : public Migration {
 protected:
  // Edits as a device numbers them.
  struct Author {
    DeviceNumber device;
    uint64_t number = 0;
    uint64_t link = 0;
  };

  Author zhang_author{zhangs.number()};
  Author li_author{lis.number()};
  Author wang_author{wangs.number()};
  Author chen_author{chens.number()};

  Submitted Numbered(Author* author, const std::string& bytes) {
    Submitted submitted{author->device, {}};
    submitted.edit.set_number(++author->number);
    submitted.edit.set_stamp(StampAt(world.now_ms()).value);
    submitted.edit.set_edit(bytes);
    submitted.edit.set_previous(author->link);
    author->link = LinkTo(bytes);
    // As though it had been sent all that there is.
    auto sent = std::make_shared<server::Sent>();
    for (const Id& scope : {branch, host, zhang, li, wang, chen}) {
      sent->cursors[scope] = kPendingVersion;
    }
    submitted.sent = std::move(sent);
    return submitted;
  }
  Submitted Of(Author* author, const std::vector<Change>& changes) {
    Edit edit;
    for (const Change& change : changes) *edit.add_changes() = change;
    edit.set_salt(++salt_);
    return Numbered(author, edit.SerializeAsString());
  }
  Id NewId() { return world.fate().environment().NewId(); }
  Change Create(const google::protobuf::Message& message, const Id& id) {
    const RecordType& type = *world.schema()->Find(message.GetDescriptor());
    Change change;
    change.set_type(type.number);
    change.set_id(id.str());
    change.set_kind(Change::CREATE);
    Diff(type, "", Canonical(type.fields, message.SerializeAsString()), &change);
    return change;
  }
  Change Update(const google::protobuf::Message& set, const Id& id, uint64_t base = 1'000'000) {
    Change change = Create(set, id);
    change.set_kind(Change::UPDATE);
    change.set_base(base);
    return change;
  }
  Change Deletion(uint32_t type, const Id& id, uint64_t base = 1'000'000) {
    Change change;
    change.set_type(type);
    change.set_id(id.str());
    change.set_kind(Change::DELETE);
    change.set_base(base);
    return change;
  }
  Meeting MeetingIn(const Id& home, const std::string& topic = "") {
    Meeting meeting;
    meeting.set_branch_id(home.str());
    meeting.set_topic(topic);
    return meeting;
  }
  std::vector<std::string> Answers(const std::vector<Submitted>& batch) {
    std::vector<std::string> answers;
    for (const Result& result : world.Commit(batch)) answers.push_back(Text(result));
    world.CheckAudit();
    return answers;
  }
  std::string Answer(const Submitted& submitted) { return Answers({submitted}).at(0); }

 private:
  uint64_t salt_ = 0;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_
