#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client-core/actions/ask.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "client-core/transport/syncer.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/access.pb.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;
using google::protobuf::Message;

struct QueryArguments {
  std::string type;
  std::string under;
  std::string member;
  std::string reason;
  int most = 1000;
  int timeout_s = 30;
};

absl::StatusOr<sync::v1::Ask> Question(const QueryArguments& arguments, const RecordType& type,
                                       Store& store) {
  if (!arguments.member.empty()) {
    ASSIGN_OR_RETURN(const Id member, MemberFrom(store, arguments.member));
    return AskAboutMember(type, member, arguments.reason);
  }
  ASSIGN_OR_RETURN(const Id organisation, BranchFrom(store, arguments.under));
  return AskBelow(type, organisation);
}

absl::Status Ask(const QueryArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
  ASSIGN_OR_RETURN(const sync::v1::Ask ask, Question(arguments, *type, store));
  Json found = Json::array();
  std::string text;
  Names names(store, output.language);
  absl::Status read;
  Syncer syncer(&store);
  RETURN_IF_ERROR(syncer.Ask(
      ask,
      [&](const sync::v1::Page& page) {
        read.Update(ReadPage(*type, page, [&](const Id& id, const Message& record) {
          found.push_back(JsonOf(*type, id, record));
          absl::StrAppend(&text, Describe(*type, id, record, names, output));
        }));
        return static_cast<int>(found.size()) < arguments.most;
      },
      absl::Seconds(arguments.timeout_s)));
  output.PrintFound(found, text);
  return read;  // one that is damaged does not hide the others
}

absl::Status Accesses(const QueryArguments& /*arguments*/, Store& store, const Output& output) {
  Json found = Json::array();
  std::string text;
  Names names(store, output.language);
  for (const auto* descriptor :
       {records::v1::AccessLog::descriptor(), records::v1::TemporaryAccess::descriptor()}) {
    const RecordType& type = *store.schema().Find(descriptor);
    RETURN_IF_ERROR(store.List({.type = type.number}, [&](const Id& id, const Message& message) {
      found.push_back(JsonOf(type, id, message));
      absl::StrAppend(&text, Describe(type, id, message, names, output));
      return true;
    }));
  }
  output.PrintFound(found, text);
  return absl::OkStatus();
}

}  // namespace

void AddQueryCommands(const Parent& device) {
  Commands<QueryArguments> commands(device);
  CLI::App* query = commands.Add(
      "query", "Look at records below your organisation, or of one member; needs a link", &Ask,
      {{"TYPE", &QueryArguments::type, "Record type: Member, Meeting, …", kRequired},
       {"--reason", &QueryArguments::reason,
        "Opens what is kept of the member for 4 hours; they and the superior see it"},
       {"--most", &QueryArguments::most, "Records, about"},
       {"--timeout", &QueryArguments::timeout_s, "Seconds until it gives up"}});
  auto* of = query->add_option_group("of", "Whose records");
  of->add_option("--under", commands.arguments().under,
                 "Organisation, by id or name: its records and those below it");
  auto* member = of->add_option("--member", commands.arguments().member,
                                "A member, by name or id: what concerns them");
  of->require_option(1);
  query->get_option("--reason")->needs(member);
  commands.Add("accesses",
               "Who was given sensitive fields of you, and who opened your records and why",
               &Accesses);
}

}  // namespace zhibu::client
