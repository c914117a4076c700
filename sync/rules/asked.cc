#include "sync/rules/asked.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/record.h"

namespace zhibu {
namespace {

// Under which those are found that wait for the same answer; empty: this does not wait.
std::string AskedMark(const RecordType& type, const Id& id, absl::string_view body) {
  if (HostSightOf(type, body) != HOST_IS_ASKED) return "";
  std::string home, host;
  for (const Placed& placed : PlacesOf(type, id, body)) {
    if (placed.place == OWNER) home = placed.scope.str();
    if (placed.place == GUEST) host = placed.scope.str();
  }
  return host.empty() ? "" : Digest(absl::StrCat("zhibu mark asked ", home, host));
}

class FewAreAsked : public Rule {
 public:
  bool Concerns(const RecordType& type) const override { return type.at_host != nullptr; }

  absl::Status Judge(const Case& of, const Step& step) const override {
    const std::string mark = AskedMark(step.type, step.id, step.after.body);
    if (mark.empty() || mark == AskedMark(step.type, step.id, step.body_before())) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::vector<Id> waiting, of.lookup.FindMarked(mark, kAskedMax));
    return waiting.size() < kAskedMax
               ? absl::OkStatus()
               : Refuse(sync::v1::TOO_MANY_ASKED, absl::StrCat(waiting.size()));
  }

  absl::Status Mark(const Case& /*of*/, const Step& step, Marks* marks) const override {
    const std::string had = AskedMark(step.type, step.id, step.body_before());
    const std::string has =
        step.after.alive() ? AskedMark(step.type, step.id, step.after.body) : "";
    if (had == has) return absl::OkStatus();
    if (!had.empty()) marks->drop.emplace_back(had, step.id);
    if (!has.empty()) marks->put.emplace_back(has, step.id);
    return absl::OkStatus();
  }
};

}  // namespace

std::unique_ptr<const Rule> AskedRule() { return std::make_unique<FewAreAsked>(); }

}  // namespace zhibu
