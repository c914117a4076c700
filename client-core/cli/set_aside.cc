// Edits that the server did not merge: one's own that came back, and others' that wait
// for one's decision.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/satchel.h"
#include "client-core/cli/step.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using records::v1::HeldEdit;
using Json = nlohmann::json;

struct Arguments {
  int64_t place = 0;
  std::string json;
  std::string id;
  std::string reply;
  std::string file;
};

Json ChangeJson(Store& store, const sync::v1::Change& change) {
  const RecordType* type = store.schema().Find(change.type());
  Json json = {{"kind", sync::v1::Change::Kind_Name(change.kind())},
               {"id", TextOf(Id::FromBytes(change.id()).value_or(Id()))},
               {"type", type == nullptr ? absl::StrCat(change.type()) : type->name}};
  if (change.has_without()) json["without"] = Json::parse(ToJson(change.without()));
  if (type == nullptr) return json;
  Draft draft = store.New(*type);
  if (draft.message().ParsePartialFromString(change.set())) {
    json["set"] = Json::parse(ToJson(draft.message()));
  }
  return json;
}

Json ChangesJson(Store& store, const sync::v1::Edit& edit) {
  Json changes = Json::array();
  for (const auto& change : edit.changes()) changes.push_back(ChangeJson(store, change));
  return changes;
}

// As JSON names it, and what people are told.
std::pair<const char*, std::string> NameOf(SetAside::Standing standing, const Output& output) {
  switch (standing) {
    case SetAside::Standing::kReturned:
      return {"RETURNED", output.Say("被退回: ", "returned: ")};
    case SetAside::Standing::kWaiting:
      return {"WAITING", output.Say("待处理: ", "held: ")};
    case SetAside::Standing::kTaken:
      return {"TAKEN", output.Say("已采纳: ", "taken: ")};
    case SetAside::Standing::kNotSent:
      return {"NOT_SENT", output.Say("未发送: ", "not sent: ")};
  }
  return {"", ""};
}

Json SetAsideJson(Store& store, const SetAside& item, const Output& output) {
  const auto& answer = item.answer;
  return {{"place", item.place},
          {"number", answer.number()},
          {"madeMs", item.edit.device_time_ms()},
          {"standing", NameOf(item.standing, output).first},
          {"verdict", sync::v1::Verdict_Name(answer.verdict())},
          {"reason", sync::v1::Reason_Name(answer.reason())},
          {"words", In(output.language, WordsFor(answer.reason(), answer.detail()))},
          {"reply", item.reply},
          {"changes", ChangesJson(store, item.edit)}};
}

absl::Status ListSetAside(const Arguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(store.ListSetAside([&](const SetAside& item) {
    const Json json = SetAsideJson(store, item, output);
    absl::StrAppend(&text, item.place, ". ", NameOf(item.standing, output).second,
                    json.value("words", ""), item.reply.empty() ? "" : "\n   “", item.reply,
                    item.reply.empty() ? "" : "”", "\n   ", json["changes"].dump(), "\n");
    found.push_back(json);
  }));
  output.PrintFound(found, text, " 条", " set aside");
  return absl::OkStatus();
}

absl::Status Resend(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, store.Amend(arguments.place));
  if (!arguments.json.empty() && drafts.size() != 1) {
    return absl::InvalidArgumentError(output.Say("这一项涉及多条记录，只能原样重新提交",
                                                 "it is about several records: leave out JSON"));
  }
  if (!arguments.json.empty()) {
    RETURN_IF_ERROR(Patch(arguments.json, &drafts[0].message()));
  }
  std::vector<Draft*> all;
  for (Draft& draft : drafts) all.push_back(&draft);
  const auto number = store.Commit(all);
  return output.Committed(number, drafts[0]);
}

// All of it, for people to read, or to enter by hand elsewhere; it stays here.
absl::Status ExportSetAside(const Arguments& arguments, Store& store, const Output& output) {
  Json found;
  RETURN_IF_ERROR(store.ListSetAside([&](const SetAside& item) {
    if (item.place == arguments.place) found = SetAsideJson(store, item, output);
  }));
  if (found.is_null()) {
    return absl::NotFoundError(absl::StrCat("nothing is set aside as ", arguments.place));
  }
  RETURN_IF_ERROR(WriteParcel(arguments.file, found.dump(2) + "\n"));
  output.Print({{"file", arguments.file}}, output.Say("已导出: ", "exported: ") + arguments.file);
  return absl::OkStatus();
}

absl::Status Discard(const Arguments& arguments, Store& store, const Output& output) {
  RETURN_IF_ERROR(store.Discard(arguments.place));
  output.Print({{"discarded", arguments.place}}, output.Say("已放弃", "discarded"));
  return absl::OkStatus();
}

absl::Status ListHeld(const Arguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  Query query{.type = store.schema().Find(HeldEdit::descriptor())->number};
  query.where.emplace_back("state", "WAITING");
  RETURN_IF_ERROR(store.List(query, [&](const Id& id, const Message& message) {
    const auto& held = static_cast<const HeldEdit&>(message);
    sync::v1::Edit edit;
    edit.ParseFromString(held.edit());  // empty where its branches may not see each other's
    const auto reason = static_cast<sync::v1::Reason>(held.reason());
    const std::string why = In(output.language, WordsFor(reason, held.detail()));
    const Json changes = ChangesJson(store, edit);
    const std::string author = TextOf(Id::FromBytes(held.author_id()).value_or(Id()));
    found.push_back({{"id", TextOf(id)},
                     {"authorId", author},
                     {"reason", sync::v1::Reason_Name(reason)},
                     {"words", why},
                     {"changes", changes}});
    absl::StrAppend(&text, TextOf(id), output.Say("  作者 ", "  by "), author, "\n   ", why,
                    "\n   ", changes.dump(), "\n");
    return true;
  }));
  output.PrintFound(found, text, " 条待处理", " waiting");
  return absl::OkStatus();
}

absl::StatusOr<Draft> NamedHeld(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id id, ParseId(arguments.id));
  return store.Edit<HeldEdit>(id);
}

absl::Status Reply(const Arguments& arguments, Store& /*store*/, HeldEdit& held) {
  if (!arguments.reply.empty()) held.set_reply(arguments.reply);
  return absl::OkStatus();
}

}  // namespace

void AddSetAsideCommands(const Parent& device) {
  using O = Option<Arguments>;
  const O place{"PLACE", &Arguments::place, "As set-aside shows it", kRequired};
  const O id{"ID", &Arguments::id, "The record's id, as list shows it", kRequired};
  Commands<Arguments> commands(device);
  commands.Add("set-aside", "Edits that the server held or returned, with the reason",
               &ListSetAside);
  commands.Add("resend", "Make a set-aside edit again, on what is shown now, and send it", &Resend,
               {place, {"JSON", &Arguments::json, "Fields to amend; null empties one"}});
  commands.Add("held", "Edits of others that wait for your decision", &ListHeld);
  commands.Add("take", "Take a held edit: it is merged at the next sync",
               Step<HeldEdit>(&NamedHeld, HeldEdit::TAKEN), {id});
  commands.Add("return", "Return a held edit to its author",
               Step<HeldEdit>(&NamedHeld, HeldEdit::RETURNED, &Reply),
               {id, {"REPLY", &Arguments::reply, "Why, to the author", kRequired}});
  commands.Add("export", "Write a set-aside edit to a file, whole and to be read", &ExportSetAside,
               {place, {"FILE", &Arguments::file, "To be written", kRequired}});
  commands.Add("discard", "Let go of a set-aside edit for good", &Discard, {place});
}

}  // namespace zhibu::client
