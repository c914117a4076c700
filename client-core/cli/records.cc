// Records of any type: whatever the catalogue declares.
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/resolve.h"
#include "client-core/store/match.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using Json = nlohmann::json;

struct Arguments {
  std::string type;
  std::string id;
  std::string json;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> where;
};

absl::StatusOr<Draft> NamedRecord(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  ASSIGN_OR_RETURN(const Id id, ParseId(arguments.id));
  return store.Edit(*type, id);
}

absl::Status Put(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  Draft draft = store.New(*type);
  RETURN_IF_ERROR(FromJson(arguments.json, &draft.message()));
  const auto number = store.Commit({&draft});
  // What makes the record's id says that it is here: then it is changed.
  if (!absl::IsAlreadyExists(number.status())) return output.Committed(number, draft);
  ASSIGN_OR_RETURN(Draft known, store.Edit(*type, draft.id()));
  RETURN_IF_ERROR(Patch(arguments.json, &known.message()));
  return Commit(store, output, std::move(known));
}

absl::Status Edit(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedRecord(arguments, store));
  RETURN_IF_ERROR(Patch(arguments.json.empty() ? "{}" : arguments.json, &draft.message()));
  for (const std::string& add : arguments.add) {
    RETURN_IF_ERROR(AddElement(add, &draft.message()));
  }
  for (const std::string& remove : arguments.remove) {
    RETURN_IF_ERROR(RemoveElement(remove, &draft.message()));
  }
  return Commit(store, output, std::move(draft));
}

absl::Status Delete(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedRecord(arguments, store));
  draft.Delete();
  return Commit(store, output, std::move(draft));
}

absl::Status Get(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Draft draft, NamedRecord(arguments, store));
  ASSIGN_OR_RETURN(const std::set<Id> unsent, store.UnsentRecords(draft.type()));
  Json found = Json::array();
  std::string text;
  AddRecord(draft.type(), draft.id(), draft.message(), unsent.count(draft.id()) > 0, output, &found,
            &text);
  output.Print(found[0], text);
  return absl::OkStatus();
}

absl::Status List(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  Query query{.type = type->number};
  for (const std::string& condition : arguments.where) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(condition, absl::MaxSplits('=', 1));
    // Though there may be no record that could tell.
    if (FindField(*type->descriptor, parts.first) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(type->name, " has no field ", parts.first));
    }
    query.where.push_back(parts);
  }
  ASSIGN_OR_RETURN(const std::set<Id> unsent, store.UnsentRecords(*type));
  Json found = Json::array();
  std::string text;
  const absl::Status status = store.List(query, [&](const Id& id, const Message& message) {
    AddRecord(*type, id, message, unsent.count(id) > 0, output, &found, &text);
    return true;
  });
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  output.PrintFound(found, text);
  return status;  // one that is damaged does not hide the others
}

}  // namespace

void AddRecordCommands(const Parent& device) {
  using O = Option<Arguments>;
  const O type{"TYPE", &Arguments::type, "Record type: Meeting, Attendance, CheckIn, …", kRequired};
  const O id{"ID", &Arguments::id, "The record's id, as list shows it", kRequired};
  Commands<Arguments> commands(device);
  commands.Add("put", "Record something new", &Put,
               {type, {"JSON", &Arguments::json, "The record in protobuf's JSON form", kRequired}});
  commands.Add("edit", "Change a record", &Edit,
               {type,
                id,
                {"JSON", &Arguments::json, "The fields to change; null empties one"},
                {"--add", &Arguments::add, "F=V: one more element of a repeated field"},
                {"--remove", &Arguments::remove, "F=V: take an element away, by value or key"}});
  commands.Add("delete", "Delete a record", &Delete, {type, id});
  commands.Add("get", "Show a record", &Get, {type, id});
  commands.Add("list", "Show the records of a type", &List,
               {type, {"--where", &Arguments::where, "F=V: only where the field has this value"}});
}

void AddConflictsCommand(const Parent& device) {
  Commands<Arguments> commands(device, {.type = "ConflictNote"});
  commands.Add("conflicts", "What two people wrote without having seen each other", &List);
}

}  // namespace zhibu::client
