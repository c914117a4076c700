// Whom the server lets see a record because of where its keeper stands among organisations.
#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sim/authority.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::sim {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Organisation;

namespace {

using Made = std::map<RecordKey, Expected>;

std::set<std::string> ValuesOf(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return {reflection.GetString(message, &field)};
  std::set<std::string> values;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    values.insert(reflection.GetRepeatedString(message, &field, i));
  }
  return values;
}

std::set<std::string> ParentsOf(const Ledger& ledger, const Made& made, const std::string& id) {
  const auto known = Id::FromBytes(id);
  if (!known) return {};
  const RecordKey key{TypeOf(Organisation::descriptor()), *known};
  const auto it = made.find(key);
  const Ledger::Record* record = ledger.Find(key);
  const Message* is = it != made.end()    ? it->second.message.get()
                      : record != nullptr ? record->expected.message.get()
                                          : nullptr;
  const auto* organisation = dynamic_cast<const Organisation*>(is);
  if (organisation == nullptr) return {};
  std::set<std::string> parents = {organisation->parent_id(), organisation->host_parent_id()};
  parents.erase("");
  return parents;
}

bool StandsAbove(const Ledger& ledger, const Made& made, const std::string& above,
                 const std::string& below) {
  std::set<std::string> seen, level = {below};
  while (!level.empty()) {
    std::set<std::string> next;
    for (const std::string& one : level) {
      for (const std::string& parent : ParentsOf(ledger, made, one)) {
        if (parent == above) return true;
        if (seen.insert(parent).second) next.insert(parent);
      }
    }
    level = next;
  }
  return false;
}

}  // namespace

void Ledger::JudgeSent(const Row& row, const Made& made) {
  for (const auto& [key, expected] : made) {
    const Message& is = *expected.message;
    const auto* type = is.GetDescriptor();
    if (expected.unclear || !expected.alive ||
        type->options().GetExtension(zhibu::record).made_by_server()) {
      continue;
    }
    const Record* record = Find(key);
    const Message* was = record == nullptr ? nullptr : record->expected.message.get();
    std::string keeper;
    for (const auto& [scope, place] : PlacesIn(is, key.id)) {
      if (place == OWNER) keeper = scope.str();
    }
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      const auto& options = field.options();
      const std::string& named = options.GetExtension(zhibu::sent_to);
      const bool above = options.GetExtension(zhibu::place) == ABOVE &&
                         options.GetExtension(zhibu::merge) == SERVER;
      if (named.empty() && !above) continue;
      const auto before = was == nullptr ? std::set<std::string>() : ValuesOf(*was, field);
      for (const std::string& one : ValuesOf(is, field)) {
        if (before.count(one) > 0) continue;
        const bool right = above ? ParentsOf(*this, made, keeper).count(one) > 0
                                 : ValuesOf(is, *type->FindFieldByName(named)).count(one) > 0 &&
                                       StandsAbove(*this, made, keeper, one);
        if (right) continue;
        Doubt(row.audit, kAuthority,
              absl::StrCat(NameOf(key), ": ", field.name(), " is not theirs"), key);
      }
    }
  }
}

}  // namespace zhibu::sim
