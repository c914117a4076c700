// What happens in the township, day by day. Each part of the year's work is a story, which is told
// of each day once, in the morning, and writes on the devices of those whose work it is:
//
//   for (const auto& story : stories) story->OnDay();
//
// A story writes what a branch would write that keeps to the rules, but where it says otherwise;
// what it leaves undone it says in `Ending`, so that whoever looks at the year can check it.
#ifndef ZHIBU_TESTS_DEMO_YEAR_STORY_H_
#define ZHIBU_TESTS_DEMO_YEAR_STORY_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "tests/demo/year/township.h"

namespace zhibu::year {

// What the year is told by and looked at by afterwards.
struct Ending {
  std::map<std::string, std::string> words;  // names, days
  std::map<std::string, int64_t> numbers;
};

struct Year {
  Township township;
  absl::CivilDay first;
  absl::CivilDay last;
  Ending ending;
  // Names that stories give to records, for each other: by village, then by name.
  std::map<std::pair<size_t, std::string>, Id> named;

  absl::CivilDay today() const { return township.clock.today(); }
  int64_t days() const { return today() - first; }
};

class Story {
 public:
  explicit Story(Year* year) : year_(*year), town_(year->township) {}
  virtual ~Story() = default;
  virtual void OnDay() = 0;
  // After the last day: what is so then.
  virtual void End() {}

 protected:
  absl::CivilDay today() const { return year_.today(); }
  std::string date() const { return DateOf(today()); }

  Year& year_;
  Township& town_;
};

std::unique_ptr<Story> MeetingStory(Year* year);
std::unique_ptr<Story> DuesStory(Year* year);
std::unique_ptr<Story> DevelopmentStory(Year* year);
std::unique_ptr<Story> AwayStory(Year* year);
std::unique_ptr<Story> AppraisalStory(Year* year);
std::unique_ptr<Story> ManyKindsStory(Year* year);

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_STORY_H_
