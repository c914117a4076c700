// What people call the records of this device, and which record they mean by that. A name is what
// is shown and what is taken:
//
//   names.Find(type, names.TitleOf(type, id, record)) == id, where no other bears it
//
//   Names names(store, Language::kChinese);
//   names.TitleOf(meeting_type, id, meeting)     七月党员大会
//   names.TitleOf(dues_type, id, payment)        周枫林 2026-07
//   Lines(payment, names.wording())               党员: 周枫林 …
//   ASSIGN_OR_RETURN(Id id, names.Find(meeting_type, "七月党员大会"));
//
// A title is the record's own name or topic; or what makes its id; or whom it is about, and its
// day. What this device no longer holds is called by the name that its other records know.
//
// Looks a name up once: as long-lived as one command or one screen. One thread.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_NAMES_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_NAMES_H_

#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"
#include "sync/base/words.h"
#include "sync/wire/worded.h"

namespace zhibu::client {

class Names {
 public:
  // `store` outlives it.
  Names(Store& store, Language language);
  Names(const Names&) = delete;  // its wording holds its address
  Names& operator=(const Names&) = delete;

  // For Lines and ValueOf; as long-lived as this.
  const Wording& wording() const { return wording_; }

  std::string TitleOf(const RecordType& type, const Id& id,
                      const google::protobuf::Message& record);
  // Of one that is on this device, or was; empty where nobody here knows what it is called.
  std::string TitleOf(const RecordType& type, const Id& id);
  // What the value of that field names, of whatever type it is.
  std::string NameOf(const google::protobuf::FieldDescriptor& field, const Id& id);

  // The types whose records may stand in that field, the likeliest first.
  std::vector<const RecordType*> TypesFor(const google::protobuf::FieldDescriptor& field) const;

  // By its id, or by its title, or its title's beginning up to a blank, if that is one record's;
  // "七月党员大会#2" is the second of several, as they are listed. NOT_HERE: none; says which are
  // alike. SEVERAL_MEANT: several, with their numbers.
  absl::StatusOr<Id> Find(const RecordType& type, const std::string& text);
  // What may stand in that field.
  absl::StatusOr<Id> FindFor(const google::protobuf::FieldDescriptor& field,
                             const std::string& text);

 private:
  struct Hit {
    Id id;
    std::string about;  // what tells it from others of its title
  };
  struct Hits {
    std::vector<Hit> exact;
    std::vector<Hit> begun;
    std::vector<std::string> alike;  // titles
  };

  absl::StatusOr<Hits> Look(const RecordType& type, const std::string& text);
  std::string KnownElsewhere(const Id& id);
  void ReadWhatIsKnown();
  void ReadNamesOf(const RecordType& type);
  void ReadTransfers();

  Store& store_;
  const Language language_;
  const Wording wording_;
  std::map<Id, std::string> titles_;
  // Of what is not here: names that stand in other records beside its id, and where it went.
  std::optional<std::map<Id, std::string>> elsewhere_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_NAMES_H_
