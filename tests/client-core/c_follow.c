#include "tests/client-core/c_follow.h"

#include <stdlib.h>

static zhibu_in lent(const zhibu_out* out) {
  zhibu_in in = {out->data, out->size};
  return in;
}

/* Advice.what: its first field, one byte. 1 CONNECT, 2 WAIT, 3 SEND, 4 IDLE, 5 DONE, 6 STOP. */
static int what(const zhibu_out* advice) { return advice->size < 2 ? 0 : advice->data[1]; }

static void send_next(zhibu_handle session, const struct mover* mover) {
  zhibu_out frame = {NULL, 0};
  if (zhibu_session_next(session, &frame, NULL) == 0 && frame.size > 0 &&
      mover->send(mover->self, lent(&frame)) != 0) {
    zhibu_session_ended(session, mover->end(mover->self), NULL);
  }
  zhibu_free(&frame);
}

/* False: nothing came. */
static int receive_next(zhibu_handle session, const struct mover* mover) {
  zhibu_in frame = {NULL, 0};
  const int came = mover->receive(mover->self, &frame);
  if (came > 0) zhibu_session_receive(session, frame, NULL);
  if (came < 0) zhibu_session_ended(session, mover->end(mover->self), NULL);
  return came != 0;
}

int follow(zhibu_handle session, const struct mover* mover, zhibu_out* advice) {
  for (;;) {
    zhibu_free(advice);
    if (zhibu_session_advice(session, advice, NULL) != 0) return 0; /* it has been closed */
    switch (what(advice)) {
      case 1:
        if (mover->connect(mover->self, lent(advice)) == 0) {
          zhibu_session_connected(session, NULL);
        } else {
          zhibu_session_ended(session, mover->end(mover->self), NULL);
        }
        break;
      case 3:
        send_next(session, mover);
        break;
      case 4:
        if (!receive_next(session, mover)) return 4;
        break;
      default:
        return what(advice);
    }
  }
}
