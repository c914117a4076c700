/* The C interface as functions of Node: bytes and handles in, a promise out. Every call runs on a
 * thread of the pool, so nothing waits on the main one. calls.c, made by glue.py, has the table. */
#ifndef ZHIBU_CLIENT_CORE_JS_NATIVE_GLUE_H_
#define ZHIBU_CLIENT_CORE_JS_NATIVE_GLUE_H_

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>

#include "client-core/c/zhibu.h"

/* What goes into a function and comes out of it, whichever of it that function has. */
typedef struct Call {
  zhibu_handle handle;
  zhibu_in in[2];
  zhibu_handle opened;
  zhibu_out out;
  zhibu_out error;
} Call;

typedef struct Function {
  const char* name;
  int32_t (*call)(Call* call);
  bool takes_handle;
  int takes_bytes; /* how many */
  bool opens;
  bool gives_bytes;
} Function;

extern const Function kFunctions[];
extern const size_t kFunctionCount;

/* A call of Node's own interface that fails only by a mistake of ours. */
#define CHECKED(call)                                                        \
  do {                                                                       \
    if ((call) != napi_ok) napi_fatal_error(#call, NAPI_AUTO_LENGTH, "", 0); \
  } while (0)

/* False: it is thrown why. */
bool HandleFrom(napi_env env, napi_value value, zhibu_handle* handle);
/* Takes `bytes`. */
napi_value BufferOf(napi_env env, zhibu_out* bytes);
/* Keeps a promise, or breaks it with the bytes of a zhibu.api.v1.Error. NULL: a process or worker
 * that ends takes no answers. */
void Answer(napi_env env, napi_deferred deferred, int32_t code, napi_value answer);

/* A function of Node that calls the Function which it was made with. */
napi_value CallFunction(napi_env env, napi_callback_info info);
/* zhibu_events_open(store, bell): `bell` is called on the main thread, and no more once a promise
 * of zhibu_events_close or zhibu_close is kept. */
napi_value OpenEvents(napi_env env, napi_callback_info info);

#endif /* ZHIBU_CLIENT_CORE_JS_NATIVE_GLUE_H_ */
