#include "sync/base/environment.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>

namespace zhibu {
namespace {

constexpr size_t kNonce = 24;

TEST(Environment, ChanceIsGivenOutOnceOnAnyThread) {
  const Environment environment = SystemEnvironment();
  std::set<std::string> given;
  std::set<std::string> by_other;
  const auto take = [&](std::set<std::string>* into) {
    for (int i = 0; i < 1000; ++i) into->insert(environment.random_bytes(kNonce));
  };
  std::thread other([&] { take(&by_other); });
  take(&given);
  other.join();
  given.merge(by_other);
  EXPECT_EQ(given.size(), 2000u);
  EXPECT_EQ(environment.random_bytes(100'000).size(), 100'000u);
  EXPECT_EQ(environment.random_bytes(0), "");
}

// Both have what was fetched before, and neither gives it out again.
TEST(Environment, AForkGivesOutNothingThatItsParentDoes) {
  const Environment environment = SystemEnvironment();
  environment.random_bytes(kNonce);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  const std::string given = environment.random_bytes(kNonce);
  if (child == 0) _exit(write(ends[1], given.data(), given.size()) == kNonce ? 0 : 1);
  std::string by_child(kNonce, '\0');
  EXPECT_EQ(read(ends[0], by_child.data(), by_child.size()), static_cast<ssize_t>(kNonce));
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_NE(given, by_child);
  for (const int end : ends) close(end);
}

}  // namespace
}  // namespace zhibu
