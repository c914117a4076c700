// Records of any type: whatever the catalogue declares.
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/resolve.h"
#include "client-core/cli/spoken.h"
#include "sync/base/status.h"
#include "sync/wire/worded.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

struct RecordsArguments {
  std::string type;
  std::string id;
  std::string json;
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> where;
  std::string with;
  bool over = false;
  bool yes = false;
};

absl::StatusOr<Draft> NamedRecord(const RecordsArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  ASSIGN_OR_RETURN(const Id id, RecordFrom(store, *type, arguments.id));
  return store.Edit(*type, id);
}

// ---- Recording ---------------------------------------------------------------------

// Lists that had something in them, and are to be others now: what is lost by that.
std::string WhatIsReplaced(const Json& said, const Message& record, Names& names,
                           const Output& output) {
  std::string told;
  for (const auto& [name, value] : said.items()) {
    const FieldDescriptor* field = FieldMeant(*record.GetDescriptor(), name);
    if (field == nullptr || !field->is_repeated()) continue;
    if (record.GetReflection()->FieldSize(record, field) == 0) continue;
    absl::StrAppend(
        &told, told.empty() ? "" : "\n", output.Say("“", ""), WordsOf(*field, output.language),
        output.Say("”整个改为所填的几项，原来是：", " is as you wrote it now, whole; it was: "),
        ValueOf(record, *field, names.wording()),
        output.Say("。只加减一项请用 --add、--remove",
                   ". To add or take away one, use --add or --remove"));
  }
  return told;
}

// What makes the record's id says that it is here.
absl::Status Over(const RecordType& type, const Json& said, const Id& id, Store& store,
                  const Output& output) {
  ASSIGN_OR_RETURN(Draft known, store.Edit(type, id));
  Names names(store, output.language);
  const std::string replaced = WhatIsReplaced(said, known.message(), names, output);
  RETURN_IF_ERROR(Patch(said, &known.message()));
  const auto number = store.Commit({&known});
  return output.Committed(
      store, number, known,
      output.Say("这一条已经有了，改的就是它", "it was there already, and was changed") +
          (replaced.empty() ? "" : "\n" + replaced));
}

// A person on the books who is in no branch is on no list of one.
std::string WhatIsMissing(const Draft& draft, Store& store, const Output& output) {
  if (draft.type().name != "Member") return "";
  if (BranchOfMember(store, draft.id()).ok()) return "";
  return output.Say(
      "还没有编入任何支部，名册里看不到：请再记一条“组织编入”，或下次直接用 register 一步登记",
      "In no branch yet, and on no roster: record a Placement too, or use register next time");
}

absl::Status Put(const RecordsArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  Names names(store, output.language);
  ASSIGN_OR_RETURN(const Json said,
                   Spoken(arguments.json, arguments.set, *type->descriptor, names));
  Draft draft = store.New(*type);
  RETURN_IF_ERROR(Patch(said, &draft.message()));
  const auto number = store.Commit({&draft});
  if (!absl::IsAlreadyExists(number.status())) {
    return output.Committed(store, number, draft, WhatIsMissing(draft, store, output));
  }
  if (arguments.over) return Over(*type, said, draft.id(), store, output);
  const auto title = [&](Language language) {
    Names in(store, language);
    return absl::StrCat(WordsOf(*type->descriptor, language), " ", in.TitleOf(*type, draft.id()));
  };
  return Refuse(
      sync::v1::ALREADY_HERE,
      InBoth(
          absl::StrCat(title(Language::kChinese), "。要改它请用 edit，或加 --over 改成所填的内容"),
          absl::StrCat(title(Language::kEnglish),
                       "; change it by edit, or say --over to make it what you wrote")));
}

absl::Status Edit(const RecordsArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedRecord(arguments, store));
  Names names(store, output.language);
  ASSIGN_OR_RETURN(const Json said,
                   Spoken(arguments.json, arguments.set, *draft.type().descriptor, names));
  const std::string replaced = WhatIsReplaced(said, draft.message(), names, output);
  RETURN_IF_ERROR(Patch(said, &draft.message()));
  for (const std::string& add : arguments.add) {
    RETURN_IF_ERROR(AddElement(add, names, &draft.message()));
  }
  for (const std::string& remove : arguments.remove) {
    RETURN_IF_ERROR(RemoveElement(remove, names, &draft.message()));
  }
  const auto number = store.Commit({&draft});
  return output.Committed(store, number, draft, replaced);
}

