#include "client-core/actions/books.h"

#include <algorithm>
#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/supplements.h"
#include "sync/wire/record.h"

namespace zhibu::client {

using google::protobuf::Message;
using records::v1::RuleSupplement;

namespace {

BookHere Understood(const RuleSupplement& supplement) {
  BookHere here{.supplement = supplement};
  auto book = rules::CompileSupplement(supplement.text());
  if (book.ok()) {
    here.book = *std::move(book);
  } else {
    here.unknown = std::string(book.status().message());
  }
  return here;
}

}  // namespace

bool BookHere::IsFor(const RecordType& type, const Id& id, const Message& record) const {
  if (shipped()) return true;
  const std::vector<Placed> places = PlacesOf(type, id, record.SerializePartialAsString());
  return std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
    return placed.place == OWNER && IsInForceFor(supplement, placed.scope);
  });
}

rules::Bounds BookHere::BoundsBy(cel::Purse* purse) const {
  if (shipped()) return {};
  const auto since_ms = InForceSince(supplement);
  return {.since = since_ms ? DayAt(*since_ms) : absl::CivilDay::max(), .purse = purse};
}

absl::StatusOr<std::vector<BookHere>> BooksHere(Store& store) {
  std::vector<BookHere> books;
  // The one that is shipped belongs to the program.
  books.push_back({.book = rules::BookPtr(&rules::ShippedBook(), [](const rules::Book*) {})});
  if (store.schema().Find(RuleSupplement::descriptor()) == nullptr) return books;
  RETURN_IF_ERROR(Each<RuleSupplement>(store, [&](const Id&, const RuleSupplement& supplement) {
    if (supplement.state() == RuleSupplement::IN_FORCE && !supplement.text().empty()) {
      books.push_back(Understood(supplement));
    }
    return true;
  }));
  return books;
}

absl::StatusOr<Draft> IssueSupplement(Store& store, const Id& organisation,
                                      const NewSupplement& supplement) {
  const auto book = rules::CompileSupplement(supplement.text);
  if (!book.ok()) return Refuse(sync::v1::BAD_VALUE, book.status().message());
  Draft draft = store.New<RuleSupplement>();
  auto& made = draft.message<RuleSupplement>();
  made.set_organisation_id(organisation.str());
  for (const Id& addressee : supplement.addressees) made.add_addressee_ids(addressee.str());
  made.set_title(supplement.title);
  made.set_number(supplement.number);
  made.set_text(supplement.text);
  made.set_state(RuleSupplement::IN_FORCE);
  return draft;
}

absl::StatusOr<Draft> RepealSupplement(Store& store, Draft supplement) {
  RETURN_IF_ERROR(CheckIsA<RuleSupplement>(supplement));
  auto& made = supplement.message<RuleSupplement>();
  ASSIGN_OR_RETURN(const std::string today, DateOrToday(store, std::nullopt));
  made.set_state(RuleSupplement::REPEALED);
  made.set_repealed_on(today);
  return supplement;
}

}  // namespace zhibu::client
