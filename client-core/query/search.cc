#include "client-core/query/search.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client-core/query/pinyin.h"
#include "sync/base/status.h"
#include "sync/wire/worded.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* KeeperOf(const RecordType& type) {
  for (const FieldRule& rule : type.fields.rules()) {
    const FieldDescriptor& field = *rule.descriptor;
    if (!field.is_repeated() && field.options().GetExtension(zhibu::place) == OWNER) return &field;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<SearchHits> Search(Store& store, Names& names,
                                  const std::vector<const RecordType*>& types,
                                  absl::string_view text, size_t limit) {
  std::vector<SearchHit> first;
  std::vector<SearchHit> then;
  for (const RecordType* type : types) {
    const FieldDescriptor* keeper = KeeperOf(*type);
    const absl::Status listed =
        store.List({.type = type->number}, [&](const Id& id, const Message& record) {
          std::string title = names.TitleOf(*type, id, record);
          const bool begins = absl::StartsWith(title, text);
          if (!begins && !absl::StrContains(title, text) && !SoundsLike(title, text)) return true;
          std::string about;
          if (keeper != nullptr) about = ValueOf(record, *keeper, names.wording());
          (begins ? first : then).push_back({type, id, std::move(title), std::move(about)});
          return first.size() <= limit;
        });
    // One that is damaged hides no other.
    if (!listed.ok() && !absl::IsDataLoss(listed)) return listed;
  }
  SearchHits found;
  found.hits = std::move(first);
  std::move(then.begin(), then.end(), std::back_inserter(found.hits));
  found.more = found.hits.size() > limit;
  found.hits.resize(std::min(found.hits.size(), limit));
  return found;
}

std::vector<const RecordType*> ChoicesFor(const Names& names, const FieldDescriptor& field) {
  std::vector<const RecordType*> types = names.TypesFor(field);
  const Place place = field.options().GetExtension(zhibu::place);
  const bool of_organisations = place == OWNER || place == GUEST || place == ABOVE;
  const auto fits = [&](const RecordType* type) {
    const bool organisation = type->descriptor == records::v1::Organisation::descriptor();
    return organisation ||
           (!of_organisations && type->descriptor == records::v1::Member::descriptor());
  };
  // One type: the field says so.
  if (types.size() == 1) return types;
  types.erase(std::remove_if(types.begin(), types.end(), [&](auto* type) { return !fits(type); }),
              types.end());
  return types;
}

}  // namespace zhibu::client
