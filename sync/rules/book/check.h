// Whether a record is as a check of the rule book has it: one judgement, asked of both sides.
//
//   ASSIGN_OR_RETURN(const Finding found, JudgeBy(check, id, message, today, &surroundings));
//
// With `day` the day of the act that the record tells of, which chooses the parameters:
//
//   holds     it is not of the records that `when` says, or not of the days from–until; or as it
//   must be broken    it is not as it must be unknown   that hangs on what is not known here, or
//   was not written down wrong     the rule itself has gone wrong: it says nothing of the record
//
// A record is irregular where some check of it is broken. That is found out anew whenever it is
// asked, and written nowhere: nobody can set it, and nobody can hide it.
//
// What another record says counts only where it lies in a scope that this one lies in as well: else
// an answer would tell of what its author may not see.
#ifndef ZHIBU_SYNC_RULES_BOOK_CHECK_H_
#define ZHIBU_SYNC_RULES_BOOK_CHECK_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/surroundings.h"
#include "sync/rules/cel/budget.h"

namespace zhibu::rules {

enum class Outcome { kHolds, kBroken, kUnknown, kWrong };

struct Finding {
  const Check* check = nullptr;
  Outcome outcome = Outcome::kHolds;
  absl::CivilDay day;  // of the act
  zhibu::Words words;  // of what is broken: what is wrong
  std::string fault;   // of a rule that is wrong: "key: what, and where"
  // Something of it was not worked out to its end: the record, or what it names, has more in it
  // than a rule reads. Where that was whether it holds, the outcome is kWrong.
  bool too_long = false;
  // It is one of the records that the check is for, but says no day: nothing is judged.
  bool no_day = false;
};

// What checks that others have added are held to.
struct Bounds {
  // What was done before is not judged: nobody could know the rule.
  absl::CivilDay since = absl::CivilDay::min();
  // Of all that are judged together. Once it is empty the outcome is kWrong. Null: each expression
  // has its own budget.
  cel::Purse* purse = nullptr;
};

// `today` is the day of an act that says none. Errors: of the surroundings.
absl::StatusOr<Finding> JudgeBy(const Check& check, const Id& id,
                                const google::protobuf::Message& record, absl::CivilDay today,
                                Surroundings* surroundings, const Bounds& bounds = {});

// By every check of its type; what holds is left out.
absl::StatusOr<std::vector<Finding>> JudgeByAll(const Book& book, const RecordType& type,
                                                const Id& id,
                                                const google::protobuf::Message& record,
                                                absl::CivilDay today, Surroundings* surroundings,
                                                const Bounds& bounds = {});

// Which fields of the record somebody with these offices may not read, whatever they hold: a set of
// RecordType::restricted. To ask for several of one record.
uint64_t HiddenIn(const RecordType& type, const Id& id, const google::protobuf::Message& of,
                  absl::FunctionRef<uint32_t(const Id&)> offices_in);
bool IsAmong(uint64_t hidden, const RecordType& type,
             const google::protobuf::FieldDescriptor& field);

// Whether somebody with these offices may not read the field of the record, whatever it holds.
bool IsHiddenFrom(const RecordType& type, const Id& id, const google::protobuf::Message& of,
                  const google::protobuf::FieldDescriptor& field,
                  absl::FunctionRef<uint32_t(const Id&)> offices_in);

// Whether a device may hold a record with the field empty because its owner may not read it.
// `offices_in`: which the owner is known to have in a scope.
bool MayBeHidden(const RecordType& type, const Id& id, const google::protobuf::Message& of,
                 const google::protobuf::FieldDescriptor& field,
                 absl::FunctionRef<uint32_t(const Id&)> offices_in);

// Nobody has set it, or it is empty.
bool IsEmpty(const google::protobuf::Message& of, const google::protobuf::FieldDescriptor& field);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_CHECK_H_
