#include "client-core/actions/pass.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/resolve.h"
#include "sync/base/status.h"
#include "sync/cli/qr.h"
#include "sync/wire/worded.h"

namespace zhibu::client {

using records::v1::CheckIn;
using records::v1::Pass;

namespace {

using Json = nlohmann::json;

struct PassArguments {
  std::string member;
  std::string number;
  std::string from;
  std::string until;
  std::string text;
  std::string pass;
  bool as_text = false;
};

absl::StatusOr<Draft> Issue(const PassArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(const Id member, MemberFrom(store, arguments.member));
  NewPass pass{.number = arguments.number};
  ASSIGN_OR_RETURN(pass.from, DayIfGiven(arguments.from));
  ASSIGN_OR_RETURN(pass.until, DayFrom(arguments.until));
  return IssuePass(store, member, pass);
}

absl::StatusOr<Draft> Revoke(const PassArguments& arguments, Store& store) {
  ASSIGN_OR_RETURN(Draft pass, DraftFrom<Pass>(store, arguments.pass));
  return RevokePass(std::move(pass));
}

absl::Status Show(const PassArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const Id member, MemberOrOwner(store, arguments.member));
  ASSIGN_OR_RETURN(const ShownPass shown, ShowPass(store, member));
  Json dues = Json::object();
  int64_t fen = 0;
  for (const auto& [month, much] : shown.dues_fen) {
    dues[month] = much;
    fen += much;
  }
  int verified = 0;
  for (const CheckIn& check_in : shown.activities) {
    verified += check_in.standing() == CheckIn::VERIFIED ? 1 : 0;
  }
  const Json json = {{"id", TextOf(shown.id)},        {"text", shown.text},
                     {"number", shown.pass.number()}, {"from", shown.pass.from()},
                     {"until", shown.pass.until()},   {"activities", shown.activities.size()},
                     {"verified", verified},          {"duesFen", dues}};
  std::string text = shown.text;
  std::string drawn;
  if (!arguments.as_text && !output.as_json) {
    ASSIGN_OR_RETURN(drawn, DrawQr(shown.text));
    text.clear();
  }
  absl::StrAppend(&text, "\n", output.Say("流动党员活动证 ", "pass "), shown.pass.number(), "  ",
                  shown.pass.from(), " – ", shown.pass.until(),
                  output.Say("\n本机所知: 参加活动 ", "\nas known here: activities joined "),
                  shown.activities.size(), output.Say("（其中已核验 ", " (verified: "), verified,
                  output.Say("），交纳党费 ", "), dues paid "), MoneyInWords(fen, output.language),
                  output.Say("，", ", months: "), shown.dues_fen.size(), output.Say(" 个月", ""));
  output.Print(json, text, drawn);
  return absl::OkStatus();
}

// As JSON names it, and what people are told.
std::pair<const char*, std::string> Told(PassStanding standing, const Output& output) {
  switch (standing) {
    case PassStanding::kValid:
      return {"VALID", output.Say("有效", "valid")};
    case PassStanding::kNotYet:
      return {"NOT_YET", output.Say("尚未生效", "not valid yet")};
    case PassStanding::kExpired:
      return {"EXPIRED", output.Say("已过期，请党员与流出地支部联系",
                                    "has run out; the member should turn to the home branch")};
    case PassStanding::kRevoked:
      return {"REVOKED", output.Say("已被发证党支部作废", "revoked by the branch that issued it")};
    case PassStanding::kOtherServer:
      return {"OTHER_SERVER", output.Say("由另一系统签发，本机无法核验",
                                         "of another server: it cannot be verified here")};
    case PassStanding::kForged:
      break;
  }
  return {"FORGED", output.Say("不是真的：内容与签名不符", "forged: not what was signed")};
}

absl::Status Verify(const PassArguments& arguments, Store& store, const Output& output) {
  ASSIGN_OR_RETURN(const CheckedPass checked, VerifyPass(store, arguments.text));
  const auto [name, words] = Told(checked.standing, output);
  const auto& token = checked.token;
  Json json = {
      {"standing", name}, {"words", words}, {"valid", checked.standing == PassStanding::kValid}};
  std::string text = words;
  // What nobody has signed says nothing.
  if (checked.standing != PassStanding::kForged && checked.standing != PassStanding::kOtherServer) {
    json.update({{"number", token.number()},
                 {"name", token.name()},
                 {"issuer", token.issuer()},
                 {"memberId", TextOf(*Id::FromBytes(token.member_id()))},
                 {"from", token.from()},
                 {"until", token.until()}});
    absl::StrAppend(&text, "\n", token.name(), "  ", token.issuer(), "  ", token.number(), "  ",
                    token.from(), " – ", token.until());
  }
  output.Print(json, text);
  return absl::OkStatus();
}

}  // namespace

void AddPassCommands(const Parent& device) {
  const Parent pass =
      device.AddGroup("pass", "The pass of a migrant member (流动党员活动证), offline");
  Commands<PassArguments> commands(pass);
  commands.Add("issue", "Issue a pass (home); the server signs it at the next sync",
               Committing(&Issue),
               {{"MEMBER", &PassArguments::member, "By name", kRequired},
                {"--number", &PassArguments::number, "The pass's number", kRequired},
                {"--from", &PassArguments::from, "First day; default: today"},
                {"--until", &PassArguments::until, "Last day", kRequired}});
  commands.Add(
      "revoke", "Revoke a pass (home)", Committing(&Revoke),
      {{"PASS", &PassArguments::pass, "The member's name, or as list Pass shows it", kRequired}});
  commands.Add("show", "Show a pass as a QR, with the activities joined and the dues paid", &Show,
               {{"--member", &PassArguments::member, "Name; if not given, yourself"},
                {"--text", &PassArguments::as_text, "As text, not as a QR"}});
  commands.Add("verify", "Verify a pass without a network", &Verify,
               {{"TEXT", &PassArguments::text, "What the QR holds: ZP1:…", kRequired}});
}

}  // namespace zhibu::client
