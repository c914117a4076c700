#include "sync/rules/registration.h"

#include "sync/base/status.h"
#include "sync/merge/own_edit.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using records::v1::Member;
using records::v1::Organisation;

namespace {

template <typename T>
void Register(const Id& id, const RecordState& was, const RecordState& state, sync::v1::Edit* own) {
  T record;
  if (!state.alive() || !record.ParseFromString(state.body)) return;
  if (record.name().empty() || !record.registered_name().empty()) return;
  const T before = Parse<T>(was.body);
  record.set_registered_name(before.registered_name().empty() ? ShortName(record.name())
                                                              : before.registered_name());
  AddChange(TypeOf<T>(), id, state, record, own);
}

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

class NameAtFirst : public Rule {
 public:
  bool Concerns(const RecordType& type) const override {
    return IsA<Member>(type) || IsA<Organisation>(type);
  }

  absl::Status Follow(const Case& /*of*/, const Step& step, Consequences* follows) const override {
    FollowRegistration({step.type.number, step.id}, step.before, step.after, &follows->edit);
    return absl::OkStatus();
  }
};

}  // namespace

std::string ShortName(absl::string_view name) {
  if (name.size() <= kRegisteredNameBytesMax) return std::string(name);
  size_t end = kRegisteredNameBytesMax;
  while (end > 0 && !BeginsCharacter(name[end])) --end;
  return std::string(name.substr(0, end));
}

void FollowRegistration(const RecordKey& key, const RecordState& was, const RecordState& state,
                        sync::v1::Edit* own) {
  if (key.type == TypeOf<Member>().number) Register<Member>(key.id, was, state, own);
  if (key.type == TypeOf<Organisation>().number) Register<Organisation>(key.id, was, state, own);
}

std::unique_ptr<const Rule> RegistrationRule() { return std::make_unique<NameAtFirst>(); }

}  // namespace zhibu
