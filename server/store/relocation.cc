#include "server/store/relocation.h"

#include <sodium.h>

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server {
namespace {

using stored::v1::Relocation;

constexpr char kRelocation[] = "relocation";
constexpr size_t kIdBytes = 16;
// Of a step: whichever is reached first.
constexpr size_t kRowsAtOnce = 200;
constexpr size_t kBytesAtOnce = 4 << 20;

absl::StatusOr<Relocation> StateOf(Reader& reader) {
  ASSIGN_OR_RETURN(const std::string bytes, reader.GetSetting(kRelocation));
  Relocation state;
  if (!state.ParseFromString(bytes)) state.Clear();
  return state;
}

absl::Status PutState(Writer& writer, const Relocation& state) {
  return writer.PutSetting(kRelocation, state.SerializeAsString());
}

absl::StatusOr<Relocation> StateOf(Store& store) {
  Relocation state;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(state, StateOf(reader));
    return absl::OkStatus();
  }));
  return state;
}

absl::Status PutState(Store& store, const Relocation& state) {
  return store.Write([&](Writer& writer) { return PutState(writer, state); });
}

absl::Status Refused(absl::string_view zh, absl::string_view en) {
  return absl::FailedPreconditionError(InBoth(zh, en));
}

// What each has of its own.
bool IsTaken(Part part, const PartRow& row) {
  const std::string& name = row.cells(0).bytes();
  return part != Part::kSettings || (name != kRelocation && name != kSumsSetting);
}

// Rows past `after`, as many as go into one step; `after` is then the last that was looked at.
absl::StatusOr<std::vector<PartRow>> NextRows(Reader& reader, Part part, PartRow* after,
                                              bool* ended) {
  std::vector<PartRow> rows;
  size_t looked_at = 0, bytes = 0;
  RETURN_IF_ERROR(reader.ReadPart(part, *after, kRowsAtOnce, [&](const PartRow& row) {
    *after = KeyOf(part, row);
    ++looked_at;
    bytes += row.ByteSizeLong();
    if (IsTaken(part, row)) rows.push_back(row);
    return bytes < kBytesAtOnce;
  }));
  *ended = looked_at == 0;
  return rows;
}

absl::Status VisitAll(Reader& reader, absl::FunctionRef<void(Part, const PartRow&)> visit) {
  for (const Part part : kAllParts) {
    PartRow after;
    for (bool ended = false; !ended;) {
      ASSIGN_OR_RETURN(const std::vector<PartRow> rows, NextRows(reader, part, &after, &ended));
      for (const PartRow& row : rows) visit(part, row);
    }
  }
  return absl::OkStatus();
}

// ---- What both come to ------------------------------------------------------------

class Digesting {
 public:
  Digesting() { crypto_generichash_init(&state_, nullptr, 0, crypto_generichash_BYTES); }

  void Add(Part part, PartRow row) {
    // Where it stands among others depends on the store.
    if (part == Part::kEdits) row.mutable_cells()->RemoveLast();
    const std::string bytes = row.SerializeAsString();
    const uint64_t head[] = {static_cast<uint64_t>(part), bytes.size()};
    AddBytes({reinterpret_cast<const char*>(head), sizeof(head)});
    AddBytes(bytes);
    ++rows_;
  }
  Relocated End() {
    std::string digest(crypto_generichash_BYTES, '\0');
    crypto_generichash_final(&state_, reinterpret_cast<unsigned char*>(digest.data()),
                             digest.size());
    return {rows_, digest};
  }

 private:
  void AddBytes(absl::string_view bytes) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
  }

  crypto_generichash_state state_;
  uint64_t rows_ = 0;
};

absl::StatusOr<Relocated> DigestOf(Store& store) {
  Digesting digesting;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) {
    return VisitAll(reader, [&](Part part, const PartRow& row) { digesting.Add(part, row); });
  }));
  return digesting.End();
}

// ---- Steps ------------------------------------------------------------------------

absl::Status CheckEmpty(Store& target) {
  bool empty = true;
  RETURN_IF_ERROR(target.Read([&](Reader& reader) -> absl::Status {
    for (const Part part : kAllParts) {
      RETURN_IF_ERROR(
          reader.ReadPart(part, PartRow(), 1, [&](const PartRow&) { return empty = false; }));
    }
    return absl::OkStatus();
  }));
  if (empty) return absl::OkStatus();
  return Refused("目标库不是空的，没有改动它；请另给一个空库",
                 "the store to move to is not empty, and has not been touched; give an empty one");
}

