// A screen on loopback, as a browser, another program of this machine and another page have it.
#include "client-core/screen/screen.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "client-core/screen/access.h"
#include "client-core/screen/functions.h"
#include "tests/support/world.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::client {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Page kTestPages[] = {{"/", "text/html; charset=utf-8", "<p>支部</p>"}};

class ScreenTest : public ::testing::Test {
 protected:
  ~ScreenTest() override { Stop(); }

  void Start(int64_t idle_ms = 0) {
    auto opened = Store::Open({.file = directory.NewFile(),
                               .environment = SystemEnvironment(),
                               .key = std::string(test::kPhoneKey)});
    ASSERT_TRUE(opened.ok()) << opened.status();
    store = *std::move(opened);
    screen = std::make_unique<Screen>(
        store.get(), kTestPages,
        ScreenOptions{.idle_ms = idle_ms, .syncs = false, .on_address = [&](const auto& address) {
                        absl::MutexLock lock(&mutex);
                        addresses.push_back(address);
                      }});
    thread = std::thread([this] { EXPECT_EQ(screen->Run(), absl::OkStatus()); });
    const std::vector<std::string> parts = absl::StrSplit(Address(0), '#');
    origin = parts[0].substr(0, parts[0].size() - 1);
    token = parts[1];
  }
  void Stop() {
    if (screen != nullptr) screen->Stop();
    if (thread.joinable()) thread.join();
    screen = nullptr;
  }
  // The number-th that was told.
  std::string Address(size_t number) {
    absl::MutexLock lock(&mutex);
    const auto told = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return addresses.size() > number;
    };
    mutex.Await(absl::Condition(&told));
    return addresses[number];
  }

  httplib::Result Post(const std::string& path, const std::string& body,
                       httplib::Headers headers = {}) {
    httplib::Client client(origin);
    if (headers.count("Origin") == 0) headers.emplace("Origin", origin);
    if (!cookie.empty()) headers.emplace("Cookie", cookie);
    return client.Post(path, headers, body, "application/octet-stream");
  }
  httplib::Result Get(const std::string& path, httplib::Headers headers = {}) {
    httplib::Client client(origin);
    if (!cookie.empty()) headers.emplace("Cookie", cookie);
    return client.Get(path, headers);
  }
  int Enter() {
    const auto answer = Post("/token", token);
    const std::string set = answer->get_header_value("Set-Cookie");
    cookie = set.substr(0, set.find(';'));
    return answer->status;
  }

  test::Directory directory;
  std::unique_ptr<Store> store;
  std::unique_ptr<Screen> screen;
  std::thread thread;
  absl::Mutex mutex;
  std::vector<std::string> addresses ABSL_GUARDED_BY(mutex);
  std::string origin, token, cookie;
};

TEST_F(ScreenTest, WhoeverHasTheAddressAsksTheCoreByBytes) {
  Start();
  EXPECT_EQ(Post("/core/zhibu_state", "")->status, 401);
  ASSERT_EQ(Enter(), 204);
  const auto answer = Post("/core/zhibu_state", "");
  ASSERT_EQ(answer->status, 200);
  api::v1::State state;
  ASSERT_TRUE(state.ParseFromString(answer->body));
  EXPECT_EQ(state.today().size(), 10u);
  const auto refused = Post("/core/zhibu_identity", "");
  EXPECT_EQ(refused->status, 404);
  api::v1::Error why;
  ASSERT_TRUE(why.ParseFromString(refused->body));
  EXPECT_THAT(why.words_zh(), Not(IsEmpty()));
  for (const char* name : {"zhibu_close", "zhibu_rekey", "zhibu_open", "zhibu_session_open", "x"}) {
    EXPECT_EQ(Post(absl::StrCat("/core/", name), "")->status, 404) << name;
  }
}

