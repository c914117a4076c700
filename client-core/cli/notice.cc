#include "client-core/actions/notice.h"

#include <memory>
#include <string>

#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

struct Arguments {
  std::string branch;
  std::string title;
  std::string text;
  std::string from;
  std::string until;
  std::string type;
  std::string id;
};

absl::StatusOr<Draft> PutUp(const Arguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id branch, BranchOrOwn(store, arguments.branch));
  NewNotice notice{.title = arguments.title, .text = arguments.text};
  ASSIGN_OR_RETURN(notice.from, DayIfGiven(arguments.from));
  ASSIGN_OR_RETURN(notice.until, DayFrom(arguments.until));
  if (!arguments.type.empty()) {
    ASSIGN_OR_RETURN(const RecordType* type, TypeFrom(store, arguments.type));
    ASSIGN_OR_RETURN(const Id id, RecordFrom(store, *type, arguments.id));
    notice.about = RecordKey{type->number, id};
  }
  return PutUpNotice(store, branch, notice);
}

}  // namespace

void AddNoticeCommand(const Parent& device) {
  Commands<Arguments> commands(device);
  CLI::App* notice = commands.Add(
      "notice", "Put up a notice (公示), of what it says itself or of a record of the branch",
      Committing(&PutUp),
      {{"TITLE", &Arguments::title, "What it is about; no identity or telephone numbers",
        kRequired},
       {"--text", &Arguments::text, "What it says"},
       {"--branch", &Arguments::branch, "By name; if not given, yours"},
       {"--from", &Arguments::from, "First day; default: today"},
       {"--until", &Arguments::until, "Last day", kRequired},
       {"--type", &Arguments::type, "Of the record that it shows"},
       {"--id", &Arguments::id, "That record, by the name that list shows"}});
  notice->get_option("--type")->needs("--id");
  notice->get_option("--id")->needs("--type");
}

}  // namespace zhibu::client
