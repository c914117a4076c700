#include <stdlib.h>
#include <string.h>

#include "client-core/js/native/glue.h"

typedef struct Work {
  const Function* function;
  Call call;
  uint8_t* lent; /* a copy of what was handed in: the caller may write on theirs */
  int32_t code;
  napi_deferred deferred;
  napi_async_work work;
} Work;

bool HandleFrom(napi_env env, napi_value value, zhibu_handle* handle) {
  bool exact = false;
  if (napi_get_value_bigint_uint64(env, value, handle, &exact) == napi_ok && exact) return true;
  napi_throw_type_error(env, NULL, "a handle is a bigint");
  return false;
}

static bool BytesFrom(napi_env env, napi_value value, zhibu_in* bytes) {
  bool is = false;
  napi_typedarray_type type = napi_int8_array;
  void* data = NULL;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is &&
      napi_get_typedarray_info(env, value, &type, &bytes->size, &data, NULL, NULL) == napi_ok &&
      type == napi_uint8_array) {
    bytes->data = data;
    return true;
  }
  napi_throw_type_error(env, NULL, "bytes are a Uint8Array");
  return false;
}

napi_value BufferOf(napi_env env, zhibu_out* bytes) {
  napi_value buffer = NULL;
  napi_create_buffer_copy(env, bytes->size, bytes->size == 0 ? "" : (void*)bytes->data, NULL,
                          &buffer);
  zhibu_free(bytes);
  return buffer;
}

void Answer(napi_env env, napi_deferred deferred, int32_t code, napi_value answer) {
  if (answer == NULL) return;
  if (code == 0) {
    napi_resolve_deferred(env, deferred, answer);
  } else {
    napi_reject_deferred(env, deferred, answer);
  }
}

static void Lend(Work* work) {
  zhibu_in* in = work->call.in;
  work->lent = malloc(in[0].size + in[1].size + 1);
  if (work->lent == NULL) abort();
  size_t at = 0;
  for (int i = 0; i < 2; ++i) {
    if (in[i].size > 0) memcpy(work->lent + at, in[i].data, in[i].size);
    in[i].data = work->lent + at;
    at += in[i].size;
  }
}

/* One of them may have been a key. */
static void TakeBack(Work* work) {
  volatile uint8_t* lent = work->lent;
  for (size_t i = 0; i < work->call.in[0].size + work->call.in[1].size; ++i) lent[i] = 0;
  free(work->lent);
}

static void Execute(napi_env env, void* data) {
  (void)env;
  Work* work = data;
  work->code = work->function->call(&work->call);
}

static napi_value Given(napi_env env, Work* work) {
  napi_value handle = NULL, bytes = NULL, both = NULL;
  if (work->function->opens) napi_create_bigint_uint64(env, work->call.opened, &handle);
  if (work->function->gives_bytes) bytes = BufferOf(env, &work->call.out);
  if (handle == NULL && bytes == NULL) napi_get_undefined(env, &both);
  if (handle == NULL || bytes == NULL) return handle ? handle : bytes ? bytes : both;
  if (napi_create_array_with_length(env, 2, &both) != napi_ok) return NULL;
  napi_set_element(env, both, 0, handle);
  napi_set_element(env, both, 1, bytes);
  return both;
}

static void Complete(napi_env env, napi_status status, void* data) {
  (void)status;
  Work* work = data;
  Answer(env, work->deferred, work->code,
         work->code == 0 ? Given(env, work) : BufferOf(env, &work->call.error));
  napi_delete_async_work(env, work->work);
  TakeBack(work);
  free(work);
}

napi_value CallFunction(napi_env env, napi_callback_info info) {
  napi_value given[3];
  size_t count = 3;
  void* function = NULL;
  CHECKED(napi_get_cb_info(env, info, &count, given, NULL, &function));
  Call call = {0};
  size_t at = 0;
  const Function* of = function;
  if (of->takes_handle && !HandleFrom(env, given[at++], &call.handle)) return NULL;
  for (int i = 0; i < of->takes_bytes; ++i) {
    if (!BytesFrom(env, given[at++], &call.in[i])) return NULL;
  }
  Work* work = malloc(sizeof *work);
  if (work == NULL) abort();
  *work = (Work){.function = of, .call = call};
  Lend(work);
  napi_value promise = NULL, name = NULL;
  CHECKED(napi_create_promise(env, &work->deferred, &promise));
  CHECKED(napi_create_string_utf8(env, of->name, NAPI_AUTO_LENGTH, &name));
  CHECKED(napi_create_async_work(env, NULL, name, Execute, Complete, work, &work->work));
  CHECKED(napi_queue_async_work(env, work->work));
  return promise;
}