// "党费 3、考勤 1": what is kept of a member on this device, beside who and where they are.
absl::StatusOr<std::string> WhatIsKeptOf(const Id& member, Store& store, Language language) {
  std::string kept;
  for (const RecordType& type : store.schema().types()) {
    const bool of_register =
        type.name == "Member" || type.name == "Placement" || type.name == "PrivateDetail";
    if (of_register || type.made_by_server) continue;
    int count = 0;
    const absl::Status listed =
        store.List({.type = type.number, .scope = member}, [&](const Id&, const Message&) {
          ++count;
          return true;
        });
    if (!listed.ok() && !absl::IsDataLoss(listed)) return listed;
    if (count > 0) {
      absl::StrAppend(&kept,
                      kept.empty()                     ? ""
                      : language == Language::kChinese ? "、"
                                                       : ", ",
                      WordsOf(*type.descriptor, language), " ", count);
    }
  }
  return kept;
}

// Whoever has gone has left, and what was recorded of them stays theirs.
absl::Status CheckNothingHangsOn(const Draft& draft, bool yes, Store& store) {
  if (draft.type().name != "Member" || yes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string zh, WhatIsKeptOf(draft.id(), store, Language::kChinese));
  ASSIGN_OR_RETURN(const std::string en, WhatIsKeptOf(draft.id(), store, Language::kEnglish));
  if (zh.empty()) return absl::OkStatus();
  return Refuse(
      sync::v1::STEP_NOT_ALLOWED,
      InBoth(
          absl::StrCat(
              "此人名下还有记录（", zh,
              "），不删除：离开的请把“状态”改为已转出，或改“党籍状态”；登记错的确要删除，加 --yes"),
          absl::StrCat("there are records of this person (", en,
                       "): whoever has gone has left (status, membership); to delete an entry "
                       "that was a mistake say --yes")));
}

absl::Status Delete(const RecordsArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(Draft draft, NamedRecord(arguments, store));
  RETURN_IF_ERROR(CheckNothingHangsOn(draft, arguments.yes, store));
  Names names(store, output.language);
  RETURN_IF_ERROR(Confirm(output, arguments.yes,
                          output.Say("将删除：", "To be deleted: ") +
                              Describe(draft.type(), draft.id(), draft.message(), names, output)));
  draft.Delete();
  const auto number = store.Commit({&draft});
  return output.Committed(store, number, draft,
                          output.Say("将在同步后删除；在这之前别人仍看得到",
                                     "it is deleted with the next sync; until then others see it"));
}

// ---- Looking -----------------------------------------------------------------------

absl::Status Get(const RecordsArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Draft draft, NamedRecord(arguments, store));
  ASSIGN_OR_RETURN(const std::set<Id> unsent, store.UnsentRecords(draft.type()));
  Names names(store, output.language);
  Json found = Json::array();
  std::string text;
  AddRecord(draft.type(), draft.id(), draft.message(), unsent.count(draft.id()) > 0, names, output,
            &found, &text);
  output.Print(found[0], text);
  return absl::OkStatus();
}

// FIELD=VALUE as the store compares them.
absl::StatusOr<std::pair<std::string, std::string>> Condition(const std::string& text,
                                                              const RecordType& type,
                                                              Names& names) {
  if (!absl::StrContains(text, '=')) {
    return Refuse(
        sync::v1::NOT_UNDERSTOOD,
        InBoth(
            absl::StrCat(
                "--where 后写 项目=内容，例如 --where 状态=已召开；只记得几个字时用 --with ", text),
            absl::StrCat("--where takes FIELD=VALUE, as state=held is; for a few words "
                         "that you remember use --with ",
                         text)));
  }
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  // Though there may be no record that could tell.
  ASSIGN_OR_RETURN(const FieldDescriptor* field, FieldFrom(*type.descriptor, parts.first));
  ASSIGN_OR_RETURN(const Json value, ValueAsProto(parts.second, *field, names));
  std::string compared = value.is_string() ? value.get<std::string>() : value.dump();
  return std::pair(std::string(field->name()), std::move(compared));
}

