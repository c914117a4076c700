// Test vectors of the one spelling of an edit: which bytes the server takes and which it returns,
// and why: tests/data/spelling.json. The records are of zhibu.testing.Sampler.
#include "absl/strings/escaping.h"
#include "proto/policies.pb.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/schema/schema.h"
#include "sync/wire/canonical.h"
#include "sync/wire/record.h"
#include "tests/interop/sampler.h"
#include "tests/interop/vectors.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::interop {
namespace {

using sync::v1::Change;
using sync::v1::Edit;
using testing::Sampler;

absl::Status Check(const std::string& bytes) {
  RETURN_IF_ERROR(CheckCanonicalMessage(*Edit::descriptor(), bytes));
  Edit edit;
  if (!edit.ParseFromString(bytes)) return Refuse(sync::v1::MALFORMED, "edit");
  for (const Change& change : edit.changes()) {
    RETURN_IF_ERROR(CheckChange(SamplerSchema(), change));
  }
  return absl::OkStatus();
}

class Spellings {
 public:
  // An edit with one change, made by `say` of a good one.
  template <typename F>
  void Add(const std::string& what, F say) {
    Edit edit;
    Change& change = *edit.add_changes();
    change.set_type(9001);
    change.set_id("0123456789abcdef");
    change.set_base(7);
    say(change);
    edit.set_salt(1);
    AddBytes(what, edit.SerializeAsString());
  }
  void AddSet(const std::string& what, absl::string_view hex) {
    Add(what, [&](Change& change) { change.set_set(absl::HexStringToBytes(hex)); });
  }
  void AddBytes(const std::string& what, const std::string& bytes) {
    const Refused refused = ReasonOf(Check(bytes));
    cases_.push_back({{"what", what},
                      {"edit", Hex(bytes)},
                      {"reason", Reason_Name(refused.reason)},
                      {"detail", refused.detail}});
  }
  const Json& cases() const { return cases_; }

 private:
  Json cases_ = Json::array();
};

void AddForms(Spellings* all) {
  all->AddSet("a text, field 2", "120161");
  all->AddSet("fields ascend", "12016122017a");
  all->AddSet("fields that descend", "22017a120161");
  all->AddSet("a single field twice", "120161120162");
  all->AddSet("a default written out", "1200");
  all->AddSet("a MIN may say zero", "4000");
  all->AddSet("a number in one byte more than it needs", "288100");
  all->AddSet("a tag in one byte more than it needs", "92000161");
  all->AddSet("a number where a text is declared", "1001");
  all->AddSet("an int32 that is no int32", "40ffffffff0f");
  all->AddSet("repeated numbers, packed", "8a01020102");
  all->AddSet("repeated numbers, not packed", "880101880102");
  all->AddSet("both members of a oneof", "72016178017a");
  all->AddSet("one member of a oneof, empty: it says so", "7200");
  all->AddSet("a set that ascends", "4a01614a0162");
  all->AddSet("a set that does not", "4a01624a0161");
  all->AddSet("an element twice", "4a01614a0161");
  all->AddSet("a keyed list that ascends", "52030a016152030a0162");
  all->AddSet("a keyed list that does not", "52030a016252030a0161");
  all->AddSet("an entry of a map with key and value, whatever they are", "5a050a01611000");
  all->AddSet("an entry of a map without its value", "5a030a0161");
  all->AddSet("a field that nobody knows, by its place", "120161c80101");
  all->AddSet("a field that nobody knows, out of its place", "c80101120161");
  all->AddSet("a text that is no UTF-8", "1201ff");
  all->AddSet("a text with a control character", "120107");
  all->AddSet("a state that is not declared", "6063");
  all->AddSet("a time after the year 9999", "3a0708808f99a8bf40");
  all->AddBytes("no message", "\x0a");
}

void AddTaken(Spellings* all) {
  all->Add("a field is cleared", [](Change& c) { c.mutable_without()->add_cleared(2); });
  all->Add("cleared and set as well", [](Change& c) {
    c.set_set("\x12\x01z");
    c.mutable_without()->add_cleared(2);
  });
  all->Add("cleared in no order", [](Change& c) {
    c.mutable_without()->add_cleared(3);
    c.mutable_without()->add_cleared(2);
  });
  all->Add("of a oneof the lowest number stands for all",
           [](Change& c) { c.mutable_without()->add_cleared(15); });
  const auto remove = [](uint32_t field, std::vector<std::string> elements) {
    return [=](Change& c) {
      auto* removed = c.mutable_without()->add_removed();
      removed->set_field(field);
      removed->mutable_elements()->Add(elements.begin(), elements.end());
    };
  };
  all->Add("elements of a set are taken out", remove(9, {"a", "b"}));
  all->Add("elements of a set in no order", remove(9, {"b", "a"}));
  all->Add("none is taken out", remove(9, {}));
  all->Add("an element of a field that has none", remove(2, {"a"}));
  all->Add("an element of a keyed list, by its key", remove(10, {"a"}));
  all->Add("an element that the edit adds", [&](Change& c) {
    c.set_set(
        "\x4a\x01"
        "a");
    remove(9, {"a"})(c);
  });
  const auto nest = [](const std::string& set, const std::string& key, bool created) {
    return [=](Change& c) {
      c.set_set(set);
      auto* nested = c.mutable_without()->add_nested();
      nested->set_field(10);
      nested->set_key(key);
      nested->set_created(created);
    };
  };
  const std::string item =
      "\x52\x03\x0a\x01"
      "a";
  all->Add("an element that was not there", nest(item, "a", true));
  all->Add("nested, and it says nothing", nest(item, "a", false));
  all->Add("nested for an element that set does not name", nest(item, "b", true));
}

void AddKinds(Spellings* all) {
  all->Add("an update that says nothing", [](Change&) {});
  all->Add("a record is made with nothing in it", [](Change& c) { c.set_kind(Change::CREATE); });
  all->Add("a record is deleted", [](Change& c) { c.set_kind(Change::DELETE); });
  all->Add("deleted, and set as well", [](Change& c) {
    c.set_kind(Change::DELETE);
    c.set_set("\x12\x01z");
  });
  all->Add("no kind of change", [](Change& c) {
    c.set_set("\x12\x01z");
    c.set_kind(static_cast<Change::Kind>(3));
  });
  all->Add("a special field that the server knows", [](Change& c) {
    c.set_set("\x1a\x01z");
    c.add_special(3);
  });
  all->Add("one that it does not", [](Change& c) {
    c.set_set("\x12\x01z");
    c.add_special(99);
  });
  all->Add("special fields in no order", [](Change& c) {
    c.set_set("\x1a\x01z");
    c.add_special(9);
    c.add_special(3);
  });
  all->Add("a type that the server does not know", [](Change& c) {
    c.set_type(1);
    c.set_set("\x12\x01z");
  });
}

TEST(Vectors, OfTheOneSpelling) {
  Spellings all;
  AddForms(&all);
  AddTaken(&all);
  AddKinds(&all);
  ExpectVectors("spelling.json", all.cases());
}

}  // namespace
}  // namespace zhibu::interop
