#include "server/ingest/passage.h"

#include <algorithm>

namespace zhibu::server {

Step StepOf(const Work& work, const Passage& passage, const RecordKey& key, const Staged& staged) {
  const int64_t now_ms = work.environment.now_ms();
  const Stamp stamp =
      std::max(Believed(passage.row.stamp, now_ms), Believed(staged.was.touch.stamp, now_ms));
  return {*staged.type,   key.id,
          *staged.change, staged.was,
          staged.state,   std::min(Version(staged.change->base()), passage.seen_up_to),
          MillisOf(stamp)};
}

std::vector<Step> StepsOf(const Work& work, const Passage& passage, const Staging& staging) {
  std::vector<Step> steps;
  for (const auto& [key, staged] : staging) steps.push_back(StepOf(work, passage, key, staged));
  return steps;
}

Case CaseOf(const Work& work, const Passage& passage, absl::Span<const Step> steps) {
  return {work.writer,
          passage.author,
          passage.decider,
          MillisOf(passage.row.stamp),
          work.environment.now_ms(),
          steps};
}

}  // namespace zhibu::server
