/* An app of thirty lines: it opens its store, records a meeting without a network, and lists what
 * it has.   c_sample FILE */
#include <stdio.h>
#include <string.h>

#include "client-core/c/zhibu.h"

static zhibu_in text(const char* words) {
  zhibu_in in = {(const uint8_t*)words, strlen(words)};
  return in;
}
static zhibu_in lent(zhibu_out out) {
  zhibu_in in = {out.data, out.size};
  return in;
}

int main(int argc, char** argv) {
  /* The platform keeps the key: Keychain, Keystore. */
  const zhibu_in key = {(const uint8_t*)"0123456789abcdef0123456789abcdef", 32};
  zhibu_handle store = 0;
  zhibu_out options = {0}, seen = {0}, body = {0}, query = {0}, rows = {0}, json = {0}, error = {0};
  char file[512];
  if (argc != 2) return 2;
  snprintf(file, sizeof file, "{\"file\": \"%s\"}", argv[1]);

  int code = zhibu_from_json(text("zhibu.api.v1.OpenOptions"), text(file), &options, &error);
  if (code == 0) code = zhibu_open(lent(options), key, &store, &error);

  /* A new meeting; durable once zhibu_save has returned. */
  const char* meeting = "{\"branchId\": \"AAAAAAAAAAAAAAAAAAAAAQ==\", \"topic\": \"七月党员大会\"}";
  if (code == 0) code = zhibu_new(store, text("Meeting"), &seen, &error);
  if (code == 0) code = zhibu_from_json(text("Meeting"), text(meeting), &body, &error);
  if (code == 0) code = zhibu_save(store, lent(seen), lent(body), NULL, &error);

  const char* wanted = "{\"type\": \"Meeting\", \"json\": true}";
  if (code == 0) code = zhibu_from_json(text("zhibu.api.v1.Query"), text(wanted), &query, &error);
  if (code == 0) code = zhibu_list(store, lent(query), &rows, &error);
  if (code == 0) code = zhibu_to_json(text("zhibu.api.v1.Rows"), lent(rows), &json, &error);

  if (code != 0) zhibu_to_json(text("zhibu.api.v1.Error"), lent(error), &json, NULL);
  printf("%.*s\n", (int)json.size, (const char*)json.data);
  zhibu_close(store, NULL);
  zhibu_out* const all[] = {&options, &seen, &body, &query, &rows, &json, &error};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) zhibu_free(all[i]);
  return code != 0 || zhibu_live() != 0;
}
