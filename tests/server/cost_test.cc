// What one edit costs follows from what it brings and not from what there is: of every type, made,
// changed and deleted, where a branch and a person have few records of each type, and many that
// name one another.
#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sync/rules/typed.h"
#include "sync/wire/slots.h"
#include "tests/support/raw_edits.h"
#include "tests/support/specimen.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::DuesBase;
using records::v1::RuleSupplement;
using ::testing::IsEmpty;

// So many of each are there from the start: what is dear up to a bound has reached it by then, as
// two dozen persons with one identity number, or as many supplements to the rule book as may be
// kept.
constexpr int kFew = 50;
constexpr int kMany = 170;

class CostOfOneEdit : public Village, public EditMaker {
 protected:
  CostOfOneEdit() : EditMaker(world) {}

  // Each type's records that those of others name.
  struct Known {
    Id named;
    std::vector<Id> to_delete;
    uint32_t made = 0;
  };

  Id NewId() { return world.fate().environment().NewId(); }

  static int FirstStepOf(const FieldRule& rule) {
    int first = 0;
    for (const auto& [from, to] : rule.steps) {
      if (from == 0 && (first == 0 || to < first)) first = to;
    }
    return first;
  }
  // About the person, kept by the branch, naming what is named of each type.
  std::unique_ptr<Message> About(const RecordType& type, const Id& person, const Id& id = Id()) {
    auto record = Specimen(type, {person, branch, branch, township}, world.fate().environment(),
                           absl::StrCat("第", ++numbers_, "件"));
    const auto& reflection = *record->GetReflection();
    for (const FieldRule& rule : type.fields.rules()) {
      const FieldDescriptor* field = rule.descriptor;
      if (rule.policy == SERVER) {
        reflection.ClearField(record.get(), field);
      } else if (!rule.steps.empty()) {
        reflection.SetEnumValue(record.get(), field, FirstStepOf(rule));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64 && !field->is_repeated()) {
        reflection.SetInt64(record.get(), field, 100);
      } else if (field->type() == FieldDescriptor::TYPE_BYTES && !field->is_repeated() &&
                 rule.place == NOWHERE) {
        reflection.ClearField(record.get(), field);
        const RecordType* of = rule.refers_to != nullptr   ? rule.refers_to
                               : rule.kept_with != nullptr ? rule.kept_with
                                                           : &type;
        const Id& named = known_.at(of->number).named;
        if (id != named) reflection.SetString(record.get(), field, named.str());
      }
    }
    return record;
  }
  struct Cost {
    std::string verdict;
    uint64_t work = 0;
  };
  Cost Of(const std::vector<Change>& changes, EditMaker::Author* author) {
    const Submitted submitted = EditMaker::Of(author, changes);
    const std::vector<Result> results = world.Commit({submitted});
    if (results.size() != 1) return {};
    return {VerdictOf(results[0].answer), results[0].work};
  }
  // Another value of what makes the id; false where there is no other.
  bool Vary(const FieldRule& rule, uint32_t number, Message* record) {
    const auto& reflection = *record->GetReflection();
    if (rule.descriptor->type() == FieldDescriptor::TYPE_BYTES) {
      reflection.SetString(record, rule.descriptor, NewId().str());
    } else if (rule.descriptor->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
      reflection.SetUInt32(record, rule.descriptor, number);
    } else if (rule.format == MONTH || rule.format == DAY_OR_MONTH || rule.format == DATE) {
      // Before there were rules of what is due.
      const std::string month = absl::StrFormat("%04d-%02d", 1900 + number / 12, number % 12 + 1);
      reflection.SetString(record, rule.descriptor,
                           rule.format == DATE ? absl::StrCat(month, "-01") : month);
    } else {
      return rule.descriptor->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    }
    return true;
  }

