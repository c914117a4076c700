// The fields of one message, each merged by its policy: a record, or an element
// of a BY_KEY field.
//
//   Node(fields, author, mode, path, &outcome).Merge(set, without, before, &body, &trace)
//
// While it works every touch of the trace is written out; Pin and Unpin do and
// undo that, so that a record changed by one edit has an empty trace.
//
// node.cc has the fields with one value, node_elements.cc the sets and keyed lists.
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

 private:
  void Pin(const Touch& before);
  void Unpin();
  sync::v1::FieldTrace* FindTrace(uint32_t slot);
  sync::v1::FieldTrace& TraceOf(uint32_t slot);
  Touch TouchOf(uint32_t slot);
  bool RestSpeaksFor(uint32_t slot);

  absl::Status Take(uint32_t slot, absl::string_view raw, const sync::v1::Without& without);
  absl::Status Clear(uint32_t slot);
  absl::Status Remove(const sync::v1::Without::Removed& removed);

  void Put(uint32_t slot, absl::string_view raw);
  void Latest(uint32_t slot, const FieldRule* rule, absl::string_view raw);
  absl::Status Ask(uint32_t slot, const FieldRule& rule, absl::string_view raw);
  absl::Status First(uint32_t slot, const FieldRule& rule, absl::string_view raw);
  absl::Status Extreme(uint32_t slot, const FieldRule& rule, absl::string_view raw);
  absl::Status Step(uint32_t slot, const FieldRule& rule, absl::string_view raw);

  sync::v1::ElementTrace& ElementOf(sync::v1::FieldTrace* field, absl::string_view key, bool there);
  absl::Status AddMembers(uint32_t slot, const FieldRule& rule, absl::string_view raw);
  absl::Status RemoveMembers(const FieldRule& rule, const sync::v1::Without::Removed& removed);
  void SetMembers(const FieldRule& rule, const std::vector<absl::string_view>& members);
  absl::Status MergeElements(uint32_t slot, const FieldRule& rule, absl::string_view raw,
                             const sync::v1::Without& without);
  absl::Status RemoveElements(const FieldRule& rule, const sync::v1::Without::Removed& removed);
  void SetElements(const FieldRule& rule, const std::vector<Element>& elements);

  // "resolutions", "resolutions[2]"
  std::string PathTo(uint32_t slot, const FieldRule* rule) const;
  std::string PathTo(const FieldRule& rule, absl::string_view key) const;

  const Fields& fields_;
  const Author& author_;
  const Mode mode_;
  const std::string path_;
  Outcome& outcome_;
  Slots value_;
  sync::v1::Trace* trace_ = nullptr;
  bool made_now_ = false;  // `rest` is the author's touch
};

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_MERGE_NODE_H_
