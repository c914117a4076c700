#include "client-core/actions/notice.h"

#include <memory>
#include <string>

#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

struct NoticeArguments {
  std::string branch;
  std::string title;
  std::string text;
  std::string from;
  std::string until;
  std::string type;
  std::string id;
};

absl::StatusOr<Draft> PutUp(const NoticeArguments& arguments, Store& store) {
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
  Commands<NoticeArguments> commands(device);
  CLI::App* notice = commands.Add(
      "notice", "Put up a notice (公示), of what it says itself or of a record of the branch",
      Committing(&PutUp),
      {{"TITLE", &NoticeArguments::title, "What it is about; no identity or telephone numbers",
        kRequired},
       {"--text", &NoticeArguments::text, "What it says"},
       {"--branch", &NoticeArguments::branch, "By name; if not given, yours"},
       {"--from", &NoticeArguments::from, "First day; default: today"},
       {"--until", &NoticeArguments::until, "Last day", kRequired},
       {"--type", &NoticeArguments::type, "Of the record that it shows"},
       {"--id", &NoticeArguments::id, "That record, by the name that list shows"}});
  notice->get_option("--type")->needs("--id");
  notice->get_option("--id")->needs("--type");
}

}  // namespace zhibu::client
