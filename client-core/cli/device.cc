#include "client-core/cli/device.h"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "client-core/cli/check_in.h"
#include "client-core/cli/devices.h"
#include "client-core/cli/flow.h"
#include "client-core/cli/output.h"
#include "client-core/cli/pass.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/query.h"
#include "client-core/cli/satchel.h"
#include "client-core/courier.h"
#include "client-core/match.h"
#include "client-core/store.h"
#include "client-core/transport/syncer.h"
#include "sync/courier.h"
#include "sync/key_file.h"
#include "sync/reason.h"
#include "sync/record.h"
#include "sync/status.h"
#include "zhibu/records/v1/conflict.pb.h"
#include "zhibu/records/v1/held.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::Message;
using records::v1::HeldEdit;
using Json = nlohmann::json;

struct Arguments {
  std::string home;
  std::string key_file;
  std::string ticket;
  std::string name = "device";
  std::string type;
  std::string id;
  std::string json;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> where;
  std::string file;
  int64_t place = 0;
  std::string reply;
  std::string receipts;
  std::string server;
  std::string fingerprint;
  bool watch = false;
  int timeout_s = 60;
};

// One invocation.
class Command : private Output {
 public:
  Command(const Arguments& arguments, const Output& output)
      : Output(output), arguments_(arguments) {}

  absl::Status Open() {
    std::error_code error;
    std::filesystem::create_directories(arguments_.home, error);
    umask(0077);
    const std::string file = arguments_.home + "/device.db";
    if (arguments_.key_file.empty()) arguments_.key_file = arguments_.home + "/device.key";
    ASSIGN_OR_RETURN(std::string key, KeyFor(arguments_.key_file, file,
                                             [&] { return Store::Open({.file = file}).status(); }));
    ASSIGN_OR_RETURN(store_, Store::Open({.file = file, .key = std::move(key)}));
    return absl::OkStatus();
  }

  absl::Status Run(const StoreCommand& command) { return command(*store_, *this); }

  absl::Status Enrol() {
    RETURN_IF_ERROR(client::Enrol(store_.get(), arguments_.ticket, arguments_.name));
    ASSIGN_OR_RETURN(const Identity identity, store_->GetIdentity());
    Print({{"device", identity.device.value}, {"person", TextOf(identity.person)}},
          absl::StrCat(Say("已登记为设备 ", "enrolled as device "), identity.device.value));
    return absl::OkStatus();
  }

  absl::Status Put() {
    ASSIGN_OR_RETURN(const RecordType* type, Type());
    Draft draft = store_->New(*type);
    RETURN_IF_ERROR(FromJson(arguments_.json, &draft.message()));
    const auto number = store_->Commit({&draft});
    // What makes the record's id says that it is here: then it is changed.
    if (!absl::IsAlreadyExists(number.status())) return Committed(number, *type, draft.id());
    ASSIGN_OR_RETURN(Draft known, store_->Edit(*type, draft.id()));
    RETURN_IF_ERROR(Patch(arguments_.json, &known.message()));
    return Committed(store_->Commit({&known}), *type, known.id());
  }

  absl::Status Edit() {
    ASSIGN_OR_RETURN(const RecordType* type, Type());
    ASSIGN_OR_RETURN(const Id id, RecordId());
    ASSIGN_OR_RETURN(Draft draft, store_->Edit(*type, id));
    RETURN_IF_ERROR(Patch(arguments_.json.empty() ? "{}" : arguments_.json, &draft.message()));
    for (const std::string& add : arguments_.add)
      RETURN_IF_ERROR(AddElement(add, &draft.message()));
    for (const std::string& remove : arguments_.remove) {
      RETURN_IF_ERROR(RemoveElement(remove, &draft.message()));
    }
    return Committed(store_->Commit({&draft}), *type, id);
  }

  absl::Status Delete() {
    ASSIGN_OR_RETURN(const RecordType* type, Type());
    ASSIGN_OR_RETURN(const Id id, RecordId());
    ASSIGN_OR_RETURN(Draft draft, store_->Edit(*type, id));
    draft.Delete();
    return Committed(store_->Commit({&draft}), *type, id);
  }

  absl::Status Get() {
    ASSIGN_OR_RETURN(const RecordType* type, Type());
    ASSIGN_OR_RETURN(const Id id, RecordId());
    ASSIGN_OR_RETURN(Draft draft, store_->Edit(*type, id));
    Print(JsonOf(*type, id, draft.message()), Describe(*type, id, draft.message(), language));
    return absl::OkStatus();
  }