absl::Status CheckSame(const Relocation& source, const Relocation& coming) {
  if (source.id() == coming.id()) return absl::OkStatus();
  return Refused("源库与开始迁移时不同（其间又启用过，或是另一个库）；请清空目标库后重新开始",
                 "the store to move from has been in service since the move began, or is another; "
                 "empty the one to move to, and begin anew");
}

// The state of the target, from which it goes on.
absl::StatusOr<Relocation> Begin(Store& source, Store& target,
                                 const std::function<std::string(size_t)>& random_bytes) {
  ASSIGN_OR_RETURN(const Relocation there, StateOf(source));
  ASSIGN_OR_RETURN(Relocation coming, StateOf(target));
  if (coming.state() == Relocation::COMING) {
    RETURN_IF_ERROR(CheckSame(there, coming));
    return coming;
  }
  if (there.state() == Relocation::GONE) {
    return Refused("这个库已经迁走", "this store has been moved already");
  }
  RETURN_IF_ERROR(CheckEmpty(target));
  coming.set_id(random_bytes(kIdBytes));
  coming.set_state(Relocation::COMING);
  Relocation leaving = coming;
  leaving.set_state(Relocation::LEAVING);
  RETURN_IF_ERROR(PutState(source, leaving));
  RETURN_IF_ERROR(PutState(target, coming));
  return coming;
}

// As much as one transaction of the target takes.
absl::Status CopyStep(Store& source, Store& target, Relocation* coming) {
  const Part part = kAllParts[coming->part()];
  std::vector<PartRow> rows;
  bool ended = false;
  RETURN_IF_ERROR(source.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(rows, NextRows(reader, part, coming->mutable_after(), &ended));
    return absl::OkStatus();
  }));
  if (ended) {
    coming->set_part(coming->part() + 1);
    coming->clear_after();
  }
  return target.Write([&](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(writer.PutPart(part, rows));
    return PutState(writer, *coming);
  });
}

// Unless a server has begun on it since it was read.
absl::Status MarkGone(Store& source, const Relocation& coming) {
  return source.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(Relocation state, StateOf(writer));
    RETURN_IF_ERROR(CheckSame(state, coming));
    state.set_state(Relocation::GONE);
    return PutState(writer, state);
  });
}

}  // namespace

absl::StatusOr<Relocated> Relocate(Store& source, Store& target,
                                   const std::function<std::string(size_t)>& random_bytes) {
  ASSIGN_OR_RETURN(Relocation coming, Begin(source, target, random_bytes));
  while (coming.part() < std::size(kAllParts)) {
    RETURN_IF_ERROR(CopyStep(source, target, &coming));
  }
  ASSIGN_OR_RETURN(const Relocated left, DigestOf(source));
  ASSIGN_OR_RETURN(const Relocated came, DigestOf(target));
  if (left.digest != came.digest) {
    return absl::DataLossError(
        InBoth("迁移后的内容与源库不一致；源库原样未动。请清空目标库后重新开始",
               "what was copied is not what is there; the store to move from is as it was. Empty "
               "the one to move to, and begin anew"));
  }
  RETURN_IF_ERROR(MarkGone(source, coming));
  RETURN_IF_ERROR(PutState(target, Relocation()));
  return came;
}

absl::Status TakeIntoService(Store& store, bool restored) {
  ASSIGN_OR_RETURN(const Relocation state, StateOf(store));
  if (state.state() == Relocation::COMING) {
    return Refused("这个库还没有迁移完；请再运行一次 zhibu admin move",
                   "not all of this store has come yet; run zhibu admin move once more");
  }
  if (state.state() == Relocation::GONE && !restored) {
    return Refused(
        "这个库已迁到别处，请在那里启用；若确要重新启用这里的旧数据，用 serve --restored",
        "this store has been moved to another, which is the one to serve from; who means to go "
        "back "
        "to what is here, and to lose what came since, says so with serve --restored");
  }
  if (state.state() == Relocation::STATE_UNSPECIFIED) return absl::OkStatus();
  return PutState(store, Relocation());
}

}  // namespace zhibu::server