// Of each column of amounts of what is listed.
class Sums {
 public:
  void Add(const Message& record) {
    const auto& type = *record.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const bool is_amount = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 &&
                             !field.is_repeated() && absl::EndsWith(field.name(), "_fen");
      if (is_amount) fen_[&field] += record.GetReflection()->GetInt64(record, &field);
    }
  }
  std::string InWords(const Output& output) const {
    std::string text;
    for (const auto& [field, fen] : fen_) {
      absl::StrAppend(&text, output.Say("合计 ", "sum of "), WordsOf(*field, output.language), " ",
                      MoneyInWords(fen, output.language), "\n");
    }
    return text;
  }

 private:
  std::map<const FieldDescriptor*, int64_t> fen_;
};

absl::Status ListRecords(const RecordsArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  Names names(store, output.language);
  Query query{.type = type->number};
  for (const std::string& text : arguments.where) {
    ASSIGN_OR_RETURN(auto condition, Condition(text, *type, names));
    query.where.push_back(std::move(condition));
  }
  ASSIGN_OR_RETURN(const std::set<Id> unsent, store.UnsentRecords(*type));
  Json found = Json::array();
  std::string text;
  Sums sums;
  const absl::Status status = store.List(query, [&](const Id& id, const Message& message) {
    const bool meant =
        arguments.with.empty() ||
        absl::StrContains(Describe(*type, id, message, names, output), arguments.with);
    if (!meant) return true;
    AddRecord(*type, id, message, unsent.count(id) > 0, names, output, &found, &text);
    sums.Add(message);
    return true;
  });
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  if (!found.empty()) absl::StrAppend(&text, sums.InWords(output));
  output.PrintFound(found, text);
  return status;  // one that is damaged does not hide the others
}

}  // namespace

void AddRecordCommands(const Parent& device) {
  using O = Option<RecordsArguments>;
  const O type{"TYPE", &RecordsArguments::type, "Type of record: 会议, 党员 … or Meeting, Member …",
               kRequired};
  const O id{
      "NAME", &RecordsArguments::id,
      "The record as list shows it after its type; 名称#2 is the second of that name; or its id",
      kRequired};
  const O set{"--set", &RecordsArguments::set,
              "F=V: what a field says, both as list shows them: --set 地点=村委会"};
  Commands<RecordsArguments> commands(device);
  commands
      .Add("put", "Record something new", &Put,
           {type,
            {"JSON", &RecordsArguments::json,
             "The record: JSON, @FILE with it, or - for what comes in"},
            set,
            {"--over", &RecordsArguments::over,
             "Where there can be one only, and it is there: change that one"}})
      ->require_option(2, 0);
  commands.Add(
      "edit", "Change a record", &Edit,
      {type,
       id,
       {"JSON", &RecordsArguments::json,
        "The fields to change, as put takes them; null empties one; a list is given whole"},
       set,
       {"--add", &RecordsArguments::add, "F=V: one more element of a list"},
       {"--remove", &RecordsArguments::remove, "F=V: take an element away, by value or key"}});
  commands.Add("delete", "Delete a record; asks first", &Delete,
               {type, id, {"--yes", &RecordsArguments::yes, "Without being asked"}});
  commands.Add("get", "Show a record", &Get, {type, id});
  commands.Add("list", "Show the records of a type", &ListRecords,
               {type,
                {"--where", &RecordsArguments::where, "F=V: only where the field says this"},
                {"--with", &RecordsArguments::with, "Only those in which these words stand"}});
}

void AddConflictsCommand(const Parent& device) {
  Commands<RecordsArguments> commands(device, {.type = "ConflictNote"});
  commands.Add("conflicts", "What two people wrote without having seen each other", &ListRecords);
}

}  // namespace zhibu::client
