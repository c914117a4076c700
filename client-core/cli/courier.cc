#include "client-core/cli/courier.h"

#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/satchel.h"
#include "client-core/courier.h"
#include "client-core/transport/syncer.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/crypto/courier.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;

struct CourierArguments {
  const std::string* home = nullptr;
  std::string file;
  std::string server;
  std::string fingerprint;
  std::string receipts;
  int timeout_s = 60;
};

void AddRefusal(const sync::v1::Refusal& refusal, const Output& output, Json* json,
                std::string* text) {
  output.AddProblem(refusal.reason(), refusal.detail(),
                    output.Say("未全部采用: ", "not all taken: "), json, text);
}

Json DeliveredJson(const std::string& receipts, const sync::v1::Refusal& refusal,
                   const Output& output, std::string* text) {
  Json json = {{"receipts", receipts}};
  absl::StrAppend(text,
                  output.Say("已送达，请把回执交还原设备: ",
                             "delivered; take the receipts back to the author's device: "),
                  receipts);
  AddRefusal(refusal, output, &json, text);
  return json;
}

absl::StatusOr<Json> DeliverOne(const Identity& identity, const std::string& path,
                                const Output& output, std::string* text) {
  ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(path));
  ASSIGN_OR_RETURN(const Delivered delivered,
                   Deliver(bundles, identity.address, identity.fingerprint));
  ASSIGN_OR_RETURN(const std::string receipts, Satchel::Delivered(path, delivered.receipts));
  return DeliveredJson(receipts, delivered.refusal, output, text);
}

absl::Status ExportUnsent(const CourierArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Exported exported, Export(&store));
  RETURN_IF_ERROR(WriteParcel(arguments.file, exported.file));
  output.Print(
      {{"file", arguments.file}, {"edits", exported.edits}, {"left", exported.left}},
      absl::StrCat(
          output.Say("已导出 ", "exported "), exported.edits,
          output.Say(" 项未发送的修改，可由任何人带到能联网的地方送达，途中无法查看或改动",
                     " unsent edits; anybody may take them to the server, and cannot read or "
                     "alter them"),
          exported.left == 0
              ? ""
              : absl::StrCat(output.Say("。另有 ", ". No room for "), exported.left,
                             output.Say(" 项装不下，送达后请再导出",
                                        " more: export them once these have arrived"))));
  return absl::OkStatus();
}

absl::Status Carry(const CourierArguments& arguments, Store& /*store*/, const Output& output) {
  ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(arguments.file));
  ASSIGN_OR_RETURN(const std::string receipts, Satchel(*arguments.home).Put(bundles));
  output.Print({{"carried", true}, {"receipts", receipts}},
               absl::StrCat(output.Say("已收下，下次同步时送达，回执将存为 ",
                                       "taken along: delivered at the next sync, the receipts "
                                       "will be in "),
                            receipts));
  return absl::OkStatus();
}

absl::Status DeliverNow(const CourierArguments& arguments, const Output& output) {
  ASSIGN_OR_RETURN(const std::string bundles, ReadParcel(arguments.file));
  ASSIGN_OR_RETURN(const sync::v1::Parcel parcel, FromFile(Cargo::kBundle, bundles));
  ASSIGN_OR_RETURN(
      const Delivered delivered,
      Deliver(bundles, arguments.server.empty() ? parcel.address() : arguments.server,
              arguments.fingerprint.empty() ? parcel.fingerprint() : arguments.fingerprint,
              absl::Seconds(arguments.timeout_s)));
  const std::string receipts =
      arguments.receipts.empty() ? arguments.file + ".receipts" : arguments.receipts;
  RETURN_IF_ERROR(WriteParcel(receipts, delivered.receipts));
  std::string text;
  const Json json = DeliveredJson(receipts, delivered.refusal, output, &text);
  output.Print(json, text);
  return absl::OkStatus();
}

absl::Status ReceiveAnswers(const CourierArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const std::string receipts, ReadParcel(arguments.file));
  ASSIGN_OR_RETURN(const Received received, Receive(&store, receipts));
  Json json = {{"delivered", received.delivered},
               {"setAside", received.set_aside},
               {"nothingNew", received.nothing_new}};
  std::string text =
      received.nothing_new
          ? output.Say("回执中没有新内容：这些修改此前已有答复，或回执已过时",
                       "nothing new: these edits had their answers before, or the receipts are "
                       "out of date")
          : absl::StrCat(output.Say("服务器已收到: ", "at the server: "), received.delivered,
                         output.Say("  被退回或待处理: ", "  set aside: "), received.set_aside);
  AddRefusal(received.refusal, output, &json, &text);
  output.Print(json, text);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> DeliverCarried(Store& store, const std::string& home, const Output& output) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  Json all = Json::array();
  for (const std::string& path : Satchel(home).Carried()) {
    std::string text;
    if (const auto delivered = DeliverOne(identity, path, output, &text); delivered.ok()) {
      all.push_back(*delivered);
    } else {
      const std::string words = Told(delivered.status(), output.language);
      all.push_back({{"bundles", path}, {"problemWords", words}});
      text = absl::StrCat(output.Say("未能送达 ", "not delivered: "), path, ": ", words);
    }
    if (!output.as_json) std::cout << Printable(text) << std::endl;
  }
  return all;
}

void AddCourierCommands(const Parent& device) {
  const char* exported = "What courier export wrote";
  const Parent courier = device.AddGroup(
      "courier", "Unsent edits that are carried to the server by hand, and their answers back");
  Commands<CourierArguments> commands(courier, {.home = &device.invocation->home});
  commands.Add("export", "Write what is unsent to a file that only the server can read",
               &ExportUnsent, {{"FILE", &CourierArguments::file, "To be written", kRequired}});
  commands.Add("carry", "Take another device's file along; the next sync delivers it", &Carry,
               {{"FILE", &CourierArguments::file, exported, kRequired}});
  commands.Add("deliver", "Deliver a file now, from any computer; needs no --home", &DeliverNow,
               {{"FILE", &CourierArguments::file, exported, kRequired},
                {"--server", &CourierArguments::server, "HOST:PORT; default: as the file says"},
                {"--fingerprint", &CourierArguments::fingerprint,
                 "Of the server's certificate; default: as the file says"},
                {"--receipts", &CourierArguments::receipts,
                 "Where the answers are written; default: FILE.receipts"},
                {"--timeout", &CourierArguments::timeout_s, "Seconds until it gives up"}});
  commands.Add("receive", "Take in the answers that came back", &ReceiveAnswers,
               {{"FILE", &CourierArguments::file,
                 "What courier deliver wrote, or sync on the device that carried it", kRequired}});
}

}  // namespace zhibu::client