  // Another of wang's; where nothing but the person makes the id, of somebody else's.
  Change Another(const RecordType& type) {
    const auto record = About(type, wang);
    const uint32_t number = ++known_.at(type.number).made;
    bool another = type.id_from.empty();
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.identity && rule.place == NOWHERE) another |= Vary(rule, number, record.get());
    }
    for (const FieldRule& rule : type.fields.rules()) {
      if (another || rule.place != PERSON || rule.descriptor->is_repeated()) continue;
      record->GetReflection()->SetString(record.get(), rule.descriptor,
                                         world.Person("某", branch).str());
    }
    return Create(*record, type.id_from.empty() ? NewId() : Id());
  }
  // As it comes in where the secretary may make it, so that all that follows from it is there too.
  Id AddOne(const RecordType& type) {
    const Change another = Another(type);
    const Id id = *Id::FromBytes(another.id());
    const bool taken = refused_.count(type.number) == 0 &&
                       Of({another}, &authors_.at("secretary")).verdict == "MERGED";
    if (!taken) {
      refused_.insert(type.number);
      Plant(world, type, id, another.set());
    }
    return id;
  }

  // Of what the change sets, that field alone; false where it sets nothing in it.
  static bool KeepOnly(const Fields& fields, const FieldRule& rule, Change* change) {
    Slots slots;
    slots.Parse(fields, change->set());
    const std::string kept(slots.Get(rule.slot));
    change->set_set(kept);
    return !kept.empty();
  }
  // "Meeting UPDATE topic by secretary": what it cost.
  std::map<std::string, Cost> CostsOfAll() {
    std::map<std::string, Cost> costs;
    for (auto& [name, author] : authors_) {
      for (const RecordType& type : world.schema()->types()) {
        Known& known = known_.at(type.number);
        const auto note = [&, who = name, by = &author](const Change& change,
                                                        const std::string& field = "") {
          costs[absl::StrCat(type.name, " ", Change::Kind_Name(change.kind()), " ", field, " by ",
                             who)] = Of({change}, by);
        };
        note(Another(type));
        for (const FieldRule& rule : type.fields.rules()) {
          if (rule.policy == SERVER || rule.identity) continue;
          auto change = Update(*About(type, wang, known.named), known.named);
          if (KeepOnly(type.fields, rule, &change)) note(change, rule.descriptor->name());
        }
        note(Deletion(type.number, known.to_delete.back()));
        known.to_delete.pop_back();
      }
    }
    return costs;
  }

  const Id township = world.Branch("云溪镇党委");
  std::map<std::string, EditMaker::Author> authors_ = {{"secretary", {world.Enrol(zhang).number()}},
                                                       {"member", {world.Enrol(wang).number()}}};
  std::map<uint32_t, Known> known_;
  std::set<uint32_t> refused_;  // that the secretary may not make
  uint32_t numbers_ = 100;
};

TEST_F(CostOfOneEdit, DoesNotGrowWithWhatThereIs) {
  for (const RecordType& type : world.schema()->types()) known_[type.number].named = NewId();
  for (const RecordType& type : world.schema()->types()) {
    Known& known = known_.at(type.number);
    Plant(world, type, known.named, About(type, wang, known.named)->SerializeAsString());
    for (int i = 0; i < kFew; ++i) known.to_delete.push_back(AddOne(type));
  }
  const auto among_few = CostsOfAll();
  for (const RecordType& type : world.schema()->types()) {
    if (type.number == TypeOf<RuleSupplement>().number) continue;  // 50 at most
    for (int i = kFew; i < kMany; ++i) AddOne(type);
  }
  const auto among_many = CostsOfAll();

  std::vector<std::string> dearer;
  int merged = 0;
  for (const auto& [edit, cost] : among_few) {
    const Cost& later = among_many.at(edit);
    merged += cost.verdict == "MERGED" ? 1 : 0;
    if (later.work <= cost.work + 20 && later.verdict == cost.verdict) continue;
    // All of a member's are read, once for an edit: as many as there are months (kFirstDay).
    if (absl::StartsWith(edit, "DuesBase ") && later.work <= cost.work + 10 * kMany) continue;
    dearer.push_back(absl::StrCat(edit, ": ", cost.verdict, " ", cost.work, ", then ",
                                  later.verdict, " ", later.work));
  }
  EXPECT_THAT(dearer, IsEmpty()) << absl::StrJoin(dearer, "\n");
  EXPECT_GT(merged, 1000);
}

TEST_F(CostOfOneEdit, GrowsNoFasterThanWhatItBrings) {
  for (const RecordType& type : world.schema()->types()) known_[type.number].named = NewId();
  for (const RecordType& type : world.schema()->types()) {
    const Known& known = known_.at(type.number);
    Plant(world, type, known.named, About(type, wang, known.named)->SerializeAsString());
  }
  constexpr int kSome = 20;
  constexpr int kTimes = 10;
  int merged = 0;
  std::vector<std::string> dearer;
  for (const RecordType& type : world.schema()->types()) {
    const auto cost_of = [&](int many) {
      std::vector<Change> changes;
      for (int i = 0; i < many; ++i) changes.push_back(Another(type));
      return Of(changes, &authors_.at("secretary"));
    };
    const Cost some = cost_of(kSome);
    const Cost many = cost_of(kSome * kTimes);
    merged += many.verdict == "MERGED" ? 1 : 0;
    if (many.work <= some.work * kTimes) continue;
    dearer.push_back(absl::StrCat(type.name, ": ", some.verdict, " ", some.work, ", of ", kTimes,
                                  " times as many ", many.verdict, " ", many.work));
  }
  EXPECT_THAT(dearer, IsEmpty()) << absl::StrJoin(dearer, "\n");
  EXPECT_GT(merged, 35);
}

TEST_F(CostOfOneEdit, BasesOfDuesOfAMemberAreReadOnceHoweverManyAreMade) {
  const RecordType& type = TypeOf<DuesBase>();
  known_[type.number].named = NewId();
  const auto work_of = [&](int many) {
    std::vector<Change> bases;
    for (int i = 0; i < many; ++i) bases.push_back(Another(type));
    const Cost cost = Of(bases, &authors_.at("secretary"));
    EXPECT_EQ(cost.verdict, "MERGED");
    return cost.work;
  };
  const uint64_t among_none = work_of(100);
  work_of(500);
  EXPECT_LT(work_of(100), among_none + 600 * 10);
}

}  // namespace
}  // namespace zhibu::test
