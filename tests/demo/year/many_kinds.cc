#include <google/protobuf/text_format.h>

#include <deque>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sync/base/reason.h"
#include "tests/demo/year/acts.h"
#include "tests/demo/year/story.h"

namespace zhibu::year {
namespace {

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", absl::CEscape(text), "\""); }

class ManyKinds final : public Story {
 public:
  using Story::Story;

  void OnDay() override {
    for (const Act& act : Acts()) {
      if (act.day != year_.days()) continue;
      for (Village& village : town_.villages()) {
        if (village.index % act.every == 0) waiting_.push_back({&act, village.index, today()});
      }
    }
    std::deque<Turn> later;
    for (const Turn& turn : waiting_) {
      if (!Do(turn)) later.push_back(turn);
    }
    waiting_.swap(later);
  }

  void End() override {
    for (const Turn& turn : waiting_) {
      // What was to be done in the last days may wait for a device that has not heard of it.
      Check(today() - turn.since < 60,
            absl::StrCat("waits since ", DateOf(turn.since), ": ", turn.act->type, turn.act->name));
    }
  }

 private:
  struct Turn {
    const Act* act;
    size_t village;
    absl::CivilDay since;
  };

  Device& DeviceOf(const Turn& turn) {
    if (turn.act->actor == kTown) return town_.leader();
    return turn.act->actor == kMember ? town_.member() : town_.secretary(turn.village);
  }

  // False: a record that it needs is not on that device yet.
  bool Do(const Turn& turn) {
    const Act& act = *turn.act;
    Device& device = DeviceOf(turn);
    const std::optional<std::string> text = FillIn(turn);
    if (!text.has_value()) return false;
    Edit edit(&device);
    if (*act.type != '\0') {
      const RecordType* type = device.store().schema().FindByName(act.type);
      Check(type != nullptr, act.type);
      auto draft = device.store().New(*type);
      Read(*text, &draft.message());
      const Id id = edit.Add(std::move(draft), true);
      types_[act.name] = type;
      year_.named[{turn.village, act.name}] = id;
    } else {
      const auto named = year_.named.find({turn.village, act.name});
      if (named == year_.named.end()) return false;
      auto draft = device.store().Edit(*types_[act.name], named->second);
      if (!draft.ok()) return false;
      Read(*text, &draft->message());
      edit.Add(*std::move(draft), false);
    }
    const absl::Status status = edit.TryCommit();
    // Somebody else's step before it has not been heard of yet.
    if (ReasonOf(status).reason == sync::v1::STEP_NOT_ALLOWED) return false;
    Check(status, absl::StrCat(device.name(), " ", date(), " ", act.type, act.name));
    return true;
  }

  static void Read(const std::string& text, google::protobuf::Message* message) {
    google::protobuf::TextFormat::Parser parser;
    Check(parser.MergeFromString(text, message), text);
  }

  // Nothing: a record that it names is not there yet.
  std::optional<std::string> FillIn(const Turn& turn) {
    const std::string text = turn.act->text;
    std::string filled;
    for (size_t at = 0; at < text.size();) {
      if (text[at] != '$') {
        filled += text[at++];
        continue;
      }
      size_t end = at + 1;
      while (end < text.size() && (absl::ascii_isalnum(text[end]) || text[end] == '_')) ++end;
      const std::string word = text.substr(at + 1, end - at - 1);
      int64_t more = 0;
      if (end < text.size() && (text[end] == '+' || text[end] == '-')) {
        size_t past = end + 1;
        while (past < text.size() && absl::ascii_isdigit(text[past])) ++past;
        Check(absl::SimpleAtoi(text.substr(end, past - end), &more), text);
        end = past;
      }
      const std::optional<std::string> said = Say(turn, word, more);
      if (!said.has_value()) return std::nullopt;
      filled += *said;
      at = end;
    }
    return filled;
  }

  std::optional<std::string> Say(const Turn& turn, const std::string& word, int64_t more) {
    const Village& village = town_.village(turn.village);
    if (absl::StartsWith(word, "the_")) return Named(turn.village, word.substr(4));
    if (absl::StartsWith(word, "town_")) return Named(0, word.substr(5));
    if (word == "day") return Quoted(DateOf(today() + more));
    if (word == "month") return Quoted(MonthOf(AddMonths(today(), more)));
    if (word == "term") return Quoted(DateOf(AddMonths(today() + 42, 60) - 1));
    if (word == "year") return absl::StrCat(today().year());
    if (word == "last_year") return absl::StrCat(today().year() - 1);
    if (word == "branch") return Quoted(village.id.str());
    if (word == "town") return Quoted(town_.committee().str());
    if (word == "host_town") return Quoted(town_.host_committee().str());
    if (word == "me") return Quoted(DeviceOf(turn).me().str());
    if (word == "applicant") return Quoted(village.applicant.id.str());
    if (word == "name") return Quoted(village.name);
    if (word == "every") return EveryBranch();
    if (word == "candidates") return Candidates(village);
    return Number(village, word);
  }

  std::optional<std::string> Number(const Village& village, const std::string& word) {
    const size_t all = village.members.size();
    if (word == "all") return absl::StrCat(all);
    if (word == "most") return absl::StrCat(all * 9 / 10);
    if (word == "rest") return absl::StrCat(all - all * 9 / 10);
    if (word[0] == 'r') {
      const std::pair<std::string, std::string> span = absl::StrSplit(word.substr(1), '_');
      int64_t low = 0;
      int64_t high = 0;
      Check(absl::SimpleAtoi(span.first, &low) && absl::SimpleAtoi(span.second, &high), word);
      return absl::StrCat(town_.dice.Between(low, high));
    }
    size_t member = 0;
    Check(word[0] == 'm' && absl::SimpleAtoi(word.substr(1), &member), word);
    return Quoted(village.members.at(member).id.str());
  }

  std::optional<std::string> Named(size_t village, const std::string& name) {
    const auto found = year_.named.find({village, name});
    if (found == year_.named.end()) return std::nullopt;
    return Quoted(found->second.str());
  }

  std::string EveryBranch() {
    std::string ids;
    for (const Village& village : town_.villages()) {
      absl::StrAppend(&ids, ids.empty() ? "[" : ", ", Quoted(village.id.str()));
    }
    return absl::StrCat(ids, "]");
  }

  // One more than there are seats, and the first five have nearly all the votes.
  std::string Candidates(const Village& village) {
    std::string text;
    const size_t all = village.members.size();
    for (size_t i = 0; i < 6; ++i) {
      const size_t votes = i < 5 ? all - i : 3;
      absl::StrAppend(&text, " candidates { member_id: ", Quoted(village.members[i].id.str()),
                      " office: COMMITTEE_MEMBER count { in_favour: ", votes,
                      " against: ", all - votes, " } elected: ", i < 5 ? "true" : "false", " }");
    }
    return text;
  }

  std::deque<Turn> waiting_;
  std::map<std::string, const RecordType*> types_;
};

}  // namespace

std::unique_ptr<Story> ManyKindsStory(Year* year) { return std::make_unique<ManyKinds>(year); }

}  // namespace zhibu::year
