// Edits as software sends them that somebody has changed at will: numbered by hand, past
// all that the app would refuse. From a second device of the phone's owner.
//
//   Raw raw(world, wangs);
//   EXPECT_EQ(raw.Answer({raw.Create(letter, id)}), "RETURNED NOT_YOUR_STEP");
#ifndef ZHIBU_TESTS_SUPPORT_RAW_H_
#define ZHIBU_TESTS_SUPPORT_RAW_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/diff.h"
#include "sync/record.h"
#include "tests/support/world.h"

namespace zhibu::test {

class Raw {
 public:
  Raw(World& world, const Id& person) : world_(world), device_(world.Enrol(person).number()) {}
  Raw(World& world, Phone& of) : Raw(world, of.person()) {}

  DeviceNumber device() const { return device_; }
  // 0: now.
  int64_t stamp_ms = 0;

  // The id of a type whose fields make it follows.
  sync::v1::Change Create(const google::protobuf::Message& message, const Id& id = Id()) {
    const RecordType& type = *world_.schema()->Find(message.GetDescriptor());
    const std::string body = Canonical(type.fields, message.SerializePartialAsString());
    sync::v1::Change change;
    change.set_type(type.number);
    change.set_id((type.id_from.empty() ? id : DeriveId(type, body).value()).str());
    change.set_kind(sync::v1::Change::CREATE);
    Diff(type, "", body, &change);
    return change;
  }
  sync::v1::Change Update(const google::protobuf::Message& set, const Id& id) {
    const RecordType& type = *world_.schema()->Find(set.GetDescriptor());
    sync::v1::Change change;
    change.set_type(type.number);
    change.set_id(id.str());
    change.set_kind(sync::v1::Change::UPDATE);
    change.set_base(uint64_t{1} << 60);
    Diff(type, "", Canonical(type.fields, set.SerializePartialAsString()), &change);
    return change;
  }
  sync::v1::Change Deletion(uint32_t type, const Id& id) {
    sync::v1::Change change;
    change.set_type(type);
    change.set_id(id.str());
    change.set_kind(sync::v1::Change::DELETE);
    change.set_base(uint64_t{1} << 60);
    return change;
  }

  sync::v1::Answer AnswerOf(const std::vector<sync::v1::Change>& changes) {
    sync::v1::Edit edit;
    for (const sync::v1::Change& change : changes) *edit.add_changes() = change;
    edit.set_salt(++number_);
    server::Submitted submitted{device_, {}};
    submitted.edit.set_number(number_);
    submitted.edit.set_stamp(StampAt(stamp_ms != 0 ? stamp_ms : world_.now_ms()).value);
    submitted.edit.set_edit(edit.SerializeAsString());
    submitted.edit.set_previous(link_);
    link_ = LinkTo(submitted.edit.edit());
    const std::vector<server::Result> results = world_.Commit({submitted});
    EXPECT_EQ(results.size(), 1u);
    return results.empty() ? sync::v1::Answer() : results[0].answer;
  }
  // "MERGED", "RETURNED NOT_ENTITLED".
  std::string Answer(const std::vector<sync::v1::Change>& changes) {
    const sync::v1::Answer answer = AnswerOf(changes);
    std::string text = sync::v1::Verdict_Name(answer.verdict());
    if (answer.reason() != sync::v1::NO_REASON) {
      absl::StrAppend(&text, " ", sync::v1::Reason_Name(answer.reason()));
    }
    return text;
  }

 private:
  World& world_;
  const DeviceNumber device_;
  uint64_t number_ = 0;
  uint64_t link_ = 0;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_RAW_H_
