// A person goes on the books of a branch, in one step.
#include "client-core/actions/register.h"

#include <string>
#include <utility>
#include <vector>

#include "client-core/cli/commands.h"
#include "client-core/cli/patch.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::client {
namespace {

using records::v1::Member;

struct RegisterArguments {
  std::string name;
  std::string branch;
  std::vector<std::string> set;
};

absl::Status Register(const RegisterArguments& arguments, Store& store, const Output& output) {
  Names names(store, output.language);
  ASSIGN_OR_RETURN(const auto said, Spoken("", arguments.set, *Member::descriptor(), names));
  Draft member = store.New<Member>();
  RETURN_IF_ERROR(Patch(said, &member.message()));
  member.message<Member>().set_name(arguments.name);
  ASSIGN_OR_RETURN(const Id branch, BranchOrOwn(store, arguments.branch));
  ASSIGN_OR_RETURN(std::vector<Draft> both, RegisterMember(store, std::move(member), branch));
  const auto number = CommitTogether(store, absl::MakeSpan(both));
  return output.Committed(
      store, number, both.front(),
      output.Say("已编入", "placed in ") +
          output.TitleOf(names, *store.schema().FindByName("Organisation"), branch));
}

}  // namespace

void AddRegisterCommand(const Parent& device) {
  Commands<RegisterArguments> commands(device);
  commands.Add("register",
               "Put a person on the books of your branch: the register and the placement",
               &Register,
               {{"NAME", &RegisterArguments::name, "Their name", kRequired},
                {"--branch", &RegisterArguments::branch, "By name; if not given, yours"},
                {"--set", &RegisterArguments::set,
                 "F=V: what else is known: --set 性别=男 --set 党员类别=正式党员"}});
}

}  // namespace zhibu::client
