#include "tests/e2e/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <vector>

namespace zhibu::e2e {
namespace {

sockaddr_in Loopback(int port, const std::string& host = "127.0.0.1") {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

void SendAll(int to, const char* data, ssize_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, data, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the other end has gone; its reads will tell
    data += sent;
    size -= sent;
  }
}

}  // namespace

Proxy::Proxy(int server_port, const std::string& from) : server_port_(server_port), from_(from) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wake_ = eventfd(0, EFD_CLOEXEC);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || wake_ < 0 ||
      bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("proxy: no socket");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Work(); });
}

Proxy::~Proxy() {
  stopped_ = true;
  eventfd_write(wake_, 1);
  thread_.join();
  close(listener_);
  close(wake_);
}

void Proxy::After(int64_t bytes, Trouble trouble) {
  trouble_ = trouble;
  passed_ = 0;
  left_ = bytes;
  eventfd_write(wake_, 1);  // what stalls is looked at again
}

void Proxy::Work() {
  struct Pair {
    int ends[2];
  };
  std::vector<Pair> pairs;
  const auto drop = [](Pair& pair) {
    for (int& end : pair.ends) close(end), end = -1;
  };
  while (!stopped_) {
    const bool stalls = left_ <= 0 && trouble_ == Trouble::kStall;
    if (left_ <= 0 && trouble_ == Trouble::kCut) std::for_each(pairs.begin(), pairs.end(), drop);
    std::erase_if(pairs, [](const Pair& pair) { return pair.ends[0] < 0; });
    std::vector<pollfd> files = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      for (const int end : pair.ends)
        files.push_back({end, static_cast<short>(stalls ? 0 : POLLIN), 0});
    }
    poll(files.data(), files.size(), -1);
    eventfd_t count;
    if (files[1].revents != 0) eventfd_read(wake_, &count);
    for (size_t i = 2; i < files.size(); ++i) {
      Pair& pair = pairs[(i - 2) / 2];
      if (files[i].revents == 0 || pair.ends[0] < 0) continue;
      char buffer[4096];
      const int64_t room = std::min<int64_t>(left_, sizeof(buffer));
      if (room <= 0 && (files[i].revents & (POLLHUP | POLLERR)) == 0) continue;
      const ssize_t size =
          recv(files[i].fd, buffer, static_cast<size_t>(std::max<int64_t>(room, 1)), 0);
      if (size <= 0 || room <= 0) {
        drop(pair);
        continue;
      }
      left_ -= size;
      passed_ += size;
      SendAll(files[i].fd == pair.ends[0] ? pair.ends[1] : pair.ends[0], buffer, size);
    }
    if ((files[0].revents & POLLIN) != 0) {
      Pair pair = {{accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC),
                    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}};
      const sockaddr_in own = Loopback(0, from_);
      const sockaddr_in address = Loopback(server_port_);
      if (bind(pair.ends[1], reinterpret_cast<const sockaddr*>(&own), sizeof(own)) == 0 &&
          connect(pair.ends[1], reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
              0) {
        pairs.push_back(pair);
        ++connections_;
      } else {
        drop(pair);
      }
    }
  }
  std::for_each(pairs.begin(), pairs.end(), drop);
}

}  // namespace zhibu::e2e
