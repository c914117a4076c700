// How fast a connection is read from, by what comes of what it sends:
//
//   bytes read ≤ kForNothing for each second + twice the bytes of messages that were in them
//
// A WebSocket's frames may be empty, and a message may come in frames of one byte; the library
// reads on over the empty ones by itself. Whoever sends those is read as slowly as this allows, and
// costs no more than others. It is a RatePolicy of Beast's streams.
#ifndef ZHIBU_SERVER_WEB_WORTH_H_
#define ZHIBU_SERVER_WEB_WORTH_H_

#include <algorithm>
#include <boost/beast/core/rate_policy.hpp>
#include <cstddef>
#include <limits>

namespace zhibu::server {

// On the strand of its stream.
class Worth {
 public:
  static constexpr size_t kForNothing = 256 << 10;

  // So much of a message has come.
  void Brought(size_t bytes) { left_ += 2 * bytes; }

 private:
  friend class boost::beast::rate_policy_access;

  // Names of Beast's.
  size_t available_read_bytes() const { return left_; }
  static size_t available_write_bytes() { return std::numeric_limits<size_t>::max(); }
  void transfer_read_bytes(size_t bytes) { left_ -= std::min(bytes, left_); }
  static void transfer_write_bytes(size_t /*bytes*/) {}
  void on_timer() { left_ = std::max(left_, kForNothing); }  // a second has gone by

  size_t left_ = kForNothing;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_WORTH_H_
