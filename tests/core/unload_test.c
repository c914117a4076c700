/* A thread that unloads the library, as Node does with a worker's and Java with a class loader's,
 * and ends after that.   unload_test LIBRARY FILE */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client-core/c/zhibu.h"

static char** arguments;

static zhibu_in text(const char* words) {
  zhibu_in in = {(const uint8_t*)words, strlen(words)};
  return in;
}
static void nothing(void* user) { (void)user; }

static void* works(void* unused) {
  (void)unused;
  char options[512] = "\x0a"; /* OpenOptions.file */
  options[1] = (char)strlen(arguments[2]);
  strcpy(options + 2, arguments[2]);
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return arguments;
  int32_t (*open)(zhibu_in, zhibu_in, zhibu_handle*, zhibu_out*);
  int32_t (*listen)(zhibu_handle, void (*)(void*), void*, void (*)(void*), zhibu_handle*,
                    zhibu_out*);
  int32_t (*close)(zhibu_handle, zhibu_out*);
  *(void**)&open = dlsym(library, "zhibu_open");
  *(void**)&listen = dlsym(library, "zhibu_events_open");
  *(void**)&close = dlsym(library, "zhibu_close");
  zhibu_handle store = 0, events = 0;
  if (open(text(options), text("0123456789abcdef0123456789abcdef"), &store, NULL) != 0 ||
      listen(store, nothing, NULL, nothing, &events, NULL) != 0 || close(store, NULL) != 0) {
    return arguments;
  }
  dlclose(library);
  return NULL;
}

int main(int argc, char** argv) {
  pthread_t thread;
  void* failed = NULL;
  arguments = argv;
  if (argc != 3 || strlen(argv[2]) > 127) return 2;
  if (pthread_create(&thread, NULL, works, NULL) != 0) return 2;
  pthread_join(thread, &failed);
  printf("%s\n", failed == NULL ? "the thread has ended" : "it could not be used");
  return failed != NULL;
}
