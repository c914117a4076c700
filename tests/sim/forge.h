// What changed software may write: edits of every kind, lawful ones among them. It knows
// the id of everything, whoever may see it.
//
//   Forge forge(&universe, person, seed);
//   forge.Edit()      the bytes of an edit
#ifndef ZHIBU_TESTS_SIM_FORGE_H_
#define ZHIBU_TESTS_SIM_FORGE_H_

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/universe.h"

namespace zhibu::sim {

class Forge {
 public:
  Forge(Universe* universe, const Id& person, uint64_t seed)
      : universe_(*universe), person_(person), dice_(seed) {}

  std::string Edit();
  // Two that differ only in whom they are about: somebody whose record the person may not
  // see, and somebody who is not there. They must be answered alike. Empty: there is
  // nothing to ask about.
  std::vector<std::string> Question();
  // The same bytes, or such as may be read in another way.
  std::string Twist(const google::protobuf::Descriptor& type, std::string bytes);
  // Some 16 bytes: of what belongs there, or of anything.
  std::string IdFor(Place place);
  Dice& dice() { return dice_; }

 private:
  sync::v1::Change Any();
  sync::v1::Change Lawful();
  sync::v1::Change Make();
  sync::v1::Change Alter();
  // What is known to have worked once (findings of attacks with ordinary rights).
  sync::v1::Change Recipe();

  const google::protobuf::Message& AnyType();
  std::vector<RecordKey> Keys(uint32_t type) const;
  RecordKey AnyRecord();
  std::string Branch();
  std::string Other();
  std::string Person();
  std::string Anything();
  std::string Text(const google::protobuf::FieldDescriptor& field);
  std::string Day();
  uint64_t Base();
  void Set(google::protobuf::Message* message, const google::protobuf::FieldDescriptor& field,
           int depth);
  // One of so many fields is filled in.
  void Fill(google::protobuf::Message* message, uint32_t one_in, int depth = 3);
  sync::v1::Change ChangeOf(const google::protobuf::Message& set, const Id& id,
                            sync::v1::Change::Kind kind);
  Id DerivedOr(const google::protobuf::Message& message, const Id& id);

  Universe& universe_;
  const Id person_;
  Dice dice_;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_FORGE_H_
