#include "client-core/cli/query.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client-core/transport/syncer.h"
#include "sync/status.h"
#include "zhibu/records/v1/access.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using google::protobuf::Message;

struct Arguments {
  std::string type;
  std::string under;
  std::string member;
  std::string reason;
  int most = 1000;
  int timeout_s = 30;
};

// By id, or by the name of one that is held here.
absl::StatusOr<Id> Organisation(const std::string& text, Store& store) {
  if (const auto id = IdFromText(text)) return *id;
  Query query{.type = store.schema().Find(records::v1::Organisation::descriptor())->number};
  query.where.emplace_back("name", text);
  Id found;
  RETURN_IF_ERROR(store.List(query, [&](const Id& id, const Message&) {
    found = id;
    return false;
  }));
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no organisation ", text, " is held here; give its id"));
  }
  return found;
}

absl::Status Ask(const Arguments& arguments, Store& store, const Output& output) {
  const RecordType* type = store.schema().FindByName(arguments.type);
  if (type == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no record type ", arguments.type));
  }
  sync::v1::Ask ask;
  ask.set_type(type->number);
  if (!arguments.member.empty()) {
    ASSIGN_OR_RETURN(const Id member, ParseId(arguments.member));
    ask.set_member_id(member.str());
    ask.set_reason(arguments.reason);
  } else {
    ASSIGN_OR_RETURN(const Id organisation, Organisation(arguments.under, store));
    ask.set_organisation_id(organisation.str());
  }
  Json found = Json::array();
  std::string text;
  Syncer syncer(&store);
  RETURN_IF_ERROR(syncer.Ask(
      ask,
      [&](const sync::v1::Page& page) {
        for (int i = 0; i < page.ids_size() && i < page.bodies_size(); ++i) {
          const Id id = Id::FromBytes(page.ids(i)).value_or(Id());
          Draft draft = store.New(*type);
          if (!draft.message().ParsePartialFromString(page.bodies(i))) continue;
          found.push_back({{"type", type->name},
                           {"id", TextOf(id)},
                           {"record", Json::parse(ToJson(draft.message()))}});
          absl::StrAppend(&text, Describe(*type, id, draft.message(), output.language));
        }
        return static_cast<int>(found.size()) < arguments.most;
      },
      absl::Seconds(arguments.timeout_s)));
  absl::StrAppend(&text, output.Say("共 ", ""), found.size(), output.Say(" 条", " found"));
  output.Print(found, text);
  return absl::OkStatus();
}

absl::Status Accesses(const Arguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  for (const auto* descriptor :
       {records::v1::AccessLog::descriptor(), records::v1::TemporaryAccess::descriptor()}) {
    const RecordType& type = *store.schema().Find(descriptor);
    RETURN_IF_ERROR(store.List({.type = type.number}, [&](const Id& id, const Message& message) {
      found.push_back(
          {{"type", type.name}, {"id", TextOf(id)}, {"record", Json::parse(ToJson(message))}});
      absl::StrAppend(&text, Describe(type, id, message, output.language));
      return true;
    }));
  }
  absl::StrAppend(&text, output.Say("共 ", ""), found.size(), output.Say(" 条", " found"));
  output.Print(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddQueryCommands(CLI::App* device,
                      const std::function<void(CLI::App*, StoreCommand)>& on_chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* query = device->add_subcommand(
      "query", "Look at records below your organisation, or of one member; needs a link");
  query->add_option("TYPE", arguments->type, "Record type: Member, Meeting, …")->required();
  auto* of = query->add_option_group("of", "Whose records");
  of->add_option("--under", arguments->under,
                 "Organisation, by id or name: its records and those below it");
  auto* member =
      of->add_option("--member", arguments->member, "Id of a member: what concerns them");
  of->require_option(1);
  query
      ->add_option("--reason", arguments->reason,
                   "Opens what is kept of the member for 4 hours; they and the superior see it")
      ->needs(member);
  query->add_option("--most", arguments->most, "Records, about");
  query->add_option("--timeout", arguments->timeout_s, "Seconds until it gives up");
  on_chosen(query,
            [=](Store& store, const Output& output) { return Ask(*arguments, store, output); });
  CLI::App* accesses = device->add_subcommand(
      "accesses", "Who was given sensitive fields of you, and who opened your records and why");
  on_chosen(accesses, [=](Store& store, const Output& output) {
    return Accesses(*arguments, store, output);
  });
}

}  // namespace zhibu::client
