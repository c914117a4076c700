// Calls somebody back on a thread of its own: they hold no lock that the core might wait for, and
// what they ask of the core waits for nobody who waits for them.
//
//   Notifier notifier([] { …something is there… }, [] { …no more… });
//   notifier.Ring();    // from any thread; several rings may be one call
//   notifier.Close();   // no call runs, and none comes; called from inside one: none after it
#ifndef ZHIBU_CLIENT_CORE_C_NOTIFIER_H_
#define ZHIBU_CLIENT_CORE_C_NOTIFIER_H_

#include <functional>
#include <memory>
#include <thread>

namespace zhibu::client {

class Notifier {
 public:
  // `over` is called once, after the last `notify`, on the same thread.
  Notifier(std::function<void()> notify, std::function<void()> over);
  ~Notifier() { Close(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void Ring();
  // Not from two threads at once.
  void Close();

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_NOTIFIER_H_
