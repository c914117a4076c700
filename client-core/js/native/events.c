#include <stdlib.h>

#include "client-core/js/native/glue.h"

/* A bell that a thread of the core's rings and that is heard on the main thread. It is freed there,
 * once the core has let go of it and its opening has been told of, in whichever order. */
typedef struct Bell {
  int held;
  napi_threadsafe_function rings;
  zhibu_handle store;
  zhibu_handle events;
  int32_t code;
  zhibu_out error;
  napi_deferred deferred;
  napi_async_work work;
} Bell;

/* Many happenings may be one ring: one that is waiting to be heard is enough. */
static void Ring(void* user) {
  napi_call_threadsafe_function(((Bell*)user)->rings, NULL, napi_tsfn_nonblocking);
}

/* Rings that were not heard yet are not heard any more. */
static void LetGo(void* user) {
  napi_release_threadsafe_function(((Bell*)user)->rings, napi_tsfn_abort);
}

static void Hear(napi_env env, napi_value listener, void* context, void* data) {
  (void)context;
  (void)data;
  if (env == NULL) return;
  napi_value undefined = NULL;
  if (napi_get_undefined(env, &undefined) != napi_ok) return;
  napi_call_function(env, undefined, listener, 0, NULL, NULL);
}

/* The process ends, or a worker does: no thread of the core's may ring after that. */
static void EndOfProcess(void* data) { zhibu_events_close(((Bell*)data)->events, NULL); }

static void Drop(Bell* bell) {
  if (--bell->held == 0) free(bell);
}

static void OnLetGo(napi_env env, void* data, void* hint) {
  (void)hint;
  napi_remove_env_cleanup_hook(env, EndOfProcess, data);
  Drop(data);
}

static void Execute(napi_env env, void* data) {
  (void)env;
  Bell* bell = data;
  bell->code = zhibu_events_open(bell->store, Ring, bell, LetGo, &bell->events, &bell->error);
}

static void Complete(napi_env env, napi_status status, void* data) {
  (void)status;
  Bell* bell = data;
  napi_value answer = NULL;
  if (bell->code == 0) {
    napi_create_bigint_uint64(env, bell->events, &answer);
  } else {
    answer = BufferOf(env, &bell->error);
    LetGo(bell);
  }
  Answer(env, bell->deferred, bell->code, answer);
  napi_delete_async_work(env, bell->work);
  Drop(bell);
}

napi_value OpenEvents(napi_env env, napi_callback_info info) {
  napi_value given[2], name = NULL, promise = NULL;
  size_t count = 2;
  zhibu_handle store = 0;
  CHECKED(napi_get_cb_info(env, info, &count, given, NULL, NULL));
  if (!HandleFrom(env, given[0], &store)) return NULL;
  Bell* bell = malloc(sizeof *bell);
  if (bell == NULL) abort();
  *bell = (Bell){.held = 2, .store = store};
  CHECKED(napi_create_string_utf8(env, "zhibu_events_open", NAPI_AUTO_LENGTH, &name));
  if (napi_create_threadsafe_function(env, given[1], NULL, name, 1, 1, bell, OnLetGo, NULL, Hear,
                                      &bell->rings) != napi_ok) {
    free(bell);
    napi_throw_type_error(env, NULL, "a bell is a function");
    return NULL;
  }
  CHECKED(napi_add_env_cleanup_hook(env, EndOfProcess, bell));
  CHECKED(napi_create_promise(env, &bell->deferred, &promise));
  CHECKED(napi_create_async_work(env, NULL, name, Execute, Complete, bell, &bell->work));
  CHECKED(napi_queue_async_work(env, bell->work));
  return promise;
}
