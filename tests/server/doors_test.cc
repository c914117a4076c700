// Which connection ends where there are too many. The sockets are real: what ends is seen at
// the other end.
#include "server/net/doors.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>

#include "absl/strings/str_cat.h"

namespace zhibu::server {
namespace {

struct Caller {
  Caller() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Caller() {
    close(ends[0]);
    close(ends[1]);
  }
  Caller(const Caller&) = delete;
  bool Ended() const {
    pollfd one = {ends[1], POLLIN, 0};
    return poll(&one, 1, 0) > 0;
  }
  int ends[2] = {-1, -1};  // the server's, and its own
  Peer peer;
};

class DoorsTest : public ::testing::Test {
 protected:
  DoorsTest() { doors_.Open(8); }

  Caller& Arrive(const std::string& address) {
    Caller& caller = callers_.emplace_back();
    caller.peer = {address, absl::StrCat(address, ":", callers_.size())};
    let_in_ = doors_.Arrive(caller.peer, caller.ends[0]);
    return caller;
  }

  Doors doors_;
  bool let_in_ = false;
  std::deque<Caller> callers_;
};

TEST_F(DoorsTest, StrangersPushOutStrangersAndNeverADevice) {
  Caller& device = Arrive("10.0.0.1");
  doors_.Prove(device.peer);
  for (int i = 0; i < 100; ++i) {
    Arrive(absl::StrCat("10.1.0.", i));
    EXPECT_TRUE(let_in_);
  }
  EXPECT_FALSE(device.Ended());
  for (size_t i = 1; i < callers_.size(); ++i) {
    EXPECT_EQ(callers_[i].Ended(), i + 7 < callers_.size()) << i;
  }
}

TEST_F(DoorsTest, OneAddressHasAShareAndTheOthersGoOn) {
  Caller& other = Arrive("10.0.0.1");
  for (int i = 0; i < 100; ++i) Arrive("10.1.0.1");
  EXPECT_FALSE(other.Ended());
  EXPECT_TRUE(let_in_);
  EXPECT_FALSE(callers_.back().Ended()) << "whoever comes last may be a phone behind it";
  EXPECT_FALSE(callers_[callers_.size() - 4].Ended());
  EXPECT_TRUE(callers_[callers_.size() - 5].Ended());
}

TEST_F(DoorsTest, DevicesBehindOneAddressAreNoStrangers) {
  for (int i = 0; i < 8; ++i) doors_.Prove(Arrive("10.1.0.1").peer);
  for (const Caller& caller : callers_) EXPECT_FALSE(caller.Ended());
  Arrive("10.0.0.1");
  EXPECT_FALSE(let_in_) << "there is no room at all";
  doors_.Leave(callers_.front().peer);
  Arrive("10.0.0.1");
  EXPECT_TRUE(let_in_);
  EXPECT_TRUE(callers_.front().Ended()) << "it has no stream any more";
}

TEST_F(DoorsTest, WhatHasEndedMeanwhileIsNotEndedAgainUnderAnothersNumber) {
  Caller& gone = Arrive("10.0.0.1");
  close(gone.ends[0]);
  Caller fresh;  // gets the number
  ASSERT_EQ(fresh.ends[0], gone.ends[0]);
  for (int i = 0; i < 8; ++i) Arrive(absl::StrCat("10.1.0.", i));
  EXPECT_FALSE(fresh.Ended());
  gone.ends[0] = -1;
}

TEST_F(DoorsTest, AnAddressIsSpeltOneWay) {
  using asio::ip::make_address;
  using asio::ip::tcp;
  const auto same = [](const char* address, const char* grpc, const char* share) {
    const Peer own = PeerOf(tcp::endpoint(make_address(address), 4711));
    EXPECT_EQ(own.endpoint, PeerOf(grpc).endpoint);
    EXPECT_EQ(own.address, share);
    EXPECT_EQ(PeerOf(grpc).address, share);
  };
  same("10.0.0.7", "ipv4:10.0.0.7:4711", "10.0.0.7");
  same("::ffff:10.0.0.7", "ipv4:10.0.0.7:4711", "10.0.0.7");
  same("2001:db8:1:2:3::7", "ipv6:%5B2001:db8:1:2:3::7%5D:4711", "2001:db8:1:2::");
  same("::1", "ipv6:%5B::1%5D:4711", "::");
  EXPECT_EQ(PeerOf("unix:/tmp/x").endpoint, "");
}

}  // namespace
}  // namespace zhibu::server
