// One person at one device, at one moment: what they are likely to do next.
//
//   Author(&universe, &device, seed).Act();
#ifndef ZHIBU_TESTS_SIM_AUTHOR_H_
#define ZHIBU_TESTS_SIM_AUTHOR_H_

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "tests/sim/universe.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

class Author {
 public:
  Author(Universe* universe, Device* device, uint64_t seed)
      : universe_(*universe), device_(*device), dice_(seed) {}

  void Act();

 private:
  using Sampler = zhibu::testing::Sampler;
  using OldSampler = zhibu::testing::old::Sampler;

  client::Store& store() { return *device_.store; }
  template <typename T>
  std::vector<Id> Ids() {
    std::vector<Id> ids;
    const RecordType* type = store().schema().Find(T::descriptor());
    if (type == nullptr) return ids;
    (void)store().List({.type = type->number}, [&](const Id& id, const google::protobuf::Message&) {
      ids.push_back(id);
      return true;
    });
    return ids;
  }
  // Rather one that is new: people work on what is going on.
  template <typename T>
  std::optional<client::Draft> Any() {
    const std::vector<Id> ids = Ids<T>();
    if (ids.empty()) return std::nullopt;
    const size_t recent = std::min<size_t>(ids.size(), 4);
    const size_t at =
        dice_.OneIn(5) ? dice_.Below(ids.size()) : ids.size() - 1 - dice_.Below(recent);
    auto draft = store().Edit<T>(ids[at]);
    if (!draft.ok()) return std::nullopt;
    return *std::move(draft);
  }
  // For one of the committees, which have not much else to do.
  bool ActsAbove();
  std::string Branch();
  std::string Person();
  // A member and the branch that they belong to, as far as the device knows; sometimes
  // anybody and any branch. `branch`: rather of this one.
  struct Belonging {
    std::string member;
    std::string branch;
  };
  Belonging Somebody(const std::string& branch = "");
  std::string Word();
  std::string Day();
  std::string Month();
  void SetNow(google::protobuf::Timestamp* time);
  void SetLater(google::protobuf::Timestamp* time);
  // At once, or when more has come in.
  void Commit(client::Draft* draft, const Deltas& deltas = {});
  void Finish();

  // ---- Meetings, dues, decisions (workload.cc) ----
  void NewMeeting();
  void ChangeMeeting();
  void ChangeOne(records::v1::Meeting* meeting);
  void SignInto(records::v1::Meeting* meeting);
  void ChangeAgenda(records::v1::Meeting* meeting);
  std::optional<std::pair<std::string, std::string>> MeetingAndBranch();
  void RollCall();
  void SignIn();
  void Scan();
  void PayDues();
  void Two();
  void Remove();
  void SettleNote();
  void Decide();
  void Reconsider();
  void Ride();

  // ---- The register, those who go away, those above (workload_members.cc) ----
  void Travel();
  void Move();
  void Certify();
  void Register();
  void NewMember();
  void Identify();
  void DecideWhoIsWho();
  void Affiliate();
  void Look();

  // ---- Those who are to become members (workload_development.cc) ----
  void Develop();
  void NewCase();
  void ChangeCase(records::v1::DevelopmentCase* one);
  void TakeStep(records::v1::DevelopmentStep* step);
  Id IdOfStep(const records::v1::DevelopmentStep& step) const;

  // ---- Every other type (workload_catalogue.cc) ----
  void RecordAnything();
  void ExcuseAny(google::protobuf::Message* record);
  void GiveRules(google::protobuf::Message* record);
  std::optional<client::Draft> AnyOf(const RecordType& type);
  std::vector<Id> IdsOf(const RecordType& type);
  void Begin(const RecordType& type, google::protobuf::Message* record);
  void SetAny(const FieldRule& rule, google::protobuf::Message* record, int depth);
  void SetAnyWithin(google::protobuf::Message* value);
  void SetAnyOfMany(const FieldRule& rule, google::protobuf::Message* record, int depth);
  std::string AnyText(const FieldRule& rule);
  static bool SameKey(const FieldRule& list, const google::protobuf::Message& a,
                      const google::protobuf::Message& b);

  // ---- Every policy (workload_sampler.cc) ----
  void NewSampler();
  void ChangeSampler();
  void ThinkAgain();
  void NewOldSampler();
  void ChangeOldSampler();
  void Vote(google::protobuf::RepeatedPtrField<OldSampler::Item>* items);
  Deltas Fill(client::Draft* draft);
  void Plainly(Sampler* sampler);
  void ToggleItem(google::protobuf::RepeatedPtrField<Sampler::Item>* items);
  void ChangeItems(google::protobuf::RepeatedPtrField<Sampler::Item>* items, int depth);

  Universe& universe_;
  Device& device_;
  Dice dice_;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_AUTHOR_H_
