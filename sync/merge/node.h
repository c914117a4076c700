// The fields of one message, each merged by its policy: a record, or an element
// of a BY_KEY field.
//
//   Node(fields, author, mode, path, &outcome).Merge(set, without, before, &body, &trace)
//
// While it works every touch of the trace is written out; Pin and Unpin do and
// undo that, so that a record changed by one edit has an empty trace.
//
// What becomes of a field is for its policy to say (sync/merge/policy.h).
// Internal to the merge (sync/merge/merge.h).
#ifndef ZHIBU_SYNC_MERGE_NODE_H_
#define ZHIBU_SYNC_MERGE_NODE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/merge/frontier.h"
#include "sync/merge/lives.h"
#include "sync/merge/merge.h"
#include "sync/schema/schema.h"
#include "sync/wire/slots.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::merging {

class Node {
 public:
  Node(const Fields& fields, const Author& author, Mode mode, std::string path, Outcome* outcome)
      : fields_(fields), author_(author), mode_(mode), path_(std::move(path)), outcome_(*outcome) {}

  // Once only. `before` is the touch of what there was, or the author's where there
  // was nothing. On an error the trace is of no more use.
  absl::Status Merge(absl::string_view set, const sync::v1::Without& without, const Touch& before,
                     std::string* body, sync::v1::Trace* trace);

  const Fields& fields() const { return fields_; }

 private:
  friend struct FieldIn;

  void Pin(const Touch& before);
  void Unpin();
  absl::Status Remove(const sync::v1::Without::Removed& removed);
  sync::v1::FieldTrace* FindTrace(uint32_t slot);
  sync::v1::FieldTrace& TraceOf(uint32_t slot);
  std::string PathTo(uint32_t slot, const FieldRule* rule) const;

  const Fields& fields_;
  const Author& author_;
  const Mode mode_;
  const std::string path_;
  Outcome& outcome_;
  Slots value_;
  sync::v1::Trace* trace_ = nullptr;
  bool made_now_ = false;  // `rest` is the author's touch
};

// One field of a node while its policy works (sync/merge/policy.h).
struct FieldIn {
  Node& node;
  uint32_t slot;
  const FieldRule* rule;  // null: this build does not know the field

  const Author& author() const { return node.author_; }
  Mode mode() const { return node.mode_; }
  Outcome& outcome() const { return node.outcome_; }
  absl::string_view value() const { return node.value_.Get(slot); }
  // "resolutions", "resolutions[2]"
  std::string path() const { return node.PathTo(slot, rule); }
  std::string PathTo(absl::string_view key) const;

  // When it was last written. One that is empty and that nobody emptied never was.
  Touch touch() const;
  // Made on first need.
  sync::v1::FieldTrace& trace() const { return node.TraceOf(slot); }
  // Of a thing that is being made the touch of the whole stands for what is put into the field:
  // an entry of its own would be taken away again at the end.
  bool RestSpeaksFor() const { return node.made_now_ && node.FindTrace(slot) == nullptr; }

  // The author writes it. What is put must live as long as the merge: see Own.
  void Put(absl::string_view raw) const;
  // The value alone.
  void Set(absl::string_view raw) const { node.value_.Set(slot, raw); }
  absl::string_view Own(std::string raw) const { return node.value_.Own(std::move(raw)); }

  // The entry of an element, made on first need: from the touch of the whole where the element
  // is there.
  sync::v1::ElementTrace& ElementOf(sync::v1::FieldTrace* trace, absl::string_view key,
                                    bool there) const;
  Lives LivesOf(absl::string_view key, Thing* thing) const {
    return Lives(*rule->element, node.author_, node.mode_, PathTo(key), thing, &node.outcome_);
  }
};

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_MERGE_NODE_H_
