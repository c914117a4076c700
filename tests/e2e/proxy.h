// A bad link: passes bytes between a device and its server, until it does not.
#ifndef ZHIBU_TESTS_E2E_PROXY_H_
#define ZHIBU_TESTS_E2E_PROXY_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

namespace zhibu::e2e {

class Proxy {
 public:
  // `from`: the loopback address as which the server sees it.
  explicit Proxy(int server_port, const std::string& from = "127.0.0.1");
  Proxy(const Proxy&) = delete;  // a thread holds its address
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  int port() const { return port_; }
  // Where every connection goes that is made from now on.
  void To(int server_port) { server_port_ = server_port; }

  enum class Trouble {
    kCut,    // the connection is closed
    kStall,  // it stays open and nothing comes through
  };
  // Every connection made from now on, and those that are open, pass `bytes`
  // more in all, counted in both directions together.
  void After(int64_t bytes, Trouble trouble);
  void Heal() { After(std::numeric_limits<int64_t>::max(), Trouble::kCut); }
  int64_t passed() const { return passed_; }        // since After
  int connections() const { return connections_; }  // ever made

 private:
  void Work();

  std::atomic<int> server_port_;
  const std::string from_;
  int listener_ = -1;
  int wake_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_ = false;
  std::atomic<int64_t> left_ = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> passed_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<Trouble> trouble_ = Trouble::kCut;
  std::thread thread_;
};

}  // namespace zhibu::e2e

#endif  // ZHIBU_TESTS_E2E_PROXY_H_
