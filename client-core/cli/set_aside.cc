// Edits that the server has not merged: one's own that wait to be sent or came back, and
// others' that wait for one's decision.
#include "client-core/actions/set_aside.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/satchel.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

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
  if (const auto set = WhatIsSet(store.schema(), change)) json["set"] = Json::parse(ToJson(*set));
  return json;
}

Json ChangesJson(Store& store, const sync::v1::Edit& edit) {
  Json changes = Json::array();
  for (const auto& change : edit.changes()) changes.push_back(ChangeJson(store, change));
  return changes;
}

absl::Status ListUnsent(const Arguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  RETURN_IF_ERROR(store.ListUnsent([&](const UnsentEdit& item) {
    const Json changes = ChangesJson(store, item.edit);
    found.push_back({{"number", item.number.value},
                     {"madeMs", item.edit.device_time_ms()},
                     {"delivered", item.delivered},
                     {"changes", changes}});
    absl::StrAppend(
        &text, item.number.value, ". ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(item.edit.device_time_ms()),
                         absl::LocalTimeZone()),
        item.delivered ? output.Say("（已由他人送达）", " (brought by a courier)") : "", "\n   ",
        changes.dump(), "\n");
  }));
  output.PrintFound(found, text, " 条未发送", " unsent");
  return absl::OkStatus();
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
  return output.Committed(CommitTogether(store, absl::MakeSpan(drafts)), drafts[0]);
}

// All of it, for people to read, or to enter by hand elsewhere; it stays here.
absl::Status ExportSetAside(const Arguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const SetAside item, FindSetAside(store, arguments.place));
  RETURN_IF_ERROR(WriteParcel(arguments.file, SetAsideJson(store, item, output).dump(2) + "\n"));
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
  RETURN_IF_ERROR(ListWaitingEdits(store, [&](const WaitingEdit& waiting) {
    const auto& held = waiting.held;
    const auto reason = static_cast<sync::v1::Reason>(held.reason());
    const std::string why = In(output.language, WordsFor(reason, held.detail()));
    const Json changes = ChangesJson(store, waiting.edit);
    const std::string author = TextOf(Id::FromBytes(held.author_id()).value_or(Id()));
    found.push_back({{"id", TextOf(waiting.id)},
                     {"authorId", author},
                     {"reason", sync::v1::Reason_Name(reason)},
                     {"words", why},
                     {"changes", changes}});
    absl::StrAppend(&text, TextOf(waiting.id), output.Say("  作者 ", "  by "), author, "\n   ", why,
                    "\n   ", changes.dump(), "\n");
  }));
  output.PrintFound(found, text, " 条待处理", " waiting");
  return absl::OkStatus();
}

absl::StatusOr<Draft> NamedHeld(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id id, ParseId(arguments.id));
  return store.Edit<records::v1::HeldEdit>(id);
}

absl::StatusOr<Draft> Take(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft held, NamedHeld(arguments, store));
  return TakeHeldEdit(std::move(held));
}

absl::StatusOr<Draft> Return(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft held, NamedHeld(arguments, store));
  return ReturnHeldEdit(std::move(held), arguments.reply);
}

}  // namespace

void AddSetAsideCommands(const Parent& device) {
  using O = Option<Arguments>;
  const O place{"PLACE", &Arguments::place, "As set-aside shows it", kRequired};
  const O id{"ID", &Arguments::id, "The record's id, as list shows it", kRequired};
  Commands<Arguments> commands(device);
  commands.Add("unsent", "Edits of this device that have no answer of the server yet", &ListUnsent);
  commands.Add("set-aside", "Edits that the server held or returned, with the reason",
               &ListSetAside);
  commands.Add("resend", "Make a set-aside edit again, on what is shown now, and send it", &Resend,
               {place, {"JSON", &Arguments::json, "Fields to amend; null empties one"}});
  commands.Add("held", "Edits of others that wait for your decision", &ListHeld);
  commands.Add("take", "Take a held edit: it is merged at the next sync", Committing(&Take), {id});
  commands.Add("return", "Return a held edit to its author", Committing(&Return),
               {id, {"REPLY", &Arguments::reply, "Why, to the author", kRequired}});
  commands.Add("export", "Write a set-aside edit to a file, whole and to be read", &ExportSetAside,
               {place, {"FILE", &Arguments::file, "To be written", kRequired}});
  commands.Add("discard", "Let go of a set-aside edit for good", &Discard, {place});
}

}  // namespace zhibu::client
