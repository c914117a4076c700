// The table that leads the merge: for every declared record type, what each of
// its fields does, by field number. Compiled once from descriptors at start-up.
//
//   ASSIGN_OR_RETURN(auto schema, Schema::Compile({catalogue_file}));
//   const RecordType* meeting = schema->Find(31);
//   meeting->fields.Find(8)->policy == ADD_WINS
//
// Immutable once compiled: any thread may read it.
#ifndef ZHIBU_SYNC_SCHEMA_SCHEMA_H_
#define ZHIBU_SYNC_SCHEMA_SCHEMA_H_

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu {

class Fields;
struct RecordType;

// One that a newer build may know and no set has room for is in none; bit 31 is
// not an office's (sync.v1.Cursor).
inline uint32_t AudienceOf(Office office) {
  const auto bit = static_cast<unsigned>(office);
  return bit < 31 ? 1u << bit : 0;
}

// Sets of offices, bit n for office n, by how a record lies in the scope where they
// are held: kept there, or there as that of a guest (GUEST). As much for the offices
// that somebody has as for those that a declaration asks for:
//
//   may read = eyes.Meet(readers)
struct Eyes {
  uint32_t at_home = 0;
  uint32_t as_host = 0;

  bool Meet(const Eyes& other) const {
    return ((at_home & other.at_home) | (as_host & other.as_host)) != 0;
  }
  friend Eyes operator&(const Eyes& a, const Eyes& b) {
    return {a.at_home & b.at_home, a.as_host & b.as_host};
  }
  friend bool operator==(const Eyes&, const Eyes&) = default;
};

struct FieldRule {
  uint32_t number = 0;
  // Where the merge keeps it: the field's number, or for all members of a oneof
  // the lowest of theirs, because they are one value.
  uint32_t slot = 0;
  Policy policy = LATEST;
  Place place = NOWHERE;
  bool required = false;
  bool identity = false;  // named in id_from
  bool reads_as = false;
  bool reads_field = false;
  bool sensitive = false;
  // Of a record's own field.
  Eyes readers;
  Eyes writers;
  bool special = false;  // must be known to be merged: see Change.special

  // Whose record it may be, and who may write the field: see docs/authority.md.
  const FieldRule* belongs_to = nullptr;  // an OWNER
  bool guests_too = false;
  bool by_code = false;
  const RecordType* kept_with = nullptr;
  const RecordType* refers_to = nullptr;
  absl::flat_hash_set<int> written_with;  // values of RecordType::steps
  uint32_t written_at = 0;                // bit n for Place n; none: anywhere (options.proto)
  // Of a type whose hosts are asked: they see it meanwhile.
  bool shown_when_asked = false;
  bool taken_by_host = false;
  bool happened = false;  // a Timestamp that no edit sets to later than itself
  bool names_author = false;
  const FieldRule* word_of = nullptr;  // one that names_author
  const FieldRule* sent_to = nullptr;  // of a GUEST by the server: names whom it may go to
  bool sent_while_below = false;       // followed; where none is named, to all below
  // Of an enum without steps: the values that not every writer may say, and from which
  // places they may. Bit n for Place n.
  absl::flat_hash_map<int, uint32_t> said_by;
  Format format = ANY;
  uint32_t bytes_max = 0;  // see BytesMaxOf
  int64_t number_max = 0;  // either way; 0: as its type
  const google::protobuf::FieldDescriptor* descriptor = nullptr;

  // BY_KEY: the fields of the element and the number of the one that names it.
  const Fields* element = nullptr;
  uint32_t key_number = 0;
  // FORWARD: the declared steps, as (from, to), and for the values that not every
  // writer may step to: from which places they may. Bit n for Place n.
  absl::flat_hash_set<std::pair<int, int>> steps;
  absl::flat_hash_map<int, uint32_t> taken_by;
  // The states in which somebody else than who keeps the record has had the last word: those
  // that only the person, or somebody above, steps to and on from.
  absl::flat_hash_set<int> last_words;
  // Where somebody above takes steps: the states in which they have been asked to, which are
  // those from which they step on, and what follows.
  absl::flat_hash_set<int> asked_in;
  // How much a host sees in which state; undeclared: all.
  absl::flat_hash_map<int, HostSight> at_host;
};

// The fields of one message.
class Fields {
 public:
  // Null for a field that this build does not know: it merges as LATEST.
  const FieldRule* Find(uint32_t number) const {
    return number < by_number_.size() ? by_number_[number] : FindFar(number);
  }
  uint32_t SlotOf(uint32_t number) const {
    const FieldRule* rule = Find(number);
    return rule == nullptr ? number : rule->slot;
  }
  const std::deque<FieldRule>& rules() const { return rules_; }

 private:
  friend class SchemaCompiler;
  const FieldRule* FindFar(uint32_t number) const;

  std::deque<FieldRule> rules_;              // ascending by number; addresses stay
  std::vector<const FieldRule*> by_number_;  // the low numbers, which are nearly all
};

struct RecordType {
  uint32_t number = 0;
  std::string name;   // "Meeting"
  std::string label;  // 会议
  const google::protobuf::Descriptor* descriptor = nullptr;
  Fields fields;
  Eyes readers;
  Eyes writers;
  // Fields that not all who read the record may read, or not all who write it may
  // write; 64 at most. A set of them has bit n for the n-th.
  std::vector<const FieldRule*> restricted;
  Place own_scope = NOWHERE;
  bool permanent = false;
  bool made_by_server = false;
  // The FORWARD field whose steps others of its fields are written with.
  const FieldRule* steps = nullptr;
  // The FORWARD field that says how much a host sees; null: all.
  const FieldRule* at_host = nullptr;
  std::vector<uint32_t> id_from;

  // The OWNER of a record that has one only; null otherwise.
  const FieldRule* Keeper() const;
};

// Text of no more than this is one line.
inline constexpr uint32_t kLineBytesMax = 600;
// Of a string or bytes, the most that one value may hold, as declared or by default.
uint32_t BytesMaxOf(const google::protobuf::FieldDescriptor& field);

inline uint32_t BitOf(Place place) { return 1u << static_cast<unsigned>(place); }

class Schema {
 public:
  // Every record type in `files` and in what they import. INVALID_ARGUMENT
  // names the message and field of the first wrong declaration.
  static absl::StatusOr<std::shared_ptr<const Schema>> Compile(
      absl::Span<const google::protobuf::FileDescriptor* const> files);

  // Null for a type that this build does not know.
  const RecordType* Find(uint32_t type) const;
  // By message name, without its package.
  const RecordType* FindByName(absl::string_view name) const;
  const RecordType* Find(const google::protobuf::Descriptor* descriptor) const;
  const std::deque<RecordType>& types() const { return types_; }

 private:
  friend class SchemaCompiler;
  Schema() = default;

  std::deque<RecordType> types_;
  std::deque<Fields> elements_;
  absl::flat_hash_map<uint32_t, const RecordType*> by_number_;
  absl::flat_hash_map<std::string, const RecordType*> by_name_;
};

// The record types that the project declares.
std::shared_ptr<const Schema> CatalogueSchema();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_SCHEMA_SCHEMA_H_
