// An app that has the same messages by a protobuf of its own, and two libraries that each brought
// the core along: all of it in one process, and none disturbs another.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "client-core/c/zhibu.h"
#include "zhibu/api/v1/api.pb.h"

namespace {

namespace fs = std::filesystem;

zhibu_in In(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

// A copy of the library by itself, as a framework of an app would bring it.
class Copy {
 public:
  explicit Copy(const fs::path& path) {
    fs::copy_file(ZHIBU_CORE_FILE, path);
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library_, nullptr) << dlerror();
  }

  template <typename Function>
  Function* Get(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(library_, name));
  }

  // Records something in a store of its own, and gives what it says of it.
  zhibu::api::v1::State Record(const std::string& file) const {
    zhibu::api::v1::OpenOptions options;
    options.set_file(file);
    zhibu_handle store = 0;
    EXPECT_EQ(Get<decltype(zhibu_open)>("zhibu_open")(In(options.SerializeAsString()),
                                                      In(std::string(32, 'k')), &store, nullptr),
              0);
    zhibu_out out = {nullptr, 0};
    zhibu_out body = {nullptr, 0};
    EXPECT_EQ(Get<decltype(zhibu_new)>("zhibu_new")(store, In("Meeting"), &out, nullptr), 0);
    EXPECT_EQ(Get<decltype(zhibu_from_json)>("zhibu_from_json")(
                  In("Meeting"), In(R"({"branchId": "AAAAAAAAAAAAAAAAAAAAAQ=="})"), &body, nullptr),
              0);
    EXPECT_EQ(Get<decltype(zhibu_save)>("zhibu_save")(store, {out.data, out.size},
                                                      {body.data, body.size}, nullptr, nullptr),
              0);
    const auto release = Get<decltype(zhibu_free)>("zhibu_free");
    release(&out);
    release(&body);
    zhibu::api::v1::State state;
    EXPECT_EQ(Get<decltype(zhibu_state)>("zhibu_state")(store, &out, nullptr), 0);
    EXPECT_TRUE(state.ParseFromArray(out.data, static_cast<int>(out.size)));
    release(&out);
    EXPECT_EQ(Get<decltype(zhibu_close)>("zhibu_close")(store, nullptr), 0);
    EXPECT_EQ(Get<decltype(zhibu_live)>("zhibu_live")(), 0u);
    return state;
  }

 private:
  void* library_ = nullptr;
};

TEST(Core, TwoCopiesLiveBesideAnAppsOwnProtobuf) {
  std::string name = fs::temp_directory_path() / "zhibu-core-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  {
    const Copy one(folder / "libone.so");
    const Copy other(folder / "libother.so");
    EXPECT_EQ(one.Record(folder / "one.db").unsent(), 1u);
    EXPECT_EQ(other.Record(folder / "other.db").unsent(), 1u);
    EXPECT_EQ(one.Record(folder / "one.db").unsent(), 2u);
  }
  EXPECT_EQ(zhibu::api::v1::State::descriptor()->full_name(), "zhibu.api.v1.State");
  fs::remove_all(folder);
}

}  // namespace
