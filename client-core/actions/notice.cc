#include "client-core/actions/notice.h"

#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "zhibu/records/v1/notice.pb.h"

namespace zhibu::client {

using records::v1::Notice;

absl::StatusOr<Draft> PutUpNotice(Store& store, const Id& branch, const NewNotice& notice) {
  Draft draft = store.New<Notice>();
  auto& record = draft.message<Notice>();
  record.set_branch_id(branch.str());
  record.set_title(notice.title);
  record.set_text(notice.text);
  ASSIGN_OR_RETURN(*record.mutable_from(), DateOrToday(store, notice.from));
  record.set_until(absl::FormatCivilTime(notice.until));
  if (notice.about) {
    record.set_subject_type(notice.about->type);
    record.set_subject_id(notice.about->id.str());
  }
  return draft;
}

}  // namespace zhibu::client
