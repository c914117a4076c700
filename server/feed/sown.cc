#include "server/feed/sown.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sync/base/status.h"
#include "sync/wire/wire.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::server {
namespace {

using sync::v1::FieldTrace;
using sync::v1::FormerLife;
using sync::v1::Trace;

std::string NameOf(const RecordType& type) { return absl::StrCat(type.number); }

std::string ElementOf(const FieldRule& rule) {
  return std::string(rule.descriptor->message_type()->full_name());
}

void AddFields(const Fields& fields, const std::string& name, std::set<std::string>* all) {
  for (const FieldRule& rule : fields.rules()) {
    const bool fresh = all->insert(absl::StrCat(name, ".", rule.number)).second;
    if (fresh && rule.element != nullptr) AddFields(*rule.element, ElementOf(rule), all);
  }
}

// Which fields are newly declared and special.
class Sown {
 public:
  Sown(const Schema& schema, const std::set<std::string>& before) : before_(before) {
    for (const RecordType& type : schema.types()) {
      if (Gather(type.fields, NameOf(type))) types_.push_back(&type);
    }
  }

  // Those in whose records there may be any.
  const std::vector<const RecordType*>& types() const { return types_; }

  bool Clear(const Fields& fields, std::string* body) const {
    std::string rest;
    wire::Reader reader(*body);
    wire::Field field;
    bool changed = false;
    while (reader.Next(&field)) {
      const FieldRule* rule = fields.Find(field.number);
      if (Is(rule)) {
        changed = true;
      } else if (rule != nullptr && rule->element != nullptr && field.type == wire::Type::kBytes) {
        std::string element(field.payload);
        changed |= Clear(*rule->element, &element);
        wire::AppendBytesField(field.number, element, &rest);
      } else {
        rest.append(field.whole.data(), field.whole.size());
      }
    }
    if (changed) *body = std::move(rest);
    return changed;
  }

  bool Clear(const Fields& fields, Trace* trace) const {
    bool changed = false;
    auto& traced = *trace->mutable_fields();
    for (FieldTrace& field : traced) {
      const FieldRule* rule = fields.Find(field.field());
      if (rule == nullptr || rule->element == nullptr || Is(rule)) continue;
      for (auto& element : *field.mutable_elements()) {
        changed |= Clear(*rule->element, element.mutable_body());
        if (element.has_trace()) changed |= Clear(*rule->element, element.mutable_trace());
      }
    }
    const auto sown = std::remove_if(traced.begin(), traced.end(), [&](const FieldTrace& field) {
      return Is(fields.Find(field.field()));
    });
    changed |= sown != traced.end();
    traced.erase(sown, traced.end());
    for (FormerLife& life : *trace->mutable_former_lives()) {
      changed |= Clear(fields, life.mutable_body());
      if (life.has_trace()) changed |= Clear(fields, life.mutable_trace());
    }
    return changed;
  }

 private:
  bool Is(const FieldRule* rule) const { return rule != nullptr && sown_.contains(rule); }

  // Whether there is one, in these or in elements of them.
  bool Gather(const Fields& fields, const std::string& name) {
    if (!seen_.insert(&fields).second) return holds_.contains(&fields);
    const std::string prefix = absl::StrCat(name, ".");
    const auto known = before_.lower_bound(prefix);
    const bool had_any = known != before_.end() && absl::StartsWith(*known, prefix);
    bool any = false;
    for (const FieldRule& rule : fields.rules()) {
      const bool declared = before_.contains(absl::StrCat(prefix, rule.number));
      if (had_any && !declared && rule.special) {
        sown_.insert(&rule);
        any = true;
      } else if (rule.element != nullptr) {
        any |= Gather(*rule.element, ElementOf(rule));
      }
    }
    if (any) holds_.insert(&fields);
    return any;
  }

  const std::set<std::string>& before_;
  absl::flat_hash_set<const FieldRule*> sown_;
  absl::flat_hash_set<const Fields*> seen_;
  absl::flat_hash_set<const Fields*> holds_;
  std::vector<const RecordType*> types_;
};

bool ClearRecord(const Sown& sown, const RecordType& type, RecordState* state) {
  bool changed = sown.Clear(type.fields, &state->body);
  Trace trace;  // a damaged one is told of by whoever merges
  if (trace.ParseFromString(state->trace) && sown.Clear(type.fields, &trace)) {
    state->trace = trace.SerializeAsString();
    changed = true;
  }
  return changed;
}

}  // namespace

std::set<std::string> FieldsOf(const Schema& schema) {
  std::set<std::string> all;
  for (const RecordType& type : schema.types()) AddFields(type.fields, NameOf(type), &all);
  return all;
}

absl::StatusOr<bool> ClearSown(Writer& writer, const Schema& schema,
                               const std::set<std::string>& before) {
  const Sown sown(schema, before);
  bool any = false;
  for (const RecordType* type : sown.types()) {
    std::vector<std::pair<Id, RecordState>> cleared;
    RETURN_IF_ERROR(writer.ListEver(type->number, [&](const Id& id, const RecordState& state) {
      RecordState rest = state;
      if (ClearRecord(sown, *type, &rest)) cleared.emplace_back(id, std::move(rest));
    }));
    for (const auto& [id, state] : cleared) {
      // In no scope and in no feed does anything move: nobody knew the field.
      RETURN_IF_ERROR(writer.PutRecord({type->number, id}, state, {}, {}));
    }
    any = any || !cleared.empty();
  }
  return any;
}

}  // namespace zhibu::server
