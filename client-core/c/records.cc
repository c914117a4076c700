// Records are read, listed and written.
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/known.h"
#include "client-core/c/call.h"
#include "client-core/c/rows.h"
#include "client-core/c/told.h"
#include "sync/base/reason.h"
#include "sync/base/words.h"

namespace zhibu::client {
namespace {

absl::StatusOr<Row> RowOf(Store& store, const RecordType& type, const Id& id) {
  ASSIGN_OR_RETURN(std::vector<Row> rows, ShowRows(store, type, {id}));
  if (rows.empty()) {
    return Refuse(sync::v1::NOT_HERE,
                  InBoth(absl::StrCat("这一条", WordsOf(*type.descriptor, Language::kChinese)),
                         absl::StrCat("such ", WordsOf(*type.descriptor, Language::kEnglish))));
  }
  return std::move(rows.front());
}

absl::StatusOr<api::v1::Rows> List(Store& store, const api::v1::Query& from) {
  ASSIGN_OR_RETURN(const Selection selection, SelectionIn(store, from));
  ASSIGN_OR_RETURN(const RowPage page, ListRows(store, selection, from.after(), LimitIn(from)));
  api::v1::Rows rows;
  Names names(store, LanguageIn(from.words()));
  for (const Row& row : page.rows) {
    api::v1::Row& told = *rows.add_rows();
    told = ToApi(row, from.json());
    if (from.words() != api::v1::NO_WORDS) AddWords(row, names, &told);
  }
  rows.set_next(page.next);
  if (!page.damage.ok()) *rows.mutable_damage() = ErrorOf(page.damage);
  return rows;
}

absl::StatusOr<std::vector<Draft>> DraftsIn(Store& store, const api::v1::EditRequest& request) {
  std::vector<Draft> drafts;
  for (const auto& item : request.items()) {
    ASSIGN_OR_RETURN(Draft draft, DraftIn(store, item));
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

void AddFinding(const rules::Finding& finding, int item, api::v1::Tried* tried) {
  const rules::Check& check = *finding.check;
  api::v1::Tried::Finding& told = *tried->add_findings();
  told.set_item(item);
  told.set_key(check.text.key());
  if (check.field != nullptr) told.set_field(check.field->name());
  told.set_words_zh(finding.words.zh());
  told.set_words_en(finding.words.en());
  told.set_source(check.text.source());
  told.set_hard(check.text.hard());
}

absl::StatusOr<api::v1::Tried> Try(Store& store, const api::v1::EditRequest& request) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, DraftsIn(store, request));
  api::v1::Tried tried;
  std::vector<Draft*> all;
  for (size_t i = 0; i < drafts.size(); ++i) {
    all.push_back(&drafts[i]);
    if (drafts[i].deleted()) continue;
    ASSIGN_OR_RETURN(const FoundOfDraft found, WhatIsWrongWith(store, drafts[i]));
    for (const rules::Finding& one : found.broken) AddFinding(one, static_cast<int>(i), &tried);
  }
  const absl::Status refused = store.Try(all);
  if (!refused.ok()) *tried.mutable_refusal() = ErrorOf(refused);
  return tried;
}

absl::StatusOr<api::v1::Committed> Commit(Store& store, const api::v1::EditRequest& request) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, DraftsIn(store, request));
  ASSIGN_OR_RETURN(const EditNumber number, CommitTogether(store, absl::MakeSpan(drafts)));
  api::v1::Committed committed;
  committed.set_number(number.value);
  for (const Draft& draft : drafts) committed.add_ids(draft.id().str());
  return committed;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_get(zhibu_handle store, zhibu_in ref, zhibu_out* row, zhibu_out* error) {
  return OnStore(store, row, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::RecordRef>(ref));
    ASSIGN_OR_RETURN(const RecordType* type, TypeIn(open, wanted.type()));
    ASSIGN_OR_RETURN(const Id id, IdIn(wanted.id()));
    ASSIGN_OR_RETURN(const Row found, RowOf(open, *type, id));
    api::v1::Row told = ToApi(found, wanted.json());
    if (wanted.words() != api::v1::NO_WORDS) {
      Names names(open, LanguageIn(wanted.words()));
      AddWords(found, names, &told);
    }
    return Bytes(told);
  });
}

int32_t zhibu_new(zhibu_handle store, zhibu_in type, zhibu_out* seen, zhibu_out* error) {
  return OnStore(store, seen, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view name, BytesIn(type));
    ASSIGN_OR_RETURN(const RecordType* of, TypeIn(open, name));
    return open.New(*of).Seen();
  });
}

int32_t zhibu_list(zhibu_handle store, zhibu_in query, zhibu_out* rows, zhibu_out* error) {
  return OnStore(store, rows, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::Query>(query));
    ASSIGN_OR_RETURN(const auto found, List(open, wanted));
    return Bytes(found);
  });
}

int32_t zhibu_save(zhibu_handle store, zhibu_in seen, zhibu_in body, zhibu_out* committed,
                   zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view saw, BytesIn(seen));
    ASSIGN_OR_RETURN(const absl::string_view says, BytesIn(body));
    api::v1::EditRequest request;
    api::v1::EditItem& item = *request.add_items();
    item.set_seen(std::string(saw));
    item.set_body(std::string(says));
    ASSIGN_OR_RETURN(const auto done, Commit(open, request));
    return Bytes(done);
  });
}

int32_t zhibu_commit(zhibu_handle store, zhibu_in edit, zhibu_out* committed, zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto request, Read<api::v1::EditRequest>(edit));
    ASSIGN_OR_RETURN(const auto done, Commit(open, request));
    return Bytes(done);
  });
}

int32_t zhibu_try(zhibu_handle store, zhibu_in edit, zhibu_out* tried, zhibu_out* error) {
  return OnStore(store, tried, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto request, Read<api::v1::EditRequest>(edit));
    ASSIGN_OR_RETURN(const auto would, Try(open, request));
    return Bytes(would);
  });
}
