// A phone whose software sends anything: enrolled for a person as any phone is, with a
// key of its own, beside the honest ones. What it writes lawfully counts as its owner's.
//
//   Hostile hostile(&universe, person, seed);
//   hostile.Act(seed);     opens a stream, says something, hears what there is
//
// All that the server says to it is judged (Universe::CheckFrame).
#ifndef ZHIBU_TESTS_SIM_HOSTILE_H_
#define ZHIBU_TESTS_SIM_HOSTILE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/sessions/session.h"
#include "tests/sim/dice.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

class Forge;

class Hostile {
 public:
  Hostile(Universe* universe, const Id& person);
  ~Hostile();

  void Act(uint64_t seed);
  // What the server has to say now.
  void Hear();
  void HangUp();

  // Whether the server has shown it as much of the scope in this session, or been handed
  // back that it has.
  bool MayHaveSeen(const Id& scope, uint64_t version) const;

  // Whether it is the first edit of this number in this session.
  bool IsFirst(uint64_t number) { return pushed_.insert(number).second; }

  uint64_t stream() const { return stream_; }
  // The server's side; null: there is no stream.
  server::Session* session() { return session_.get(); }
  const Id& person() const { return person_; }
  DeviceNumber number() const { return number_; }

 private:
  void Connect(Forge* forge);
  void Enrol(Dice* dice);
  void Say(const sync::v1::ClientFrame& frame);
  void Push(Forge* forge);
  void Add(Forge* forge, const std::string& edit, sync::v1::Push* push);
  void Ask(Forge* forge);
  void Babble(Forge* forge);
  void AddCursors(Forge* forge, sync::v1::Hello* hello);
  void HandBack(const sync::v1::Cursor& cursor);
  void Take(const sync::v1::ServerFrame& frame);
  void TakeAnswer(const sync::v1::Answer& answer);

  Universe& universe_;
  const Id person_;
  DeviceNumber number_;
  std::string secret_key_;
  std::unique_ptr<server::Session> session_;
  uint64_t stream_ = 0;
  std::string nonce_;
  // Its chain, as the server has it.
  uint64_t last_ = 0;
  uint64_t link_ = 0;
  std::vector<sync::v1::NumberedEdit> sent_;
  std::map<Id, uint64_t> cursors_;
  uint64_t shown_up_to_ = 0;
  std::set<uint64_t> pushed_;
  std::vector<sync::v1::Cursor> given_;  // to this number, by this life of the server
  std::string incarnation_;
  // Numbers of two that must be answered alike.
  std::map<uint64_t, uint64_t> twins_;
  std::map<uint64_t, std::string> answered_;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_HOSTILE_H_
