// Edits that the server has not merged: one's own that wait to be sent or came back, and
// others' that wait for one's decision.
#include "client-core/actions/set_aside.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client-core/actions/known.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/resolve.h"
#include "client-core/cli/satchel.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/why.h"
#include "sync/wire/worded.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using records::v1::HeldEdit;

struct SetAsideArguments {
  int64_t place = 0;
  std::string json;
  std::vector<std::string> set;
  std::string id;
  std::string reply;
  std::string file;
  bool yes = false;
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

// As people read it: what is done to which record, and what is said of it.
std::string TextOf(const sync::v1::Change& change, Store& store, Names& names,
                   const Output& output) {
  const RecordType* type = store.schema().Find(change.type());
  const auto id = Id::FromBytes(change.id());
  if (type == nullptr || !id) {
    return output.Say("   本版本不认识的记录\n", "   a record that this version does not know\n");
  }
  const char* zh = "修改 ";
  const char* en = "change ";
  if (change.kind() == sync::v1::Change::CREATE) {
    zh = "新记 ";
    en = "record ";
  } else if (change.kind() == sync::v1::Change::DELETE) {
    zh = "删除 ";
    en = "delete ";
  }
  const auto set = WhatIsSet(store.schema(), change);
  // What is not here is called by what the change says of it.
  const bool here = !names.TitleOf(*type, *id).empty();
  const std::string title = here || set == nullptr ? output.TitleOf(names, *type, *id)
                                                   : output.TitleOf(names, *type, *id, *set);
  std::string text = absl::StrCat("   ", output.Say(zh, en), title, "\n");
  if (set == nullptr || change.kind() == sync::v1::Change::DELETE) return text;
  absl::StrAppend(&text, absl::StrReplaceAll(absl::StrCat("\n", Lines(*set, names.wording())),
                                             {{"\n  ", "\n     "}})
                             .substr(1));
  return text;
}

std::string TextOf(const sync::v1::Edit& edit, Store& store, Names& names, const Output& output) {
  std::string text;
  for (const auto& change : edit.changes()) {
    absl::StrAppend(&text, TextOf(change, store, names, output));
  }
  return text;
}

// The type that an edit is about, if it is about one record.
const google::protobuf::Descriptor* TypeOf(Store& store, const sync::v1::Edit& edit) {
  const RecordType* type =
      edit.changes_size() == 1 ? store.schema().Find(edit.changes(0).type()) : nullptr;
  return type == nullptr ? nullptr : type->descriptor;
}

absl::Status ListUnsent(const SetAsideArguments& /*arguments*/, Store& store,
                        const Output& output) {
  Json found = Json::array();
  std::string text;
  Names names(store, output.language);
  RETURN_IF_ERROR(store.ListUnsent([&](const UnsentEdit& item) {
    found.push_back({{"number", item.number.value},
                     {"madeMs", item.edit.device_time_ms()},
                     {"delivered", item.delivered},
                     {"changes", ChangesJson(store, item.edit)}});
    absl::StrAppend(&text, item.number.value, ". ", output.Time(item.edit.device_time_ms()),
                    item.delivered ? output.Say("（已由他人送达）", " (brought by a courier)") : "",
                    "\n", TextOf(item.edit, store, names, output));
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
          {"words",
           WhyInWords(answer.reason(), answer.detail(), TypeOf(store, item.edit), output.language)},
          {"reply", item.reply},
          {"changes", ChangesJson(store, item.edit)}};
}

// What its author can do with it now.
std::string NextOf(const SetAside& item, const Output& output) {
  const std::string place = absl::StrCat(item.place);
  switch (item.standing) {
    case SetAside::Standing::kReturned:
    case SetAside::Standing::kNotSent:
      return absl::StrCat(
          output.Say("   可改后重新提交：resend ", "   Amend it and send it again: resend "), place,
          output.Say(" --set 项目=内容；或放弃：discard ",
                     " --set FIELD=VALUE; or let go of it: discard "),
          place, "\n");
    case SetAside::Standing::kWaiting:
      return output.Say("   等现任负责人决定，您不用做什么\n",
                        "   Those who act for the branch decide; there is nothing for you to do\n");
    case SetAside::Standing::kTaken:
      return absl::StrCat(output.Say("   已采纳，可从这里移走：discard ",
                                     "   It is in; take it off this list: discard "),
                          place, "\n");
  }
  return "";
}

absl::Status ListSetAside(const SetAsideArguments& /*arguments*/, Store& store,
                          const Output& output) {
  Json found = Json::array();
  std::string text;
  Names names(store, output.language);
  RETURN_IF_ERROR(store.ListSetAside([&](const SetAside& item) {
    const Json json = SetAsideJson(store, item, output);
    absl::StrAppend(&text, item.place, ". ", output.Time(item.edit.device_time_ms()), "  ",
                    NameOf(item.standing, output).second, json.value("words", ""), "\n",
                    item.reply.empty() ? "" : output.Say("   答复：", "   reply: "), item.reply,
                    item.reply.empty() ? "" : "\n", TextOf(item.edit, store, names, output),
                    NextOf(item, output));
    found.push_back(json);
  }));
  output.PrintFound(found, text, " 条", " set aside");
  return absl::OkStatus();
}

absl::Status Resend(const SetAsideArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, store.Amend(arguments.place));
  const bool amended = !arguments.json.empty() || !arguments.set.empty();
  if (amended && drafts.size() != 1) {
    return Refuse(sync::v1::NOT_UNDERSTOOD,
                  InBoth("这一项涉及几条记录，只能原样重新提交",
                         "it is about several records and can be sent again only as it is"));
  }
  if (amended) {
    Names names(store, output.language);
    ASSIGN_OR_RETURN(const Json said,
                     Spoken(arguments.json, arguments.set, *drafts[0].type().descriptor, names));
    RETURN_IF_ERROR(Patch(said, &drafts[0].message()));
  }
  return output.Committed(store, CommitTogether(store, absl::MakeSpan(drafts)), drafts[0]);
}

// All of it, for people to read, or to enter by hand elsewhere; it stays here.
absl::Status ExportSetAside(const SetAsideArguments& arguments, Store& store,
                            const Output& output) {
  ASSIGN_OR_RETURN(const SetAside item, FindSetAside(store, arguments.place));
  RETURN_IF_ERROR(WriteParcel(arguments.file, SetAsideJson(store, item, output).dump(2) + "\n"));
  output.Print({{"file", arguments.file}}, output.Say("已导出: ", "exported: ") + arguments.file);
  return absl::OkStatus();
}

absl::Status Discard(const SetAsideArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const SetAside item, FindSetAside(store, arguments.place));
  Names names(store, output.language);
  RETURN_IF_ERROR(Confirm(output, arguments.yes,
                          output.Say("将放弃这一项，放弃后无法找回：\n",
                                     "This is let go of, and cannot be had back:\n") +
                              TextOf(item.edit, store, names, output)));
  RETURN_IF_ERROR(store.Discard(arguments.place));
  output.Print({{"discarded", arguments.place}}, output.Say("已放弃", "discarded"));
  return absl::OkStatus();
}

absl::Status ListHeld(const SetAsideArguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  Names names(store, output.language);
  const RecordType& type = *store.schema().Find(HeldEdit::descriptor());
  const auto& author_field =
      *HeldEdit::descriptor()->FindFieldByNumber(HeldEdit::kAuthorIdFieldNumber);
  RETURN_IF_ERROR(ListWaitingEdits(store, [&](const WaitingEdit& waiting) {
    const auto& held = waiting.held;
    const auto reason = static_cast<sync::v1::Reason>(held.reason());
    const std::string why =
        WhyInWords(reason, held.detail(), TypeOf(store, waiting.edit), output.language);
    found.push_back({{"id", TextOf(waiting.id)},
                     {"authorId", TextOf(Id::FromBytes(held.author_id()).value_or(Id()))},
                     {"reason", sync::v1::Reason_Name(reason)},
                     {"words", why},
                     {"changes", ChangesJson(store, waiting.edit)}});
    const std::string author = ValueOf(held, author_field, names.wording());
    const std::string changes = TextOf(waiting.edit, store, names, output);
    absl::StrAppend(
        &text, names.TitleOf(type, waiting.id, held), output.IdIfShown(waiting.id),
        output.Say("  作者 ", "  by "), author,
        output.Say("\n   作者当时看到的：", "\n   What its author was told: "), why, "\n",
        changes.empty() ? output.Say("   内容涉及几个支部，这里不能显示\n",
                                     "   It is of several branches, and not shown here\n")
                        : changes);
  }));
  if (!found.empty()) {
    absl::StrAppend(&text, output.Say("采纳：take 名称；退回：return 名称 理由\n",
                                      "Take one: take NAME; return one: return NAME REPLY\n"));
  }
  output.PrintFound(found, text, " 条待处理", " waiting");
  return absl::OkStatus();
}

absl::StatusOr<Draft> NamedHeld(const SetAsideArguments& arguments, Store& store) {
  return DraftFrom<HeldEdit>(store, arguments.id);
}

absl::StatusOr<Draft> Take(const SetAsideArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft held, NamedHeld(arguments, store));
  return TakeHeldEdit(std::move(held));
}

