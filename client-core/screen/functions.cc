#include "client-core/screen/functions.h"

#include <map>

namespace zhibu::client {
namespace {

zhibu_in In(absl::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

std::string Taken(zhibu_out* out) {
  const std::string bytes =
      out->size == 0 ? "" : std::string(reinterpret_cast<const char*>(out->data), out->size);
  zhibu_free(out);
  return bytes;
}

template <typename Call>
Result Done(Call call) {
  zhibu_out reply = {nullptr, 0};
  zhibu_out error = {nullptr, 0};
  Result result;
  result.code = call(&reply, &error);
  const std::string given = Taken(&reply);
  const std::string why = Taken(&error);
  result.bytes = result.code == 0 ? given : why;
  return result;
}

// By what a function takes beside the store, and whether it gives anything.
Function Asking(int32_t (*function)(zhibu_handle, zhibu_in, zhibu_out*, zhibu_out*)) {
  return [function](zhibu_handle store, absl::string_view body) {
    return Done([&](auto* reply, auto* error) { return function(store, In(body), reply, error); });
  };
}
Function Telling(int32_t (*function)(zhibu_handle, zhibu_out*, zhibu_out*)) {
  return [function](zhibu_handle store, absl::string_view) {
    return Done([&](auto* reply, auto* error) { return function(store, reply, error); });
  };
}
Function Doing(int32_t (*function)(zhibu_handle, zhibu_in, zhibu_out*)) {
  return [function](zhibu_handle store, absl::string_view body) {
    return Done([&](auto*, auto* error) { return function(store, In(body), error); });
  };
}

std::map<std::string, Function, std::less<>> MakeTable() {
  std::map<std::string, Function, std::less<>> table;
#define ASKING(name) table[#name] = Asking(&name)
#define TELLING(name) table[#name] = Telling(&name)
#define DOING(name) table[#name] = Doing(&name)
  TELLING(zhibu_state);
  TELLING(zhibu_identity);
  TELLING(zhibu_offices);
  ASKING(zhibu_get);
  ASKING(zhibu_new);
  ASKING(zhibu_list);
  ASKING(zhibu_commit);
  ASKING(zhibu_try);
  ASKING(zhibu_names);
  ASKING(zhibu_search);
  ASKING(zhibu_edit_words);
  ASKING(zhibu_due);
  ASKING(zhibu_sketch_keep);
  TELLING(zhibu_sketches);
  DOING(zhibu_sketch_drop);
  TELLING(zhibu_preferences);
  DOING(zhibu_preferences_keep);
  ASKING(zhibu_stay_step);
  ASKING(zhibu_transfer_step);
  ASKING(zhibu_pair_step);
  TELLING(zhibu_unsent);
  TELLING(zhibu_set_aside);
  ASKING(zhibu_amend);
  DOING(zhibu_discard);
  TELLING(zhibu_held);
  ASKING(zhibu_held_take);
  ASKING(zhibu_held_return);
  TELLING(zhibu_conflicts);
  ASKING(zhibu_conflict_settle);
  ASKING(zhibu_check_in_show);
  ASKING(zhibu_check_in_scan);
  ASKING(zhibu_check_in_by_hand);
  ASKING(zhibu_pass_issue);
  ASKING(zhibu_pass_revoke);
  ASKING(zhibu_pass_show);
  ASKING(zhibu_pass_verify);
  TELLING(zhibu_parcel_export);
  ASKING(zhibu_parcel_receive);
#undef ASKING
#undef TELLING
#undef DOING
  table["zhibu_schema"] = [](zhibu_handle, absl::string_view) {
    return Done([](auto* reply, auto* error) { return zhibu_schema(reply, error); });
  };
  table["zhibu_codes"] = [](zhibu_handle, absl::string_view body) {
    return Done([&](auto* reply, auto* error) { return zhibu_codes(In(body), reply, error); });
  };
  return table;
}

}  // namespace

const Function* FindFunction(absl::string_view name) {
  static const auto* const kTable = new std::map<std::string, Function, std::less<>>(MakeTable());
  const auto it = kTable->find(std::string(name));
  return it == kTable->end() ? nullptr : &it->second;
}

}  // namespace zhibu::client
