// What the server gives one device, and all peers together. Each is an option of `zhibu serve`
// (server/cli/serve.cc) and is told in docs/operating.md.
#ifndef ZHIBU_SERVER_SESSIONS_LIMITS_H_
#define ZHIBU_SERVER_SESSIONS_LIMITS_H_

namespace zhibu::server {

struct Limits {
  int message_bytes_max = 4 << 20;
  // Frames of streams, with devices that can (docs/wire.md, Compressed frames).
  bool compress = true;
  // Of all that is on its way to or from devices. gRPC looks at a message's size only
  // once it has all of it; this is what ends a peer that sends without end.
  int network_bytes_max = 512 << 20;
  // One more ends the oldest that no device has proved to be its own. So does, of one
  // address (of IPv6: a network of 64 bits), one more than half as many that are not proven.
  int connections_max = 10'000;
  // One more ends the oldest of the device: a phone that has lost its link comes
  // back while its old stream still seems to live.
  int streams_per_device_max = 4;
  // Streams that have not proved yet whose they are, whoever opened them. One more
  // ends the oldest: a flood of strangers does not shut the door on a device, which
  // needs two round trips to prove itself.
  int streams_unproven_max = 4000;
  int handshake_seconds_max = 20;
  // A device that sends more is read from no faster. What it has not used counts
  // for up to ten seconds, so that what was recorded in months offline goes at once.
  int edits_per_second = 1000;
  // Edits of one stream that wait to be committed; while there are more, the
  // stream is not read from.
  int backlog_bytes_max = 4 << 20;
  // Of all streams together. Of a device that has edits waiting no more is read once they are
  // half of this, or about a second of work; of one that has none, once they are all of it.
  int backlog_bytes_all_max = 256 << 20;
  // For a device to take one update; what it has not taken is all that is kept for it.
  int unread_seconds_max = 300;
  // A device that has not been in contact for longer must be authenticated by a new
  // code; 0: never.
  int reauthenticate_days = 180;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_LIMITS_H_
