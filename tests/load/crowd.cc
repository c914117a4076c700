#include "tests/load/crowd.h"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/load/device.h"

namespace zhibu::load {
namespace {

constexpr size_t kDialling = 32;
constexpr absl::Duration kOpeningPatience = absl::Minutes(5);
constexpr absl::Duration kLook = absl::Milliseconds(10);
// By how much a wrong clock is wrong at most, either way.
constexpr int64_t kClockOffMsMax = 2 * 86'400'000;

// A share of the devices, on a thread of its own.
class Shard {
 public:
  Shard(const Plan& plan, Site* site, int which) : guard_(shared_.io.get_executor()) {
    shared_.plan = &plan;
    shared_.site = site;
    shared_.random.seed(plan.seed + static_cast<uint64_t>(which));
    // Chance that nothing secret hangs on, and that costs little.
    shared_.environment = SystemEnvironment();
    shared_.environment.random_bytes = [this](size_t size) {
      std::string bytes(size, '\0');
      for (char& byte : bytes) byte = static_cast<char>(shared_.random());
      return bytes;
    };
    for (size_t i = static_cast<size_t>(which); i < site->devices.size();
         i += static_cast<size_t>(plan.threads)) {
      const bool slow = Percent() < plan.slow_percent;
      const bool wrong = Percent() < plan.wrong_clock_percent;
      devices_.push_back(std::make_unique<Device>(
          &shared_, &site->devices[i], slow,
          wrong ? static_cast<int64_t>(shared_.random() % (2 * kClockOffMsMax)) - kClockOffMsMax
                : 0));
    }
    thread_ = std::thread([this] { shared_.io.run(); });
  }
  ~Shard() { Stop(); }

  // On its thread; gives what it gives.
  template <typename T>
  T Do(std::function<T(Shared&)> body) {
    std::promise<T> said;
    asio::post(shared_.io, [&] { said.set_value(body(shared_)); });
    return said.get_future().get();
  }

  // Dials more, so long as not too many are on their way.
  void OpenMore() {
    asio::post(shared_.io, [this] {
      const auto wanted = static_cast<size_t>(std::max<int64_t>(shared_.opened, 0)) + kDialling;
      for (; dialled_ < std::min(wanted, devices_.size()); ++dialled_) devices_[dialled_]->Open();
    });
  }
  void Begin() {
    Do<bool>([this](Shared& shared) {
      shared.measuring = true;
      shared.offering = true;
      shared.began_us = SteadyMicros();
      for (const auto& device : devices_) device->Begin();
      return true;
    });
  }
  void EndOffering() {
    Do<bool>([](Shared& shared) { return std::exchange(shared.offering, false); });
  }
  // What was counted, at the end.
  Tally Take() {
    Stop();
    devices_.clear();  // with their streams, whose bytes count
    return std::move(shared_.tally);
  }

 private:
  void Stop() {
    shared_.io.stop();
    if (thread_.joinable()) thread_.join();
  }
  int Percent() { return static_cast<int>(shared_.random() % 100); }

  Shared shared_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::vector<std::unique_ptr<Device>> devices_;
  size_t dialled_ = 0;
  std::thread thread_;
};

using Shards = std::vector<std::unique_ptr<Shard>>;

int64_t Sum(const Shards& shards, int64_t Shared::*of) {
  int64_t sum = 0;
  for (const auto& shard : shards) {
    sum += shard->Do<int64_t>([of](Shared& shared) { return shared.*of; });
  }
  return sum;
}

absl::Status OpenAll(const Shards& shards, size_t devices) {
  const absl::Time deadline = absl::Now() + kOpeningPatience;
  int64_t opened = 0;
  while (opened < static_cast<int64_t>(devices)) {
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat(opened, " of ", devices, " devices are in step"));
    }
    for (const auto& shard : shards) shard->OpenMore();
    absl::SleepFor(kLook);
    opened = Sum(shards, &Shared::opened);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Outcome> RunCrowd(const Plan& plan, Site* site, const Moments& moments) {
  Outcome outcome;
  Shards shards;
  for (int i = 0; i < plan.threads; ++i) {
    shards.push_back(std::make_unique<Shard>(plan, site, i));
  }
  absl::Time began = absl::Now();
  if (plan.mode != Mode::kStorm) {
    if (absl::Status status = OpenAll(shards, site->devices.size()); !status.ok()) return status;
  }
  outcome.opening_seconds = absl::ToDoubleSeconds(absl::Now() - began);
  outcome.opened = Sum(shards, &Shared::opened);
  moments.opened();
  began = absl::Now();
  for (const auto& shard : shards) shard->Begin();
  absl::SleepFor(absl::Seconds(plan.seconds));
  for (const auto& shard : shards) shard->EndOffering();
  outcome.seconds = absl::ToDoubleSeconds(absl::Now() - began);
  outcome.waiting = Sum(shards, &Shared::unanswered);
  moments.offered();
  began = absl::Now();
  const absl::Time deadline = began + absl::Seconds(plan.drain_seconds);
  while ((outcome.unanswered = Sum(shards, &Shared::unanswered)) > 0 && absl::Now() < deadline) {
    absl::SleepFor(kLook);
  }
  outcome.drain_seconds = absl::ToDoubleSeconds(absl::Now() - began);
  for (const auto& shard : shards) outcome.tally.Merge(shard->Take());
  return outcome;
}

}  // namespace zhibu::load
