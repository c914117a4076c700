/* What every native method needs: bytes lent to the core for a call, what it gives taken into
 * Java's arrays, and an error made an exception. */
#ifndef ZHIBU_CLIENT_CORE_JVM_GLUE_H_
#define ZHIBU_CLIENT_CORE_JVM_GLUE_H_

#include <jni.h>
#include <stdbool.h>

#include "client-core/c/zhibu.h"

/* False: nothing is lent, and an exception is pending. */
bool lend(JNIEnv* env, int count, const jbyteArray* given, zhibu_in* lent);
void take_back(int count, const zhibu_in* lent);

/* Each frees what the core gave, and throws where `code` is not 0. */
jbyteArray answer(JNIEnv* env, int32_t code, zhibu_out* out, zhibu_out* error);
jlong opened(JNIEnv* env, int32_t code, zhibu_handle handle, zhibu_out* error);
void done(JNIEnv* env, int32_t code, zhibu_out* error);

/* Bytes that came with a handle, as the first of `beside`. False: they found no place, an exception
 * is pending, and the handle is nobody's. */
bool put(JNIEnv* env, jobjectArray beside, int32_t code, zhibu_out* out);

/* Made by glue.py from the header. */
extern const JNINativeMethod kFunctions[];
extern const int kFunctionCount;

#endif /* ZHIBU_CLIENT_CORE_JVM_GLUE_H_ */