  absl::Status List() {
    ASSIGN_OR_RETURN(const RecordType* type, Type());
    Query query{.type = type->number};
    for (const std::string& condition : arguments_.where) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(condition, absl::MaxSplits('=', 1));
      // Though there may be no record that could tell.
      if (FindField(*type->descriptor, parts.first) == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat(type->name, " has no field ", parts.first));
      }
      query.where.push_back(parts);
    }
    Json found = Json::array();
    std::string text;
    const absl::Status status = store_->List(query, [&](const Id& id, const Message& message) {
      if (as_json) {
        found.push_back(JsonOf(*type, id, message));
      } else {
        absl::StrAppend(&text, Describe(*type, id, message, language));
        found.push_back(nullptr);
      }
      return true;
    });
    if (!status.ok() && !absl::IsDataLoss(status)) return status;
    absl::StrAppend(&text, Say("共 ", ""), found.size(), Say(" 条", " found"));
    Print(found, text);
    return status;  // one that is damaged does not hide the others
  }

  absl::Status Sync() {
    Syncer syncer(store_.get());
    if (arguments_.watch) return Watch(&syncer);
    RETURN_IF_ERROR(syncer.SyncOnce(absl::Seconds(arguments_.timeout_s)));
    RETURN_IF_ERROR(DeliverCarried());
    return ShowState();
  }

  absl::Status CourierExport() {
    ASSIGN_OR_RETURN(const Exported exported, Export(store_.get()));
    RETURN_IF_ERROR(WriteParcel(arguments_.file, exported.file));
    Print({{"file", arguments_.file}, {"edits", exported.edits}, {"left", exported.left}},
          absl::StrCat(Say("已导出 ", "exported "), exported.edits,
                       Say(" 项未发送的修改，可由任何人带到能联网的地方送达，途中无法查看或改动",
                           " unsent edits; anybody may take them to the server, and cannot read or "
                           "alter them"),
                       exported.left == 0
                           ? ""
                           : absl::StrCat(Say("。另有 ", ". No room for "), exported.left,
                                          Say(" 项装不下，送达后请再导出",
                                              " more: export them once these have arrived"))));
    return absl::OkStatus();
  }

  absl::Status CourierCarry() {
    ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(arguments_.file));
    ASSIGN_OR_RETURN(const std::string receipts, Satchel(arguments_.home).Put(bundles));
    Print({{"carried", true}, {"receipts", receipts}},
          absl::StrCat(Say("已收下，下次同步时送达，回执将存为 ",
                           "taken along: delivered at the next sync, the receipts will be in "),
                       receipts));
    return absl::OkStatus();
  }

  absl::Status CourierDeliver() {
    ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(arguments_.file));
    ASSIGN_OR_RETURN(const sync::v1::Parcel parcel, FromFile(Cargo::kBundle, bundles));
    ASSIGN_OR_RETURN(
        const Delivered delivered,
        Deliver(bundles, arguments_.server.empty() ? parcel.address() : arguments_.server,
                arguments_.fingerprint.empty() ? parcel.fingerprint() : arguments_.fingerprint,
                absl::Seconds(arguments_.timeout_s)));
    const std::string receipts =
        arguments_.receipts.empty() ? arguments_.file + ".receipts" : arguments_.receipts;
    RETURN_IF_ERROR(WriteParcel(receipts, delivered.receipts));
    std::string text;
    const Json json = DeliveredJson(receipts, delivered.refusal, &text);
    Print(json, text);
    return absl::OkStatus();
  }

  absl::Status CourierReceive() {
    ASSIGN_OR_RETURN(const std::string receipts, ReadParcel(arguments_.file));
    ASSIGN_OR_RETURN(const Received received, Receive(store_.get(), receipts));
    Json json = {{"delivered", received.delivered},
                 {"setAside", received.set_aside},
                 {"nothingNew", received.nothing_new}};
    std::string text =
        received.nothing_new
            ? Say("回执中没有新内容：这些修改此前已有答复，或回执已过时",
                  "nothing new: these edits had their answers before, or the receipts are out of "
                  "date")
            : absl::StrCat(Say("服务器已收到: ", "at the server: "), received.delivered,
                           Say("  被退回或待处理: ", "  set aside: "), received.set_aside);
    AddRefusal(received.refusal, &json, &text);
    Print(json, text);
    return absl::OkStatus();
  }

  absl::Status ShowState() {
    ASSIGN_OR_RETURN(const SyncState state, store_->State());
    Json json = {{"unsent", state.unsent},
                 {"delivered", state.delivered},
                 {"setAside", state.set_aside},
                 {"lastSuccessMs", state.last_success_ms},
                 {"progressDone", state.progress_done},
                 {"progressTotal", state.progress_total},
                 {"recordsReceived", state.records_received},
                 {"bytesReceived", state.bytes_received},
                 {"synced", state.unsent == 0 && state.last_success_ms != 0 &&
                                state.problem == sync::v1::NO_REASON}};
    std::string text = absl::StrCat(
        Say("未发送: ", "unsent: "), state.unsent,
        state.delivered == 0 ? ""
                             : absl::StrCat(Say("（其中已由他人送达: ", " (brought by a courier: "),
                                            state.delivered, Say("）", ")")),
        Say("  被退回或待处理: ", "  set aside: "), state.set_aside,
        Say("  上次同步: ", "  last synced: "),
        state.last_success_ms == 0
            ? Say("从未", "never")
            : absl::FormatTime(absl::FromUnixMillis(state.last_success_ms), absl::LocalTimeZone()),
        Say("  进度: ", "  progress: "), state.progress_done, "/", state.progress_total,
        Say("  已接收: ", "  received: "), state.records_received, Say(" 条 ", " records "),
        state.bytes_received, " B");
    if (!courier_.empty()) json["courier"] = courier_;
    AddProblem(state.problem, state.problem_detail, Say("未能同步: ", "not synced: "), &json,
               &text);
    Print(json, text);
    return absl::OkStatus();
  }

  absl::Status Conflicts() {
    arguments_.type = "ConflictNote";
    return List();
  }

  absl::Status Resend() {
    ASSIGN_OR_RETURN(std::vector<Draft> drafts, store_->Amend(arguments_.place));
    if (!arguments_.json.empty() && drafts.size() != 1) {
      return absl::InvalidArgumentError(Say("这一项涉及多条记录，只能原样重新提交",
                                            "it is about several records: leave out JSON"));
    }
    if (!arguments_.json.empty()) {
      RETURN_IF_ERROR(Patch(arguments_.json, &drafts[0].message()));
    }
    std::vector<Draft*> all;
    for (Draft& draft : drafts) all.push_back(&draft);
    return Committed(store_->Commit(all), drafts[0].type(), drafts[0].id());
  }

  absl::Status Discard() {
    RETURN_IF_ERROR(store_->Discard(arguments_.place));
    Print({{"discarded", arguments_.place}}, Say("已放弃", "discarded"));
    return absl::OkStatus();
  }

  absl::Status Held() {
    Json found = Json::array();
    std::string text;
    Query query{.type = HeldType().number};
    query.where.emplace_back("state", "WAITING");
    RETURN_IF_ERROR(store_->List(query, [&](const Id& id, const Message& message) {
      const auto& held = static_cast<const HeldEdit&>(message);
      sync::v1::Edit edit;
      edit.ParseFromString(held.edit());  // empty where its branches may not see each other's
      const auto reason = static_cast<sync::v1::Reason>(held.reason());
      const std::string why = In(language, WordsFor(reason, held.detail()));
      Json changes = Json::array();
      for (const auto& change : edit.changes()) changes.push_back(ChangeJson(change));
      const std::string author = TextOf(Id::FromBytes(held.author_id()).value_or(Id()));
      found.push_back({{"id", TextOf(id)},
                       {"authorId", author},
                       {"reason", sync::v1::Reason_Name(reason)},
                       {"words", why},
                       {"changes", changes}});
      absl::StrAppend(&text, TextOf(id), Say("  作者 ", "  by "), author, "\n   ", why, "\n   ",
                      changes.dump(), "\n");
      return true;
    }));
    absl::StrAppend(&text, Say("共 ", ""), found.size(), Say(" 条待处理", " waiting"));
    Print(found, text);
    return absl::OkStatus();
  }

  absl::Status TakeHeld() { return Decide(HeldEdit::TAKEN); }
  absl::Status ReturnHeld() { return Decide(HeldEdit::RETURNED); }

  absl::Status ListSetAside() {
    Json found = Json::array();
    std::string text;
    RETURN_IF_ERROR(store_->ListSetAside([&](const SetAside& item) {
      const Json json = SetAsideJson(item);
      absl::StrAppend(&text, item.place, ". ", NameOf(item.standing).second,
                      json.value("words", ""), item.reply.empty() ? "" : "\n   “", item.reply,
                      item.reply.empty() ? "" : "”", "\n   ", json["changes"].dump(), "\n");
      found.push_back(json);
    }));
    absl::StrAppend(&text, Say("共 ", ""), found.size(), Say(" 条", " set aside"));
    Print(found, text);
    return absl::OkStatus();
  }

  // All of it, for people to read, or to enter by hand elsewhere; it stays here.
  absl::Status ExportSetAside() {
    Json found;
    RETURN_IF_ERROR(store_->ListSetAside([&](const SetAside& item) {
      if (item.place == arguments_.place) found = SetAsideJson(item);
    }));
    if (found.is_null()) {
      return absl::NotFoundError(absl::StrCat("nothing is set aside as ", arguments_.place));
    }
    RETURN_IF_ERROR(WriteParcel(arguments_.file, found.dump(2) + "\n"));
    Print({{"file", arguments_.file}}, Say("已导出: ", "exported: ") + arguments_.file);
    return absl::OkStatus();
  }

 private:
  static const RecordType& HeldType() { return *CatalogueSchema()->Find(HeldEdit::descriptor()); }

  std::pair<const char*, std::string> NameOf(SetAside::Standing standing) const {
    switch (standing) {
      case SetAside::Standing::kReturned:
        return {"RETURNED", Say("被退回: ", "returned: ")};
      case SetAside::Standing::kWaiting:
        return {"WAITING", Say("待处理: ", "held: ")};
      case SetAside::Standing::kTaken:
        return {"TAKEN", Say("已采纳: ", "taken: ")};
      case SetAside::Standing::kNotSent:
        return {"NOT_SENT", Say("未发送: ", "not sent: ")};
    }
    return {"", ""};
  }

  absl::Status Decide(HeldEdit::State state) {
    ASSIGN_OR_RETURN(const Id id, RecordId());
    ASSIGN_OR_RETURN(Draft draft, store_->Edit(HeldType(), id));
    draft.message<HeldEdit>().set_state(state);
    if (!arguments_.reply.empty()) draft.message<HeldEdit>().set_reply(arguments_.reply);
    return Committed(store_->Commit({&draft}), HeldType(), id);
  }

  void AddProblem(sync::v1::Reason problem, absl::string_view detail, absl::string_view before,
                  Json* json, std::string* text) const {
    if (problem == sync::v1::NO_REASON) return;
    const std::string why = In(language, WordsFor(problem, detail));
    (*json)["problem"] = sync::v1::Reason_Name(problem);
    (*json)["problemWords"] = why;
    absl::StrAppend(text, "\n", before, why);
  }

  void AddRefusal(const sync::v1::Refusal& refusal, Json* json, std::string* text) const {
    AddProblem(refusal.reason(), refusal.detail(), Say("未全部采用: ", "not all taken: "), json,
               text);
  }

  Json DeliveredJson(const std::string& receipts, const sync::v1::Refusal& refusal,
                     std::string* text) const {
    Json json = {{"receipts", receipts}};
    absl::StrAppend(text,
                    Say("已送达，请把回执交还原设备: ",
                        "delivered; take the receipts back to the author's device: "),
                    receipts);
    AddRefusal(refusal, &json, text);
    return json;
  }

  absl::Status DeliverOne(const Identity& identity, const std::string& path, std::string* text) {
    ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(path));
    ASSIGN_OR_RETURN(const Delivered delivered,
                     Deliver(bundles, identity.address, identity.fingerprint));
    ASSIGN_OR_RETURN(const std::string receipts, Satchel::Delivered(path, delivered.receipts));
    courier_.push_back(DeliveredJson(receipts, delivered.refusal, text));
    return absl::OkStatus();
  }

  // What this device carries for others. One that cannot be delivered stays, and does
  // not keep the others from it.
  absl::Status DeliverCarried() {
    courier_.clear();
    ASSIGN_OR_RETURN(const Identity identity, store_->GetIdentity());
    for (const std::string& path : Satchel(arguments_.home).Carried()) {
      std::string text;
      if (const absl::Status status = DeliverOne(identity, path, &text); !status.ok()) {
        const std::string words = Told(status, language);
        courier_.push_back({{"bundles", path}, {"problemWords", words}});
        text = absl::StrCat(Say("未能送达 ", "not delivered: "), path, ": ", words);
      }
      if (!as_json) std::cout << text << std::endl;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<const RecordType*> Type() const {
    const RecordType* type = store_->schema().FindByName(arguments_.type);
    if (type != nullptr) return type;
    std::string known;
    for (const RecordType& one : store_->schema().types()) absl::StrAppend(&known, " ", one.name);
    return absl::InvalidArgumentError(
        absl::StrCat("no record type ", arguments_.type, "; there are", known));
  }

  absl::StatusOr<Id> RecordId() const { return ParseId(arguments_.id); }

  static Json JsonOf(const RecordType& type, const Id& id, const Message& message) {
    return {{"type", type.name}, {"id", TextOf(id)}, {"record", Json::parse(ToJson(message))}};
  }

  Json SetAsideJson(const SetAside& item) const {
    Json changes = Json::array();
    for (const auto& change : item.edit.changes()) changes.push_back(ChangeJson(change));
    return {{"place", item.place},
            {"number", item.answer.number()},
            {"madeMs", item.edit.device_time_ms()},
            {"standing", NameOf(item.standing).first},
            {"verdict", sync::v1::Verdict_Name(item.answer.verdict())},
            {"reason", sync::v1::Reason_Name(item.answer.reason())},
            {"words", In(language, WordsFor(item.answer.reason(), item.answer.detail()))},
            {"reply", item.reply},
            {"changes", changes}};
  }

  Json ChangeJson(const sync::v1::Change& change) const {
    const RecordType* type = store_->schema().Find(change.type());
    Json json = {{"kind", sync::v1::Change::Kind_Name(change.kind())},
                 {"id", TextOf(Id::FromBytes(change.id()).value_or(Id()))},
                 {"type", type == nullptr ? absl::StrCat(change.type()) : type->name}};
    if (change.has_without()) json["without"] = Json::parse(ToJson(change.without()));
    if (type == nullptr) return json;
    Draft draft = store_->New(*type);
    if (draft.message().ParsePartialFromString(change.set())) {
      json["set"] = Json::parse(ToJson(draft.message()));
    }
    return json;
  }

  absl::Status Watch(Syncer* syncer) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread stopper([&] {
      int signal = 0;
      sigwait(&signals, &signal);
      syncer->Stop();
    });
    syncer->Run([&](const absl::Status& status) {
      Json json = {{"inStep", status.ok()}, {"words", Told(status, language)}};
      if (status.ok() && DeliverCarried().ok() && !courier_.empty()) json["courier"] = courier_;
      Print(json, status.ok() ? Say("已与服务器一致", "in step with the server")
                              : Told(status, language));
    });
    stopper.join();
    return absl::OkStatus();
  }

  Arguments arguments_;
  std::unique_ptr<Store> store_;
  Json courier_ = Json::array();  // what became of what it carries for others
};

}  // namespace

