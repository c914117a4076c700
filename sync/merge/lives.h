// A record, or an element of a BY_KEY field, through deletion and re-creation.
//
//   thing = every change but those of lives that are over
//   a life is over = the thing was made anew by someone who had seen all of it
//                    gone, and nobody has changed it who knew of neither
//
// The second line can cease to be true when a late change arrives, so a former
// life is kept as it would stand had it never ended: with all that was done
// since. The late change then finds the two lives in one, as it would have had
// it come before the deletion. Trace.deleted and Trace.former_lives
// (zhibu/sync/v1/trace.proto) are what is kept for this.
//
//   Lives lives(fields, author, Mode::kSeen, path, &thing, &outcome);
//   lives.Change(set, without, anew);  // or lives.Delete()
//
// Internal to the merge (sync/merge/merge.h).
#ifndef ZHIBU_SYNC_MERGE_LIVES_H_
#define ZHIBU_SYNC_MERGE_LIVES_H_

#include <google/protobuf/repeated_field.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/merge/frontier.h"
#include "sync/merge/merge.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::merging {

// What has been deleted and made anew so often is made anew no more: each later change is merged
// into every life that is over.
inline constexpr int kFormerLivesMax = 64;
// What one edit may have merged into them, with what they hold.
inline constexpr size_t kFollowedBytesMax = 64 << 20;

struct Thing {
  bool exists = false;
  Touch touch;
  std::optional<Touch> end;  // while it is deleted
  std::string body;
  sync::v1::Trace trace;  // its frontier written out
};

enum class Mode {
  kSeen,
  // A former life: what is decided by the server's order has been decided in
  // the life that is seen, and is only followed.
  kFormer,
};

// One change to one thing. Refers to what it is given; `path` is empty for a record.
class Lives {
 public:
  Lives(const Fields& fields, const Author& author, Mode mode, std::string path, Thing* thing,
        Outcome* outcome)
      : fields_(fields),
        author_(author),
        mode_(mode),
        path_(std::move(path)),
        thing_(*thing),
        outcome_(*outcome) {}

  // `anew`: the author saw no such thing, so that what there is of it that they
  // know of was gone: by its own deletion, or with what it is a part of. On an
  // error the thing is of no more use.
  absl::Status Change(absl::string_view set, const sync::v1::Without& without, bool anew);
  void Delete();

 private:
  using FormerLives = google::protobuf::RepeatedPtrField<sync::v1::FormerLife>;

  // While Lives works, the past is here and not in the trace.
  void TakePast();
  void KeepPast();

  bool IsElement() const { return !path_.empty(); }
  bool SawAllGone() const;
  bool Knew(bool anew, sync::v1::FormerLife* life) const;
  void Bury();
  void Rejoin(sync::v1::FormerLife* life, Touch* before);
  absl::Status Follow(absl::string_view set, const sync::v1::Without& without,
                      sync::v1::FormerLife* life) const;
  void KeptFromDeletion(const Touch& kept, const Touch& lost);

  const Fields& fields_;
  const Author& author_;
  const Mode mode_;
  const std::string path_;
  Thing& thing_;
  Outcome& outcome_;
  Frontier deleted_;
  FormerLives former_;
};

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_MERGE_LIVES_H_
