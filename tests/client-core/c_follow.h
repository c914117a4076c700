/* How an app follows a session: whatever moves its bytes is behind four functions. */
#ifndef ZHIBU_TESTS_CLIENT_CORE_C_FOLLOW_H_
#define ZHIBU_TESTS_CLIENT_CORE_C_FOLLOW_H_

#include "client-core/c/zhibu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What moves frames: a stream of gRPC, a WebSocket, a test. */
struct mover {
  void* self;
  /* Opens the stream that `advice` names, closing the one there is. 0: it is open. */
  int (*connect)(void* self, zhibu_in advice);
  int (*send)(void* self, zhibu_in frame); /* 0: it is on its way */
  /* 1: `frame` has come, and lives until the next call; 0: nothing more for now; -1: the end. */
  int (*receive)(void* self, zhibu_in* frame);
  /* Why the stream ended: a zhibu.api.v1.StreamEnd. */
  zhibu_in (*end)(void* self);
};

/* Until there is nothing to do but wait, or the end; what that is, as Advice.What. */
int follow(zhibu_handle session, const struct mover* mover, zhibu_out* advice);

#ifdef __cplusplus
}
#endif

#endif /* ZHIBU_TESTS_CLIENT_CORE_C_FOLLOW_H_ */