void AddDeviceCommand(CLI::App* app, const bool* json, const Language* language,
                      std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* device =
      app->add_subcommand("device", "A device: record offline, sync when there is a link");
  device->require_subcommand(1);
  device->add_option("--home", arguments->home, "Folder of the device; made if it is not there");
  device->add_option(
      "--key-file", arguments->key_file,
      "Key of what is stored; made if it is not there. Default: device.key in --home");
  const auto on_chosen = [=](CLI::App* command, const std::function<absl::Status(Command&)>& run,
                             bool with_home = true) {
    command->callback([=] {
      if (with_home && arguments->home.empty()) throw CLI::RequiredError("--home");
      *chosen = [=]() -> absl::Status {
        Command invocation(*arguments, {*json, *language});
        if (with_home) RETURN_IF_ERROR(invocation.Open());
        return run(invocation);
      };
    });
  };
  const auto add_to = [&](CLI::App* above, const char* name, const char* help,
                          absl::Status (Command::*run)(), bool with_home = true) {
    CLI::App* command = above->add_subcommand(name, help);
    on_chosen(command, run, with_home);
    return command;
  };
  const auto add = [&](const char* name, const char* help, absl::Status (Command::*run)()) {
    return add_to(device, name, help, run);
  };
  const auto type = [&](CLI::App* command) {
    command->add_option("TYPE", arguments->type, "Record type: Meeting, Attendance, CheckIn, …")
        ->required();
  };
  const auto id = [&](CLI::App* command) {
    command->add_option("ID", arguments->id, "The record's id, as list shows it")->required();
  };

  CLI::App* enrol =
      add("enrol", "Make this device known to the server; again, if it was not seen for long",
          &Command::Enrol);
  enrol->add_option("CODE", arguments->ticket, "What `zhibu admin enrol` printed")->required();
  enrol->add_option("--name", arguments->name, "Name of the device, shown to its owner");

  CLI::App* put = add("put", "Record something new", &Command::Put);
  type(put);
  put->add_option("JSON", arguments->json, "The record in protobuf's JSON form")->required();

  CLI::App* edit = add("edit", "Change a record", &Command::Edit);
  type(edit);
  id(edit);
  edit->add_option("JSON", arguments->json, "The fields to change; null empties one");
  edit->add_option("--add", arguments->add, "F=V: one more element of a repeated field");
  edit->add_option("--remove", arguments->remove, "F=V: take an element away, by value or key");

  CLI::App* remove = add("delete", "Delete a record", &Command::Delete);
  type(remove);
  id(remove);

  CLI::App* get = add("get", "Show a record", &Command::Get);
  type(get);
  id(get);

  CLI::App* list = add("list", "Show the records of a type", &Command::List);
  type(list);
  list->add_option("--where", arguments->where, "F=V: only where the field has this value");

  CLI::App* sync = add("sync", "Send and receive", &Command::Sync);
  sync->add_flag("--watch", arguments->watch, "Stay connected until interrupted");
  sync->add_option("--timeout", arguments->timeout_s, "Seconds until it gives up");

  const auto on_store = [&](CLI::App* command, const StoreCommand& run) {
    on_chosen(command, [run](Command& invocation) { return invocation.Run(run); });
  };
  for (const auto add_commands : {&AddCheckInCommands, &AddFlowCommands, &AddTransferCommands,
                                  &AddPassCommands, &AddQueryCommands, &AddDevicesCommands}) {
    add_commands(device, on_store);
  }

  CLI::App* courier = device->add_subcommand(
      "courier", "Unsent edits that are carried to the server by hand, and their answers back");
  courier->require_subcommand(1);
  const auto file = [&](CLI::App* command, const char* help) {
    command->add_option("FILE", arguments->file, help)->required();
  };
  file(add_to(courier, "export", "Write what is unsent to a file that only the server can read",
              &Command::CourierExport),
       "To be written");
  file(add_to(courier, "carry", "Take another device's file along; the next sync delivers it",
              &Command::CourierCarry),
       "What courier export wrote");
  CLI::App* deliver =
      add_to(courier, "deliver", "Deliver a file now, from any computer; needs no --home",
             &Command::CourierDeliver, /*with_home=*/false);
  file(deliver, "What courier export wrote");
  deliver->add_option("--server", arguments->server, "HOST:PORT; default: as the file says");
  deliver->add_option("--fingerprint", arguments->fingerprint,
                      "Of the server's certificate; default: as the file says");
  deliver->add_option("--receipts", arguments->receipts,
                      "Where the answers are written; default: FILE.receipts");
  deliver->add_option("--timeout", arguments->timeout_s, "Seconds until it gives up");
  file(add_to(courier, "receive", "Take in the answers that came back", &Command::CourierReceive),
       "What courier deliver wrote, or sync on the device that carried it");

  add("status", "Unsent work, last success, what is wrong", &Command::ShowState);
  add("conflicts", "What two people wrote without having seen each other", &Command::Conflicts);
  add("set-aside", "Edits that the server held or returned, with the reason",
      &Command::ListSetAside);
  const auto place = [&](CLI::App* command) {
    command->add_option("PLACE", arguments->place, "As set-aside shows it")->required();
  };
  CLI::App* resend = add("resend", "Make a set-aside edit again, on what is shown now, and send it",
                         &Command::Resend);
  place(resend);
  resend->add_option("JSON", arguments->json, "Fields to amend; null empties one");
  add("held", "Edits of others that wait for your decision", &Command::Held);
  id(add("take", "Take a held edit: it is merged at the next sync", &Command::TakeHeld));
  CLI::App* give_back = add("return", "Return a held edit to its author", &Command::ReturnHeld);
  id(give_back);
  give_back->add_option("REPLY", arguments->reply, "Why, to the author")->required();
  CLI::App* write = add("export", "Write a set-aside edit to a file, whole and to be read",
                        &Command::ExportSetAside);
  place(write);
  file(write, "To be written");
  place(add("discard", "Let go of a set-aside edit for good", &Command::Discard));
}

}  // namespace zhibu::client
