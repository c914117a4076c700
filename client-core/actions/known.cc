#include "client-core/actions/known.h"

#include <vector>

#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Placement;

namespace {

// What was written into the first field that holds a line of text.
std::string FirstLineOf(const RecordType& type, const Message& record) {
  constexpr uint32_t kBytesMax = 3000;  // of what is said in a few lines
  for (const FieldRule& rule : type.fields.rules()) {
    const FieldDescriptor* field = rule.descriptor;
    if (field->type() != FieldDescriptor::TYPE_STRING || field->is_repeated()) continue;
    const bool is_text = rule.format == ANY || rule.format == NO_CONTACT;
    if (!is_text || BytesMaxOf(*field) > kBytesMax) continue;
    std::string text = record.GetReflection()->GetString(record, field);
    if (!text.empty()) return text;
  }
  return "";
}

// Of the organisation that keeps the record; empty where that is not here.
std::string NameOfKeeper(Store& store, const RecordType& type, const Id& id,
                         const Message& record) {
  for (const Placed& placed : PlacesOf(type, id, record.SerializePartialAsString())) {
    if (placed.place != OWNER) continue;
    absl::StatusOr<Draft> keeper = store.Edit<Organisation>(placed.scope);
    if (keeper.ok()) return keeper->message<Organisation>().name();
  }
  return "";
}

}  // namespace

absl::Status ListReadable(Store& store, const RecordType& type,
                          absl::FunctionRef<void(const Id&, const Message&)> visit) {
  const absl::Status status =
      store.List({.type = type.number}, [&](const Id& id, const Message& message) {
        visit(id, message);
        return true;
      });
  return absl::IsDataLoss(status) ? absl::OkStatus() : status;
}

absl::StatusOr<Id> BranchOfMember(Store& store, const Id& member) {
  Placement placement;
  placement.set_member_id(member.str());
  const RecordType& type = *store.schema().Find(Placement::descriptor());
  ASSIGN_OR_RETURN(const Id id, DeriveId(type, placement.SerializeAsString()));
  ASSIGN_OR_RETURN(Draft draft, store.Edit(type, id));
  const auto branch = Id::FromBytes(draft.message<Placement>().branch_id());
  if (!branch)
    return Refuse(sync::v1::NOT_HERE,
                  InBoth("该党员所在支部的记录", "record of the member's branch"));
  return *branch;
}

std::string NameOfMember(Store& store, absl::string_view member_id) {
  const auto id = Id::FromBytes(member_id);
  if (!id) return "";
  absl::StatusOr<Draft> draft = store.Edit<Member>(*id);
  return draft.ok() ? draft->message<Member>().name() : TextOf(*id);
}

std::string NameOfRecord(Store& store, const RecordType& type, const Id& id) {
  const absl::StatusOr<Draft> draft = store.Edit(type, id);
  if (!draft.ok()) return TextOf(id);
  const Message& record = draft->message();
  const FieldDescriptor* member = record.GetDescriptor()->FindFieldByName("member_id");
  if (member != nullptr) {
    const std::string named = record.GetReflection()->GetString(record, member);
    std::string keeper;  // a superior holds nobody's record of those below
    if (const auto person = Id::FromBytes(named); person && !store.Edit<Member>(*person).ok()) {
      keeper = NameOfKeeper(store, type, id, record);
    }
    return keeper.empty() ? NameOfMember(store, named) : keeper;
  }
  std::string line = FirstLineOf(type, record);
  return line.empty() ? TextOf(id) : line;
}

absl::StatusOr<absl::CivilDay> Today(Store& store) {
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  absl::CivilDay today;
  absl::ParseCivilTime(DateAt(now_ms), &today);
  return today;
}

absl::StatusOr<std::string> DateOrToday(Store& store, const std::optional<absl::CivilDay>& day) {
  if (day) return absl::FormatCivilTime(*day);
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  return absl::FormatCivilTime(today);
}

absl::StatusOr<EditNumber> CommitTogether(Store& store, absl::Span<Draft> drafts) {
  std::vector<Draft*> all;
  for (Draft& draft : drafts) all.push_back(&draft);
  return store.Commit(all);
}

std::unique_ptr<Message> ReadAs(const RecordType& type, absl::string_view body) {
  std::unique_ptr<Message> message(
      MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  if (!message->ParsePartialFromArray(body.data(), static_cast<int>(body.size()))) return nullptr;
  return message;
}

}  // namespace zhibu::client
