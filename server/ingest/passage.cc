#include "server/ingest/passage.h"

#include <algorithm>

namespace zhibu::server {

Stamp Believed(Stamp stamp, int64_t now_ms) {
  return MillisOf(stamp) > now_ms + kFutureMsMax ? StampAt(now_ms) : stamp;
}

Step StepOf(const Work& work, const Passage& passage, const RecordKey& key, const Staged& staged) {
  const Stamp stamp =
      std::max(Believed(passage.row.stamp, work.environment.now_ms()), staged.was.touch.stamp);
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
