#include "tests/demo/year/device.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "client-core/transport/syncer.h"
#include "sync/cli/key_file.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::year {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

}  // namespace

uint64_t Tally::Made() const {
  uint64_t all = 0;
  for (const auto& [type, count] : made) all += count;
  return all;
}

void Tally::Note(const client::Draft& draft, bool is_new) {
  ++(is_new ? made : changed)[draft.type().name];
  // Only what a key has signed is another each time.
  const bool is_signed = draft.message().GetDescriptor() == records::v1::CheckIn::descriptor();
  digest = Digest(absl::StrCat(digest, draft.type().name, draft.id().bytes(),
                               is_signed ? "" : draft.message().SerializePartialAsString()));
}

Device::Device(const std::string& folder, std::string name, const Person& owner, const Clock* clock,
               uint64_t seed, const std::string& ticket, Tally* tally)
    : name_(std::move(name)), owner_(owner), clock_(*clock), tally_(tally) {
  const std::string home = absl::StrCat(folder, "/", name_);
  std::filesystem::create_directories(home);
  const std::string file = absl::StrCat(home, "/device.db");
  std::string key =
      Must(KeyFor(absl::StrCat(home, "/device.key"), file, [] { return absl::OkStatus(); }), name_);
  store_ = Must(
      client::Store::Open({.file = file, .environment = clock->EnvironmentOf(seed), .key = key}),
      name_);
  Check(client::Enrol(store_.get(), ticket, name_, kPatience), absl::StrCat(name_, " enrols"));
}

void Device::Sync() {
  ++syncs_;
  client::Syncer syncer(store_.get());
  Check(syncer.SyncOnce(kPatience), absl::StrCat(name_, " syncs"));
  const auto state = Must(store_->State(), name_);
  Check(state.unsent == 0, absl::StrCat(name_, ": something is left unsent"));
  if (state.set_aside == 0) return;
  std::string why;
  Check(store_->ListSetAside([&](const client::SetAside& item) {
    absl::StrAppend(&why, "\n", sync::v1::Reason_Name(item.answer.reason()), " ",
                    item.answer.detail(), "\n", item.edit.ShortDebugString().substr(0, 600));
  }),
        name_);
  Check(false, absl::StrCat(name_, " on ", DateOf(clock_.today()), " has been returned:", why));
}

Id Edit::Add(client::Draft draft, bool is_new) {
  const RecordType& type = draft.type();
  const Id id = is_new && !type.id_from.empty()
                    ? Must(DeriveId(type, draft.message().SerializePartialAsString()), type.name)
                    : draft.id();
  drafts_.emplace_back(std::move(draft), is_new);
  return id;
}

absl::Status Edit::TryCommit() {
  std::vector<client::Draft*> drafts;
  for (auto& [draft, is_new] : drafts_) drafts.push_back(&draft);
  if (drafts.empty()) return absl::OkStatus();
  const auto number = device_.store().Commit(drafts);
  if (!number.ok()) return number.status();
  ++device_.tally().edits;
  for (const auto& [draft, is_new] : drafts_) device_.tally().Note(draft, is_new);
  return absl::OkStatus();
}

void Edit::Commit() {
  std::string what = absl::StrCat(device_.name(), " on ", DateOf(device_.clock().today()));
  for (const auto& [draft, is_new] : drafts_) {
    if (what.size() < 200) absl::StrAppend(&what, " ", draft.type().name);
  }
  Check(TryCommit(), what);
}

}  // namespace zhibu::year
