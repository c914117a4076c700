#include "tests/support/c_phone.h"

#include "tests/client-core/c_follow.h"

namespace zhibu::test {

CPhone::CPhone(World* world, const std::string& file) : world_(world), file_(file) {
  api::v1::OpenOptions options;
  options.set_file(file_);
  Given given;
  EXPECT_EQ(zhibu_open(In(Bytes(options)), In(kPhoneKey), &store_, &given.error), 0)
      << given.why().ShortDebugString();
}

CPhone::CPhone(const std::string& file) : CPhone(nullptr, file) {}

CPhone::CPhone(World* world, const Id& person) : CPhone(world, world->directory().NewFile()) {
  Enrol(person);
}

CPhone::~CPhone() { zhibu_close(store_, nullptr); }

void CPhone::Enrol(const Id& person) {
  api::v1::EnrolOptions options;
  options.set_code(EnrolmentTicket{"server:7443", kServerFingerprint, "code"}.ToText());
  options.set_device_name("电话");
  zhibu_handle enrolment = 0;
  const auto call = Got<api::v1::EnrolCall>([&](auto* out, auto* error) {
    return zhibu_enrol_open(store_, In(Bytes(options)), &enrolment, out, error);
  });
  EXPECT_EQ(call.address(), "server:7443");
  sync::v1::EnrolRequest request;
  EXPECT_TRUE(request.ParseFromString(call.request()));
  const std::string reply = Bytes(world_->AnswerTo(request, person));
  Got([&](auto*, auto* error) { return zhibu_enrol_reply(enrolment, In(reply), error); });
  EXPECT_EQ(zhibu_enrol_close(enrolment, nullptr), 0);
}

api::v1::State CPhone::State() const {
  return Got<api::v1::State>(
      [&](auto* out, auto* error) { return zhibu_state(store_, out, error); });
}

api::v1::Row CPhone::Get(const std::string& type, const Id& id) const {
  api::v1::RecordRef ref;
  ref.set_type(type);
  ref.set_id(id.str());
  return Got<api::v1::Row>(
      [&](auto* out, auto* error) { return zhibu_get(store_, In(Bytes(ref)), out, error); });
}

api::v1::Rows CPhone::List(const std::string& type) const {
  api::v1::Query query;
  query.set_type(type);
  return Got<api::v1::Rows>(
      [&](auto* out, auto* error) { return zhibu_list(store_, In(Bytes(query)), out, error); });
}

api::v1::Committed CPhone::Save(const std::string& seen,
                                const google::protobuf::Message& body) const {
  return Got<api::v1::Committed>([&](auto* out, auto* error) {
    return zhibu_save(store_, In(seen), In(Bytes(body)), out, error);
  });
}

api::v1::Advice::What CPhone::Sync() { return Line(world_, store_).Follow(); }

bool CPhone::SyncCutAfter(int frames) {
  Line line(world_, store_);
  line.Follow(frames);
  return line.cut();
}

Line::Line(World* world, zhibu_handle store, bool once) : world_(*world) {
  api::v1::SessionOptions options;
  options.set_app("the test's app");
  options.set_once(once);
  EXPECT_EQ(zhibu_session_open(store, In(Bytes(options)), &session_, nullptr), 0);
}

Line::~Line() { zhibu_session_close(session_, nullptr); }

int Line::Connect() {
  ++connects_;
  server_.reset();
  if (offline) return -1;
  server_ = std::make_unique<server::Session>(&world_.store(), &world_.ingest(),
                                              world_.fate().environment(), world_.limits,
                                              &world_.heard());
  return 0;
}

// False: the stream is cut instead.
bool Line::TakeFrame() {
  if (server_ == nullptr) return false;
  if (frames_left_-- > 0) return true;
  cut_ = true;
  server_.reset();
  return false;
}

int Line::Send(zhibu_in frame) {
  if (!TakeFrame()) return -1;
  sync::v1::ClientFrame arrived;
  EXPECT_TRUE(arrived.ParseFromArray(frame.data, static_cast<int>(frame.size)));
  server_->OnFrame(arrived);
  const std::vector<server::Submitted> submitted = server_->TakeSubmitted();
  if (!submitted.empty()) server_->OnResults(world_.Commit(submitted));
  return 0;
}

int Line::Receive(zhibu_in* frame) {
  sync::v1::ServerFrame next;
  if (server_ == nullptr) return -1;
  if (!server_->Next(&next)) return 0;
  if (!TakeFrame()) return -1;
  received_ = next.SerializeAsString();
  *frame = In(received_);
  return 1;
}

api::v1::Advice::What Line::Follow(int frames) {
  frames_left_ = frames;
  cut_ = false;
  api::v1::StreamEnd end;
  end.set_code(static_cast<int>(absl::StatusCode::kUnavailable));
  end_ = end.SerializeAsString();
  const mover moves = {
      this, [](void* self, zhibu_in) { return static_cast<Line*>(self)->Connect(); },
      [](void* self, zhibu_in frame) { return static_cast<Line*>(self)->Send(frame); },
      [](void* self, zhibu_in* frame) { return static_cast<Line*>(self)->Receive(frame); },
      [](void* self) { return In(static_cast<Line*>(self)->end_); }};
  Given given;
  const int what = follow(session_, &moves, &given.out);
  advice_ = given.as<api::v1::Advice>();
  return static_cast<api::v1::Advice::What>(what);
}

}  // namespace zhibu::test
