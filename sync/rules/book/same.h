// Whether two records may tell of one fact: whether they say the same in some of their fields.
#ifndef ZHIBU_SYNC_RULES_BOOK_SAME_H_
#define ZHIBU_SYNC_RULES_BOOK_SAME_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace zhibu::rules {

// Whether what stands in such a field can be told as text: numbers, text, times, not lists of them.
bool CanBeSaid(const google::protobuf::FieldDescriptor& field);

// What the record says in the field, which can be said: of a time its day.
std::string SaidIn(const google::protobuf::FieldDescriptor& field,
                   const google::protobuf::Message& record);

// The same of several fields, alike for those that say the same in each of them and for no others.
std::string SaidIn(const std::vector<const google::protobuf::FieldDescriptor*>& fields,
                   const google::protobuf::Message& record);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_SAME_H_
