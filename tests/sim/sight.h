// What of a record somebody may see and write, from its declaration alone: the
// reference for sync/merge/audience.h, with which it shares no code.
#ifndef ZHIBU_TESTS_SIM_SIGHT_H_
#define ZHIBU_TESTS_SIM_SIGHT_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <vector>

#include "zhibu/schema/v1/options.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::sim {

// Offices where a record is kept, and where it is that of a guest; bit n for office n.
struct Sight {
  uint32_t home = 0;
  uint32_t host = 0;
  bool asked = false;  // the host has not taken it yet
};

// How much of the record its state shows to hosts.
HostSight AtHost(const google::protobuf::Message& message);
// The sight as it is of this record.
Sight SightOn(const google::protobuf::Message& message, Sight sight);

// Not every reader of the record may read the field.
bool Restricted(const google::protobuf::FieldDescriptor& field);
bool Sees(const Sight& sight, const google::protobuf::FieldDescriptor& field);
bool MayWrite(const Sight& sight, const google::protobuf::FieldDescriptor& field);

bool HasRestricted(const google::protobuf::Descriptor& type);

// The fields that a change writes to, a zero too.
std::vector<const google::protobuf::FieldDescriptor*> WrittenIn(
    const sync::v1::Change& change, const google::protobuf::Descriptor& type);

// What is filled in of what is sensitive, by its labels.
std::vector<std::string> SensitiveIn(const google::protobuf::Message& message);

// Clears what may not be seen.
void Hide(const Sight& sight, google::protobuf::Message* message);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_SIGHT_H_