absl::StatusOr<Draft> Return(const SetAsideArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft held, NamedHeld(arguments, store));
  return ReturnHeldEdit(std::move(held), arguments.reply);
}

}  // namespace

void AddSetAsideCommands(const Parent& device) {
  using O = Option<SetAsideArguments>;
  const O place{"PLACE", &SetAsideArguments::place, "As set-aside shows it", kRequired};
  const O id{"NAME", &SetAsideArguments::id, "The edit, as held shows it", kRequired};
  Commands<SetAsideArguments> commands(device);
  commands.Add("unsent", "Edits of this device that have no answer of the server yet", &ListUnsent);
  commands.Add("set-aside", "Edits that the server held or returned, with the reason",
               &ListSetAside);
  commands.Add(
      "resend", "Make a set-aside edit again, on what is shown now, and send it", &Resend,
      {place,
       {"JSON", &SetAsideArguments::json, "Fields to amend, as edit takes them; null empties one"},
       {"--set", &SetAsideArguments::set, "F=V: what a field is to say"}});
  commands.Add("held", "Edits of others that wait for your decision", &ListHeld);
  commands.Add("take", "Take a held edit: it is merged at the next sync", Committing(&Take), {id});
  commands.Add("return", "Return a held edit to its author", Committing(&Return),
               {id, {"REPLY", &SetAsideArguments::reply, "Why, to the author", kRequired}});
  commands.Add("export", "Write a set-aside edit to a file, whole and to be read", &ExportSetAside,
               {place, {"FILE", &SetAsideArguments::file, "To be written", kRequired}});
  commands.Add("discard", "Let go of a set-aside edit for good", &Discard,
               {place, {"--yes", &SetAsideArguments::yes, "Without being asked"}});
}

}  // namespace zhibu::client
