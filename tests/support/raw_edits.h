// Edits made by hand, and numbered as a device numbers them: what software sends that
// somebody has changed at will, past all that the app would refuse, straight into the
// server's ingest.
//
//   Raw raw(world, wang);  // from a second device of wang's
//   EXPECT_EQ(raw.Answer({raw.Create(letter, id)}), "RETURNED NOT_YOUR_STEP");
//
//   class MyTest : public RawEdits { … };  // from the phones of migration.h
//   EXPECT_EQ(Answer(Of(&wang_author, {Create(meeting, NewId())})), "1 RETURNED NOT_ENTITLED");
#ifndef ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_
#define ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/feed/sent.h"
#include "server/ingest/ingest.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/support/migration.h"
#include "tests/support/world.h"

namespace zhibu::test {

using server::Result;
using server::Submitted;
using sync::v1::Change;
using sync::v1::Edit;

// "RETURNED NOT_ENTITLED".
inline std::string VerdictOf(const sync::v1::Answer& answer) {
  std::string text = sync::v1::Verdict_Name(answer.verdict());
  if (answer.reason() != sync::v1::NO_REASON) {
    absl::StrAppend(&text, " ", sync::v1::Reason_Name(answer.reason()));
  }
  return text;
}
// "1 RETURNED NOT_ENTITLED".
inline std::string Text(const Result& result) {
  return result.forked ? "forked"
                       : absl::StrCat(result.answer.number(), " ", VerdictOf(result.answer));
}

class EditMaker {
 public:
  explicit EditMaker(World& world) : made_in_(world) {}

  // A device that numbers what it sends.
  struct Author {
    DeviceNumber device;
    uint64_t number = 0;
    uint64_t link = 0;
  };

  // 0: now.
  int64_t stamp_ms = 0;

  // Without an id, under the one that follows from the record's fields.
  Change Create(const google::protobuf::Message& message, const Id& id = Id()) {
    const RecordType& type = *made_in_.schema()->Find(message.GetDescriptor());
    const std::string body = Canonical(type.fields, message.SerializePartialAsString());
    Change change;
    change.set_type(type.number);
    change.set_id((id.empty() ? DeriveId(type, body).value() : id).str());
    change.set_kind(Change::CREATE);
    Diff(type, "", body, &change);
    return change;
  }
  Change Update(const google::protobuf::Message& set, const Id& id,
                uint64_t base = uint64_t{1} << 60) {
    Change change = Create(set, id);
    change.set_kind(Change::UPDATE);
    change.set_base(base);
    return change;
  }
  Change Deletion(uint32_t type, const Id& id, uint64_t base = uint64_t{1} << 60) {
    Change change;
    change.set_type(type);
    change.set_id(id.str());
    change.set_kind(Change::DELETE);
    change.set_base(base);
    return change;
  }

  Submitted Numbered(Author* author, const std::string& bytes) {
    Submitted submitted{author->device, {}};
    submitted.edit.set_number(++author->number);
    submitted.edit.set_stamp(StampAt(stamp_ms != 0 ? stamp_ms : made_in_.now_ms()).value);
    submitted.edit.set_edit(bytes);
    submitted.edit.set_previous(author->link);
    author->link = LinkTo(bytes);
    // As though it had been sent all that there is.
    auto sent = std::make_shared<server::Sent>();
    sent->cursors[Id()] = kPendingVersion;
    submitted.sent = std::move(sent);
    return submitted;
  }
  Submitted Of(Author* author, const std::vector<Change>& changes) {
    Edit edit;
    for (const Change& change : changes) *edit.add_changes() = change;
    edit.set_salt(made_in_.fate().environment().NewSalt());
    return Numbered(author, edit.SerializeAsString());
  }

 private:
  World& made_in_;
};

class Raw : public EditMaker {
 public:
  Raw(World& world, const Id& person)
      : EditMaker(world), world_(world), author_{world.Enrol(person).number()} {}
  Raw(World& world, Phone& of) : Raw(world, of.person()) {}

  DeviceNumber device() const { return author_.device; }
  // As it was sent last.
  const std::string& edit() const { return edit_; }

  sync::v1::Answer AnswerOf(const std::vector<Change>& changes) {
    const Submitted submitted = Of(&author_, changes);
    edit_ = submitted.edit.edit();
    const std::vector<Result> results = world_.Commit({submitted});
    EXPECT_EQ(results.size(), 1u);
    return results.empty() ? sync::v1::Answer() : results[0].answer;
  }
  std::string Answer(const std::vector<Change>& changes) { return VerdictOf(AnswerOf(changes)); }

 private:
  World& world_;
  Author author_;
  std::string edit_;
};

// The people of migration.h, each with a device of its own numbering.
class RawEdits : public Migration, public EditMaker {
 protected:
  RawEdits() : EditMaker(world) {}

  Author zhang_author{zhangs.number()};
  Author li_author{lis.number()};
  Author wang_author{wangs.number()};
  Author chen_author{chens.number()};

  Id NewId() { return world.fate().environment().NewId(); }
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
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_RAW_EDITS_H_
