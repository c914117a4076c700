#include "client-core/exchange/people.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "sync/exchange/sheet.h"
#include "sync/exchange/text.h"
#include "sync/exchange/values.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::client {
namespace {

using records::v1::Member;
using records::v1::PrivateDetail;

constexpr size_t kDigits = 4;

// "002X" of a number, masked or not, or of what somebody has typed of it.
std::string LastOf(absl::string_view number) {
  std::string last;
  for (const char c : Narrow(number)) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) last += c;
  }
  last = absl::AsciiStrToUpper(last);
  return last.size() < kDigits ? "" : last.substr(last.size() - kDigits);
}

// 张伟(002X): the name, and what stands behind it.
std::pair<std::string, std::string> PartsOf(absl::string_view text) {
  const std::string narrow = Narrow(TidyText(text));
  const size_t open = narrow.find('(');
  if (open == std::string::npos || open == 0) return {narrow, ""};
  return {narrow.substr(0, open), narrow.substr(open + 1)};
}

}  // namespace

absl::StatusOr<People> People::Of(Store& store, const Id& organisation) {
  People people;
  RETURN_IF_ERROR(Each<Member>(store, [&](const Id& id, const Member& member) {
    const auto& hosts = member.host_branch_ids();
    const bool here = member.branch_id() == organisation.bytes() ||
                      std::count(hosts.begin(), hosts.end(), organisation.str()) > 0;
    if (here && member.merged_into_id().empty()) {
      people.by_name_[TidyName(member.name()).value].push_back(id);
    }
    return true;
  }));
  RETURN_IF_ERROR(Each<PrivateDetail>(store, [&](const Id&, const PrivateDetail& detail) {
    if (const auto id = Id::FromBytes(detail.member_id())) {
      people.numbers_[*id] = LastOf(detail.identity_number());
    }
    return true;
  }));
  return people;
}

absl::StatusOr<Id> People::Find(absl::string_view name, absl::string_view digits) const {
  const auto [plain, behind] = PartsOf(name);
  const auto found = by_name_.find(TidyName(plain).value);
  if (found == by_name_.end()) {
    return Unusable(absl::StrCat("“", Excerpt(name), "”：本支部名册上没有这个人"),
                    absl::StrCat("\"", Excerpt(name), "\": nobody in the register is called so"));
  }
  const std::string last = LastOf(behind.empty() ? digits : absl::string_view(behind));
  if (found->second.size() == 1) {
    const Id& id = found->second.front();
    const auto number = numbers_.find(id);
    const bool other = number != numbers_.end() && !number->second.empty() && !last.empty() &&
                       number->second != last;
    if (!other) return id;
    return Unusable(
        absl::StrCat("“", Excerpt(name), "”：本支部名册上的这个人身份证号后四位不同"),
        absl::StrCat("\"", Excerpt(name),
                     "\": whoever is called so in the register has another identity number"));
  }
  std::vector<Id> meant;
  for (const Id& id : found->second) {
    const auto number = numbers_.find(id);
    if (!last.empty() && number != numbers_.end() && number->second == last) meant.push_back(id);
  }
  if (meant.size() == 1) return meant.front();
  return Unusable(
      absl::StrCat("“", Excerpt(name), "”：有 ", found->second.size(),
                   " 人同名，请在姓名后写身份证号后四位，如 张伟(002X)"),
      absl::StrCat("\"", Excerpt(name), "\": ", found->second.size(),
                   " bear the name; write the last four digits of the identity number behind it"));
}

}  // namespace zhibu::client
