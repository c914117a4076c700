// The sums of figures as they are kept, and as they are counted from nothing: they are to be equal.
#ifndef ZHIBU_TESTS_SUPPORT_RECOUNTED_H_
#define ZHIBU_TESTS_SUPPORT_RECOUNTED_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/store.h"
#include "sync/base/damage.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/counting.h"

namespace zhibu::test {

// Every living record on the server.
class OnTheServer final : public rules::Records {
 public:
  explicit OnTheServer(server::Reader& reader) : reader_(reader) {}
  absl::Status List(
      const RecordType& type,
      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) override {
    return PassOver(
        reader_.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
          const std::unique_ptr<google::protobuf::Message> record(
              google::protobuf::MessageFactory::generated_factory()
                  ->GetPrototype(type.descriptor)
                  ->New());
          record->ParsePartialFromString(state.body);
          visit(id, *record);
        }));
  }

 private:
  server::Reader& reader_;
};

using SumsOf = std::map<std::pair<Id, SumKey>, Sum>;

inline absl::StatusOr<SumsOf> Recounted(server::Reader& reader, const rules::Book& book) {
  SumsOf sums;
  OnTheServer records(reader);
  RETURN_IF_ERROR(
      rules::CountAll(book, records, rules::Whole(),
                      [&](const rules::Figure& figure, const Id&, const rules::Counted& counted) {
                        rules::AddShares(figure, counted, [&](const SumKey& key, const Sum& sum) {
                          sums[{counted.organisation, key}] += sum;
                        });
                      }));
  std::erase_if(sums, [](const auto& one) { return one.second.empty(); });
  return sums;
}

// Where kept and counted differ: "kept 3, counted 2: meeting.held by 1 month 24314 bucket 1 of
// 0194…".
inline absl::StatusOr<std::vector<std::string>> WrongSums(server::Reader& reader,
                                                          const rules::Book& book) {
  ASSIGN_OR_RETURN(const SumsOf counted, Recounted(reader, book));
  std::set<Id> organisations;
  for (const auto& [key, sum] : counted) organisations.insert(key.first);
  constexpr uint32_t kOrganisations = 1;
  RETURN_IF_ERROR(PassOver(reader.ListEver(
      kOrganisations, [&](const Id& id, const RecordState&) { organisations.insert(id); })));
  SumsOf kept;
  RETURN_IF_ERROR(reader.ReadSums(std::vector<Id>(organisations.begin(), organisations.end()), 0,
                                  [&](const Id& organisation, const SumKey& key, const Sum& sum) {
                                    kept[{organisation, key}] += sum;
                                  }));
  std::vector<std::string> wrong;
  const auto tell = [&](const auto& place, const Sum& is, const Sum& should) {
    const auto& [organisation, key] = place;
    wrong.push_back(absl::StrCat("kept ", is.amount, "/", is.records, ", counted ", should.amount,
                                 "/", should.records, ": ", book.figures()[key.figure].text.key(),
                                 " by ", key.by, " month ", key.month, " bucket ", key.bucket,
                                 " of ", Hex(organisation.bytes())));
  };
  for (const auto& [place, sum] : counted) {
    const auto found = kept.find(place);
    const Sum is = found == kept.end() ? Sum() : found->second;
    if (is != sum) tell(place, is, sum);
  }
  for (const auto& [place, sum] : kept) {
    if (counted.count(place) == 0) tell(place, sum, Sum());
  }
  return wrong;
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_RECOUNTED_H_
