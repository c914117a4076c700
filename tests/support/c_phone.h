// A phone whose app is not written in C++: it knows the core by client-core/c/zhibu.h, and its
// frames are bytes that a test moves to the server of a World.
//
//   CPhone phone(&world, zhang);
//   const Id id = phone.Record<Meeting>([&](Meeting& m) { … });
//   EXPECT_EQ(phone.Sync(), api::v1::Advice::DONE);
#ifndef ZHIBU_TESTS_SUPPORT_C_PHONE_H_
#define ZHIBU_TESTS_SUPPORT_C_PHONE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client-core/c/zhibu.h"
#include "tests/support/world.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::test {

inline zhibu_in In(absl::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}
inline std::string Bytes(const google::protobuf::Message& message) {
  return message.SerializeAsString();
}

// What comes out of one call.
struct Given {
  zhibu_out out = {nullptr, 0};
  zhibu_out error = {nullptr, 0};

  Given() = default;
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;
  ~Given() {
    zhibu_free(&out);
    zhibu_free(&error);
  }
  static std::string TextOf(const zhibu_out& of) {
    return of.size == 0 ? "" : std::string(reinterpret_cast<const char*>(of.data), of.size);
  }
  std::string bytes() const { return TextOf(out); }
  api::v1::Error why() const {
    api::v1::Error read;
    EXPECT_TRUE(read.ParseFromString(TextOf(error)));
    return read;
  }
  template <typename T>
  T as() const {
    T read;
    EXPECT_TRUE(read.ParseFromString(bytes()));
    return read;
  }
};

// What a call gives that must succeed.
template <typename T = std::string, typename Call>
T Got(Call call) {
  Given given;
  const int32_t code = call(&given.out, &given.error);
  EXPECT_EQ(code, 0) << given.why().ShortDebugString();
  if constexpr (std::is_same_v<T, std::string>) {
    return given.bytes();
  } else {
    return given.as<T>();
  }
}
// Why one does not.
template <typename Call>
api::v1::Error Refused(Call call) {
  Given given;
  const int32_t code = call(&given.out, &given.error);
  EXPECT_NE(code, 0);
  EXPECT_EQ(given.bytes(), "");
  const api::v1::Error why = given.why();
  EXPECT_EQ(why.code(), code);
  EXPECT_NE(why.words_zh(), "");
  EXPECT_NE(why.words_en(), "");
  return why;
}

class CPhone {
 public:
  // Not enrolled.
  explicit CPhone(const std::string& file);
  CPhone(World* world, const Id& person);
  ~CPhone();
  CPhone(const CPhone&) = delete;
  CPhone& operator=(const CPhone&) = delete;

  zhibu_handle store() const { return store_; }
  const std::string& file() const { return file_; }
  api::v1::State State() const;

  template <typename T>
  Id Record(std::function<void(T&)> fill) {
    const std::string seen = Got([&](auto* out, auto* error) {
      return zhibu_new(store_, In(T::descriptor()->name()), out, error);
    });
    T record;
    fill(record);
    const auto done = Save(seen, record);
    return Id::FromBytes(done.ids(0)).value_or(Id());
  }
  api::v1::Row Get(const std::string& type, const Id& id) const;
  template <typename T>
  T As(const Id& id) const {
    T record;
    EXPECT_TRUE(record.ParseFromString(Get(T::descriptor()->name(), id).body()));
    return record;
  }
  api::v1::Rows List(const std::string& type) const;
  api::v1::Committed Save(const std::string& seen, const google::protobuf::Message& body) const;

  // With the world's server, until all is sent and received, or that has failed.
  api::v1::Advice::What Sync();
  // A session of so many frames, then the stream is cut. False where it needed fewer.
  bool SyncCutAfter(int frames);

 private:
  CPhone(World* world, const std::string& file);
  void Enrol(const Id& person);

  World* const world_ = nullptr;
  const std::string file_;
  zhibu_handle store_ = 0;
};

// A session of a phone's and the server's end of its stream.
class Line {
 public:
  Line(World* world, zhibu_handle store, bool once = true);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  zhibu_handle session() const { return session_; }
  // Until there is nothing to do but wait, or the end; or so many frames have passed, and then the
  // stream is cut.
  api::v1::Advice::What Follow(int frames = 1 << 30);
  const api::v1::Advice& advice() const { return advice_; }
  bool cut() const { return cut_; }
  int connects() const { return connects_; }
  // There is no network: nothing can be opened.
  bool offline = false;

 private:
  int Connect();
  int Send(zhibu_in frame);
  int Receive(zhibu_in* frame);
  bool TakeFrame();

  World& world_;
  zhibu_handle session_ = 0;
  std::unique_ptr<server::Session> server_;
  std::string received_;
  std::string end_;
  api::v1::Advice advice_;
  int frames_left_ = 0;
  int connects_ = 0;
  bool cut_ = false;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_C_PHONE_H_
