#include "client-core/js/native/glue.h"

static napi_value Live(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value live = NULL;
  CHECKED(napi_create_bigint_uint64(env, zhibu_live(), &live));
  return live;
}

static napi_value AbiVersion(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value version = NULL;
  CHECKED(napi_create_uint32(env, zhibu_abi_version(), &version));
  return version;
}

static void Define(napi_env env, napi_value exports, const char* name, napi_callback callback,
                   const void* data) {
  napi_value function = NULL;
  CHECKED(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, (void*)data, &function));
  CHECKED(napi_set_named_property(env, exports, name, function));
}

NAPI_MODULE_INIT() {
  for (size_t i = 0; i < kFunctionCount; ++i) {
    Define(env, exports, kFunctions[i].name, CallFunction, &kFunctions[i]);
  }
  Define(env, exports, "zhibu_events_open", OpenEvents, NULL);
  Define(env, exports, "zhibu_live", Live, NULL);
  Define(env, exports, "zhibu_abi_version", AbiVersion, NULL);
  return exports;
}
