#include "glue.h"

#include <pthread.h>
#include <stdlib.h>

static JavaVM* vm;
static jclass exceptions; /* ZhibuException */
static jmethodID refused;
static jclass listeners; /* Events */
static jmethodID notify;
static jmethodID over;
static pthread_key_t attached; /* threads of the core's that Java knows */

/* ---- Bytes ---- */

static void throw_new(JNIEnv* env, const char* exception, const char* about) {
  jclass found = (*env)->FindClass(env, exception);
  if (found != NULL) (*env)->ThrowNew(env, found, about);
}

bool lend(JNIEnv* env, int count, const jbyteArray* given, zhibu_in* lent) {
  for (int i = 0; i < count; ++i) {
    uint8_t* copy = NULL;
    if (given[i] == NULL) {
      throw_new(env, "java/lang/NullPointerException", "bytes");
    } else {
      lent[i].size = (size_t)(*env)->GetArrayLength(env, given[i]);
      copy = malloc(lent[i].size + 1);
      if (copy == NULL) throw_new(env, "java/lang/OutOfMemoryError", "bytes");
    }
    if (copy == NULL) {
      take_back(i, lent);
      return false;
    }
    (*env)->GetByteArrayRegion(env, given[i], 0, (jsize)lent[i].size, (jbyte*)copy);
    lent[i].data = copy;
  }
  return true;
}

/* One of them may have been a key. */
void take_back(int count, const zhibu_in* lent) {
  for (int i = 0; i < count; ++i) {
    volatile uint8_t* copy = (volatile uint8_t*)lent[i].data;
    for (size_t at = 0; at < lent[i].size; ++at) copy[at] = 0;
    free((void*)lent[i].data);
  }
}

/* NULL: out of memory, and an exception is pending. */
static jbyteArray array_of(JNIEnv* env, zhibu_out* out) {
  jbyteArray array = (*env)->NewByteArray(env, (jsize)out->size);
  if (array != NULL) {
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)out->size, (const jbyte*)out->data);
  }
  zhibu_free(out);
  return array;
}

static void throw_refused(JNIEnv* env, int32_t code, zhibu_out* error) {
  jbyteArray why = array_of(env, error);
  if (why == NULL) return;
  jobject exception = (*env)->CallStaticObjectMethod(env, exceptions, refused, code, why);
  if (!(*env)->ExceptionCheck(env)) (*env)->Throw(env, exception);
}

jbyteArray answer(JNIEnv* env, int32_t code, zhibu_out* out, zhibu_out* error) {
  if (code == 0) return array_of(env, out);
  throw_refused(env, code, error);
  return NULL;
}

jlong opened(JNIEnv* env, int32_t code, zhibu_handle handle, zhibu_out* error) {
  done(env, code, error);
  return (jlong)handle;
}

void done(JNIEnv* env, int32_t code, zhibu_out* error) {
  if (code != 0) throw_refused(env, code, error);
}

bool put(JNIEnv* env, jobjectArray beside, int32_t code, zhibu_out* out) {
  if (code != 0) return true;
  jbyteArray array = array_of(env, out);
  if (array != NULL) (*env)->SetObjectArrayElement(env, beside, 0, array);
  return !(*env)->ExceptionCheck(env);
}

/* ---- Events: the core calls from a thread of its own ---- */

static void detach(void* env) {
  (void)env;
  (*vm)->DetachCurrentThread(vm);
}

/* Of this thread, which is made known to Java once and taken leave of when it ends. */
static JNIEnv* env_here(void) {
  JNIEnv* env = NULL;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_6) == JNI_OK) return env;
  JavaVMAttachArgs as = {JNI_VERSION_1_6, "zhibu-events", NULL};
#ifdef __ANDROID__
  JNIEnv** place = &env;
#else
  void** place = (void**)&env;
#endif
  if ((*vm)->AttachCurrentThreadAsDaemon(vm, place, &as) != JNI_OK) return NULL;
  pthread_setspecific(attached, env);
  return env;
}

/* Java's side lets no exception out. */
static void tell(void* listener, jmethodID what) {
  JNIEnv* env = env_here();
  if (env == NULL) return;
  (*env)->CallStaticVoidMethod(env, listeners, what, (jobject)listener);
  if ((*env)->ExceptionCheck(env)) (*env)->ExceptionClear(env);
}

static void on_notify(void* listener) { tell(listener, notify); }

static void on_over(void* listener) {
  tell(listener, over);
  JNIEnv* env = env_here();
  if (env != NULL) (*env)->DeleteGlobalRef(env, (jobject)listener);
}

static jlong events_open(JNIEnv* env, jclass type, jlong store, jobject listener) {
  (void)type;
  jobject kept = (*env)->NewGlobalRef(env, listener);
  if (kept == NULL) {
    throw_new(env, "java/lang/OutOfMemoryError", "global references");
    return 0;
  }
  zhibu_handle events = 0;
  zhibu_out error = {NULL, 0};
  const int32_t code =
      zhibu_events_open((zhibu_handle)store, on_notify, kept, on_over, &events, &error);
  if (code != 0) (*env)->DeleteGlobalRef(env, kept);
  return opened(env, code, events, &error);
}

/* ---- The library ---- */

static jint abi_version(JNIEnv* env, jclass type) {
  (void)env, (void)type;
  return (jint)zhibu_abi_version();
}

static jlong live(JNIEnv* env, jclass type) {
  (void)env, (void)type;
  return (jlong)zhibu_live();
}

static const JNINativeMethod kByHand[] = {
    {"abiVersion", "()I", (void*)abi_version},
    {"live", "()J", (void*)live},
    {"eventsOpen", "(JLzhibu/client/Events$Listener;)J", (void*)events_open},
};

/* NULL: an exception is pending. */
static jclass find(JNIEnv* env, const char* name) {
  jclass found = (*env)->FindClass(env, name);
  return found == NULL ? NULL : (*env)->NewGlobalRef(env, found);
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* loaded_by, void* reserved) {
  (void)reserved;
  vm = loaded_by;
  JNIEnv* env = NULL;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  jclass natives = NULL;
  if (pthread_key_create(&attached, detach) != 0 ||
      (exceptions = find(env, "zhibu/client/ZhibuException")) == NULL ||
      (refused = (*env)->GetStaticMethodID(env, exceptions, "of",
                                           "(I[B)Lzhibu/client/ZhibuException;")) == NULL ||
      (listeners = find(env, "zhibu/client/Events")) == NULL ||
      (notify = (*env)->GetStaticMethodID(env, listeners, "notify",
                                          "(Lzhibu/client/Events$Listener;)V")) == NULL ||
      (over = (*env)->GetStaticMethodID(env, listeners, "over",
                                        "(Lzhibu/client/Events$Listener;)V")) == NULL ||
      (natives = (*env)->FindClass(env, "zhibu/client/Native")) == NULL ||
      (*env)->RegisterNatives(env, natives, kFunctions, kFunctionCount) != JNI_OK ||
      (*env)->RegisterNatives(env, natives, kByHand, sizeof kByHand / sizeof *kByHand) != JNI_OK) {
    return JNI_ERR;
  }
  return JNI_VERSION_1_6;
}
