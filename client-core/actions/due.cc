#include "client-core/actions/due.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <set>

#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::Grant;
using records::v1::Placement;

class HeldHere final : public rules::Records {
 public:
  explicit HeldHere(Store& store) : store_(store) {}
  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    const absl::Status status =
        store_.List({.type = type.number}, [&](const Id& id, const Message& message) {
          visit(id, message);
          return true;
        });
    // One that is damaged hides nothing else.
    return absl::IsDataLoss(status) ? absl::OkStatus() : status;
  }

 private:
  Store& store_;
};

// The owner's own scope, and those of the organisations that they act for or belong to.
absl::StatusOr<std::set<Id>> OwnScopes(Store& store) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  const Id& person = identity.person;
  std::set<Id> scopes = {person};
  const auto add = [&](const std::string& bytes) {
    if (const auto scope = Id::FromBytes(bytes)) scopes.insert(*scope);
  };
  RETURN_IF_ERROR(Each<Grant>(store, [&](const Id&, const Grant& grant) {
    const bool ended =
        grant.has_until() && TimeUtil::TimestampToMilliseconds(grant.until()) <= now_ms;
    if (!ended && grant.person_id() == person.bytes()) add(grant.organisation_id());
    return true;
  }));
  RETURN_IF_ERROR(Each<Placement>(store, [&](const Id&, const Placement& placement) {
    if (placement.member_id() == person.bytes()) add(placement.branch_id());
    return true;
  }));
  return scopes;
}

}  // namespace

absl::StatusOr<DueHere> WhatIsDue(Store& store, const std::optional<absl::CivilDay>& day) {
  ASSIGN_OR_RETURN(const std::set<Id> scopes, OwnScopes(store));
  DueHere due;
  if (day) {
    due.as_of = *day;
  } else {
    ASSIGN_OR_RETURN(due.as_of, Today(store));
  }
  HeldHere records(store);
  ASSIGN_OR_RETURN(
      due.list, rules::WorkOutDue(
                    rules::ShippedBook(), records, due.as_of,
                    [&](const RecordType& type, const Id& id, const Message& record) {
                      const auto places = PlacesOf(type, id, record.SerializeAsString());
                      return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
                        return scopes.count(placed.scope) > 0;
                      });
                    }));
  return due;
}

std::string NameOfSubject(Store& store, const rules::DueItem& item) {
  const absl::StatusOr<Draft> draft = store.Edit(*item.obligation->each, item.subject);
  if (!draft.ok()) return TextOf(item.subject);
  const Message& record = draft->message();
  for (const char* name : {"name", "member_name", "topic"}) {
    const FieldDescriptor* field = record.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) continue;
    std::string text = record.GetReflection()->GetString(record, field);
    if (!text.empty()) return text;
  }
  const FieldDescriptor* member = record.GetDescriptor()->FindFieldByName("member_id");
  if (member == nullptr) return TextOf(item.subject);
  return NameOfMember(store, record.GetReflection()->GetString(record, member));
}

}  // namespace zhibu::client