TEST_F(ScreenTest, PagesAreNotPackedForEachRequestWhateverTheBrowserTakes) {
  Start();
  const auto answer = Get("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_FALSE(answer->has_header("Content-Encoding"));
  EXPECT_EQ(answer->body, kTestPages[0].body);
}

TEST_F(ScreenTest, ATokenIsGoodOnceAndForNothingElse) {
  Start();
  EXPECT_EQ(Post("/token", "")->status, 401);
  EXPECT_EQ(Post("/token", std::string(64, '0'))->status, 401);
  const std::string spent = token;
  ASSERT_EQ(Enter(), 204);
  EXPECT_THAT(cookie, StartsWith("zhibu-"));
  cookie.clear();
  EXPECT_EQ(Post("/token", spent)->status, 401);
  cookie = absl::StrCat("zhibu-", origin.substr(origin.rfind(':') + 1), "=", spent);
  EXPECT_EQ(Post("/core/zhibu_state", "")->status, 401);
}

TEST_F(ScreenTest, TheCookieIsOutOfReachOfPages) {
  Start();
  const auto answer = Post("/token", token);
  const std::string set = answer->get_header_value("Set-Cookie");
  for (const char* part : {"HttpOnly", "SameSite=Strict", "Path=/"}) {
    EXPECT_THAT(set, HasSubstr(part));
  }
}

TEST_F(ScreenTest, AnotherNameThatLeadsHereIsRefusedWhateverItAsks) {
  Start();
  Enter();
  for (const char* host : {"evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"}) {
    EXPECT_EQ(Get("/", {{"Host", host}})->status, 403) << host;
    EXPECT_EQ(Post("/core/zhibu_state", "", {{"Host", host}})->status, 403) << host;
    EXPECT_EQ(Post("/token", token, {{"Host", host}})->status, 403) << host;
  }
}

TEST_F(ScreenTest, AnotherPageInTheSameBrowserIsRefused) {
  Start();
  Enter();
  for (const std::string& other :
       {std::string("http://evil.example"), std::string("null"), std::string("http://127.0.0.1:1"),
        absl::StrCat("https", origin.substr(4)), absl::StrCat(origin, ".evil.example")}) {
    EXPECT_EQ(Post("/core/zhibu_state", "", {{"Origin", other}})->status, 403) << other;
    EXPECT_EQ(Get("/events", {{"Origin", other}})->status, 403) << other;
  }
  EXPECT_EQ(Post("/core/zhibu_state", "", {{"Origin", ""}})->status, 403) << "it must be said";
  EXPECT_EQ(Post("/core/zhibu_state", "", {{"Sec-Fetch-Site", "cross-site"}})->status, 403);
  EXPECT_EQ(Get("/", {{"Sec-Fetch-Site", "same-site"}})->status, 403);
  EXPECT_EQ(Get("/", {{"Sec-Fetch-Site", "none"}})->status, 200) << "typed into the address bar";
  httplib::Client client(origin);
  EXPECT_EQ(client.Options("/core/zhibu_state", {{"Origin", "http://evil.example"}})->status, 403);
}

TEST_F(ScreenTest, EveryAnswerSaysThatNothingComesFromElsewhereAndNothingIsKept) {
  Start();
  for (const auto& answer : {Get("/"), Post("/core/zhibu_state", ""), Get("/nothing")}) {
    EXPECT_THAT(answer->get_header_value("Content-Security-Policy"),
                StartsWith("default-src 'self'"));
    EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
    EXPECT_EQ(answer->get_header_value("X-Frame-Options"), "DENY");
    EXPECT_FALSE(answer->has_header("Access-Control-Allow-Origin"));
  }
}

TEST_F(ScreenTest, NobodyThereForAWhileLocksItAndThereIsAnotherAddress) {
  Start(/*idle_ms=*/1200);
  Enter();
  // What a page asks by itself keeps nothing open.
  absl::Time until = absl::Now() + absl::Milliseconds(1000);
  while (absl::Now() < until) {
    EXPECT_EQ(Post("/core/zhibu_state", "", {{"Zhibu-By-Itself", "1"}})->status, 200);
    absl::SleepFor(absl::Milliseconds(200));
  }
  const std::string next = Address(1);
  EXPECT_EQ(Post("/core/zhibu_state", "")->status, 401);
  token = next.substr(next.find('#') + 1);
  cookie.clear();
  ASSERT_EQ(Enter(), 204);
  EXPECT_EQ(Post("/core/zhibu_state", "")->status, 200);
}

TEST_F(ScreenTest, AnEventSaysThatThereIsSomethingToAskFor) {
  Start();
  EXPECT_EQ(Get("/events")->status, 401);
  Enter();
  std::string heard;
  absl::Notification opened;
  std::thread listener([&] {
    httplib::Client client(origin);
    client.set_read_timeout(20);
    client.Get("/events", {{"Cookie", cookie}}, [&](const char* data, size_t size) {
      heard.append(data, size);
      if (!opened.HasBeenNotified()) opened.Notify();
      return !absl::StrContains(heard, "data: ");
    });
  });
  opened.WaitForNotification();
  EXPECT_EQ(Post("/core/zhibu_preferences_keep", "")->status, 200);
  listener.join();
  EXPECT_THAT(heard, HasSubstr("data: "));
}

TEST_F(ScreenTest, ItEndsWhileSomebodyListens) {
  Start();
  Enter();
  std::thread listener([&] {
    httplib::Client client(origin);
    client.Get("/events", {{"Cookie", cookie}}, [](const char*, size_t) { return true; });
  });
  absl::SleepFor(absl::Milliseconds(100));
  Stop();
  listener.join();
}

// ---- What pages may call -------------------------------------------------------------

TEST(Functions, NoneOpensClosesOrGivesAHandle) {
  for (const char* name : {"zhibu_open", "zhibu_close", "zhibu_suspend", "zhibu_resume",
                           "zhibu_rekey", "zhibu_events_open", "zhibu_watch_open",
                           "zhibu_session_open", "zhibu_enrol_open", "zhibu_free", ""}) {
    EXPECT_EQ(FindFunction(name), nullptr) << name;
  }
  EXPECT_NE(FindFunction("zhibu_get"), nullptr);
}

}  // namespace
}  // namespace zhibu::client
