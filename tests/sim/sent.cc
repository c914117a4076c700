// Whom the server lets see a record because of where its keeper stands among organisations.
#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sim/authority.h"
#include "tests/support/asked.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::sim {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

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

// Of some that name nobody it goes to all.
bool IsNamed(const Message& message, const FieldDescriptor& field, const std::string& id) {
  const auto& options = field.options();
  const auto named = ValuesOf(
      message, *field.containing_type()->FindFieldByName(options.GetExtension(zhibu::sent_to)));
  return named.count(id) > 0 || (named.empty() && options.GetExtension(zhibu::sent_while_below));
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
    Id keeper;
    for (const auto& [scope, place] : PlacesIn(is, key.id)) {
      if (place == OWNER) keeper = scope;
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
        const Id organisation = *Id::FromBytes(one);
        const bool right = above ? test::IsAsked(is) && SuperiorOf(keeper) == organisation
                                 : IsNamed(is, field, one) && organisation != keeper &&
                                       AboveOf(organisation).count(keeper) > 0;
        if (right) continue;
        Doubt(row.audit, kAuthority,
              absl::StrCat(NameOf(key), ": ", field.name(), " is not theirs"), key);
      }
    }
  }
}

}  // namespace zhibu::sim
