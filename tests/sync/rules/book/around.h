// Records in memory, for tests that judge one of them by the rule book.
#ifndef ZHIBU_TESTS_SYNC_RULES_BOOK_AROUND_H_
#define ZHIBU_TESTS_SYNC_RULES_BOOK_AROUND_H_

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/rules/book/check.h"
#include "sync/wire/record.h"

namespace zhibu::rules {

// Everything is known, but what was said not to be.
class InMemory final : public Neighbours {
 public:
  template <typename T>
  Id Put(const T& record) {
    const RecordType& type = *CatalogueSchema()->Find(T::descriptor());
    const std::string body = record.SerializeAsString();
    const Id id = type.id_from.empty() ? IdOf(++made_) : DeriveId(type, body).value();
    Put(id, record);
    return id;
  }
  template <typename T>
  void Put(const Id& id, const T& record) {
    bodies_[{CatalogueSchema()->Find(T::descriptor())->number, id}] = record.SerializeAsString();
    followers().clear();
  }
  // Records that were looked at because they point at one.
  int visited() const { return visited_; }
  // "Member": on this device are none.
  void Lacks(const std::string& type) { lacking_.insert(type); }

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    if (lacking_.count(type.name) > 0) return std::nullopt;
    const auto found = bodies_.find({type.number, id});
    return found == bodies_.end() ? "" : found->second;
  }
  bool Hides(const RecordType& /*type*/, const Id& /*id*/, const google::protobuf::Message& of,
             const google::protobuf::FieldDescriptor& field) const override {
    return lacking_.count(absl::StrCat(of.GetDescriptor()->name(), ".", field.name())) > 0;
  }

  absl::Status PointingAt(const RecordType& type, const google::protobuf::FieldDescriptor& field,
                          const Id& id, VisitPointing visit) override {
    for (const auto& [key, body] : bodies_) {
      if (key.first != type.number) continue;
      const auto record = ReadAs(type, body);
      if (record->GetReflection()->GetString(*record, &field) == id.bytes()) {
        ++visited_;
        if (!visit(key.second, *record)) break;
      }
    }
    return absl::OkStatus();
  }
  void Each(absl::FunctionRef<void(const RecordType&, const Id&, const google::protobuf::Message&)>
                visit) const {
    for (const auto& [key, body] : bodies_) {
      const RecordType& type = *CatalogueSchema()->Find(key.first);
      visit(type, key.second, *ReadAs(type, body));
    }
  }

  static Id IdOf(int number) {
    std::string bytes(Id::kSize, 'x');
    bytes.back() = static_cast<char>(number);
    return *Id::FromBytes(bytes);
  }

 private:
  static std::unique_ptr<google::protobuf::Message> ReadAs(const RecordType& type,
                                                           const std::string& body) {
    std::unique_ptr<google::protobuf::Message> record(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(type.descriptor)
            ->New());
    record->ParsePartialFromString(body);
    return record;
  }

  std::map<std::pair<uint32_t, Id>, std::string> bodies_;
  std::set<std::string> lacking_;
  int made_ = 0;
  int visited_ = 0;
};

// What the checks of `book` whose keys begin so say of a record: "BROKEN dev.observed", in their
// order; of what is broken the words too, where they are asked for.
inline std::vector<std::string> Judge(const Book& book, const google::protobuf::Message& record,
                                      InMemory& around, const std::string& keys,
                                      const Id& id = InMemory::IdOf(99), bool words = false) {
  const RecordType& type = *CatalogueSchema()->Find(record.GetDescriptor());
  const absl::CivilDay today(2026, 11, 20);
  const auto findings = JudgeByAll(book, type, id, record, today, &around);
  EXPECT_TRUE(findings.ok()) << findings.status();
  std::vector<std::string> lines;
  for (const Finding& found : *findings) {
    if (found.check->text.key().rfind(keys, 0) != 0) continue;
    static const char* const kNames[] = {"HOLDS", "BROKEN", "UNKNOWN", "WRONG"};
    lines.push_back(
        absl::StrCat(kNames[static_cast<int>(found.outcome)], " ",
                     found.outcome == Outcome::kWrong ? found.fault : found.check->text.key(),
                     words && found.outcome == Outcome::kBroken ? ": " + found.words.zh() : ""));
  }
  return lines;
}

}  // namespace zhibu::rules

#endif  // ZHIBU_TESTS_SYNC_RULES_BOOK_AROUND_H_
