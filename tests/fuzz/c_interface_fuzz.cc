// An app that calls anything of the C interface with any bytes, on handles that are open, closed,
// or never were. What must hold: nobody crashes; a call that fails gives nothing but an error that
// can be read; what is open is counted; and the file opens again afterwards.
#include "tests/fuzz/choices.h"
#include "tests/support/c_phone.h"

namespace zhibu::test {
namespace {

using google::protobuf::Message;

class App {
 public:
  explicit App(Choices* in) : in_(*in) { handles_ = {0, 1, phone_.store()}; }

  void Act() {
    switch (in_.Below(8)) {
      case 0:
        return Open();
      case 1:
        return Sleep();
      case 2:
        return Talk();
      case 3:
        return Save();
      default:
        return Ask();
    }
  }

  // As it was left.
  void Reopen() {
    EXPECT_EQ(zhibu_resume(phone_.store(), nullptr), 0);
    const uint64_t unsent = phone_.State().unsent();
    EXPECT_EQ(zhibu_suspend(phone_.store(), nullptr), 0);
    EXPECT_EQ(zhibu_resume(phone_.store(), nullptr), 0);
    EXPECT_EQ(phone_.State().unsent(), unsent);
  }

 private:
  using OnHandle = int32_t (*)(zhibu_handle, zhibu_out*, zhibu_out*);
  using WithBytes = int32_t (*)(zhibu_handle, zhibu_in, zhibu_out*, zhibu_out*);

  zhibu_handle AHandle() {
    return in_.Below(8) == 7 ? in_.Number()
                             : handles_[in_.Below(static_cast<uint32_t>(handles_.size()))];
  }

  template <typename Call>
  std::string Try(Call call) {
    Given given;
    const int32_t code = call(&given.out, &given.error);
    if (code != 0) {
      EXPECT_EQ(given.bytes(), "");
      EXPECT_EQ(given.why().code(), code);
      EXPECT_NE(given.why().words_zh(), "");
    }
    return given.bytes();
  }

  // What a function may be given: a message of its own kind, what another has given, or anything.
  std::string SomeBytes() {
    switch (in_.Below(4)) {
      case 0:
        return std::string(in_.Bytes());
      case 1:
        return seen_;
      case 2:
        return in_.AnId().str();
      default:
        return AMessage();
    }
  }
  std::string AMessage() {
    static const google::protobuf::FileDescriptor& api = *api::v1::Error::descriptor()->file();
    const auto* of = api.message_type(
        static_cast<int>(in_.Below(static_cast<uint32_t>(api.message_type_count()))));
    const std::unique_ptr<Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(of)->New());
    in_.Fill(message.get());
    NameType(message.get());
    return message->SerializePartialAsString();
  }
  // What the core knows by name or has given out is hardly ever hit upon.
  void NameType(Message* message) {
    for (const char* name : {"type", "seen"}) {
      const auto* field = message->GetDescriptor()->FindFieldByName(name);
      if (field == nullptr || field->cpp_type() != field->CPPTYPE_STRING || in_.Coin()) continue;
      message->GetReflection()->SetString(message, field, name[0] == 't' ? AType().name : seen_);
    }
    if (auto* edit = dynamic_cast<api::v1::EditRequest*>(message)) {
      for (auto& item : *edit->mutable_items()) item.set_seen(seen_);
    }
  }
  const RecordType& AType() {
    const auto& types = CatalogueSchema()->types();
    return types[in_.Below(static_cast<uint32_t>(types.size()))];
  }

  void Open() {
    zhibu_handle handle = 0;
    const std::string bytes = SomeBytes();
    const zhibu_handle store = AHandle();
    switch (in_.Below(5)) {
      case 0:
        Try([&](auto*, auto* error) {
          return zhibu_session_open(store, In(bytes), &handle, error);
        });
        break;
      case 1:
        Try([&](auto*, auto* error) {
          return zhibu_events_open(
              store, [](void*) {}, nullptr, nullptr, &handle, error);
        });
        break;
      case 2:
        Try([&](auto* out, auto* error) {
          return zhibu_enrol_open(store, In(bytes), &handle, out, error);
        });
        break;
      case 3:
        Try([&](auto*, auto* error) { return zhibu_watch_open(store, In(bytes), &handle, error); });
        break;
      default:
        return Close();
    }
    if (handle != 0) handles_.push_back(handle);
  }

  void Close() {
    static constexpr int32_t (*kClose[])(zhibu_handle, zhibu_out*) = {
        zhibu_session_close, zhibu_events_close, zhibu_enrol_close, zhibu_watch_close};
    const auto close = kClose[in_.Below(std::size(kClose))];
    Try([&](auto*, auto* error) { return close(AHandle(), error); });
  }

  void Sleep() {
    const bool on = in_.Coin();
    Try([&](auto*, auto* error) {
      return on ? zhibu_resume(phone_.store(), error) : zhibu_suspend(phone_.store(), error);
    });
  }

  void Save() {
    seen_ = Try([&](auto* out, auto* error) {
      return zhibu_new(phone_.store(), In(AType().name), out, error);
    });
    const std::string body = in_.Body(AType());
    Try([&](auto* out, auto* error) {
      return zhibu_save(phone_.store(), In(in_.Coin() ? seen_ : SomeBytes()), In(body), out, error);
    });
  }

  // A session, by a mover and a server that do as they like.
  void Talk() {
    const zhibu_handle session = AHandle();
    sync::v1::ServerFrame frame;
    in_.Fill(&frame);
    const std::string bytes = in_.Coin() ? frame.SerializePartialAsString() : SomeBytes();
    switch (in_.Below(6)) {
      case 0:
        Try([&](auto*, auto* error) { return zhibu_session_connected(session, error); });
        return;
      case 1:
        Try([&](auto*, auto* error) { return zhibu_session_ended(session, In(bytes), error); });
        return;
      case 2:
        Try([&](auto*, auto* error) { return zhibu_session_ask(session, In(bytes), error); });
        return;
      case 3:
        Try([&](auto*, auto* error) { return zhibu_enrol_reply(session, In(bytes), error); });
        return;
      case 4:
        Try([&](auto*, auto* error) { return zhibu_session_hurry(session, error); });
        return;
      default:
        Try([&](auto*, auto* error) { return zhibu_session_receive(session, In(bytes), error); });
    }
  }

  void Ask() {
    static constexpr OnHandle kAsk[] = {
        zhibu_state,      zhibu_identity,       zhibu_unsent,        zhibu_set_aside,
        zhibu_held,       zhibu_conflicts,      zhibu_parcel_export, zhibu_events_next,
        zhibu_watch_next, zhibu_session_advice, zhibu_session_next,  zhibu_session_page,
        zhibu_offices,    zhibu_sketches,       zhibu_preferences};
    static constexpr WithBytes kTell[] = {zhibu_get,
                                          zhibu_new,
                                          zhibu_list,
                                          zhibu_commit,
                                          zhibu_try,
                                          zhibu_names,
                                          zhibu_search,
                                          zhibu_edit_words,
                                          zhibu_due,
                                          zhibu_sketch_keep,
                                          zhibu_stay_step,
                                          zhibu_transfer_step,
                                          zhibu_pair_step,
                                          zhibu_amend,
                                          zhibu_held_take,
                                          zhibu_held_return,
                                          zhibu_conflict_settle,
                                          zhibu_check_in_show,
                                          zhibu_check_in_scan,
                                          zhibu_check_in_by_hand,
                                          zhibu_pass_issue,
                                          zhibu_pass_revoke,
                                          zhibu_pass_show,
                                          zhibu_pass_verify,
                                          zhibu_parcel_receive};
    const zhibu_handle handle = in_.Coin() ? phone_.store() : AHandle();
    if (in_.Coin()) {
      const OnHandle ask = kAsk[in_.Below(std::size(kAsk))];
      Try([&](auto* out, auto* error) { return ask(handle, out, error); });
      return;
    }
    const WithBytes tell = kTell[in_.Below(std::size(kTell))];
    const std::string bytes = SomeBytes();
    const std::string given =
        Try([&](auto* out, auto* error) { return tell(handle, In(bytes), out, error); });
    if (api::v1::Row row; row.ParseFromString(given) && !row.seen().empty()) seen_ = row.seen();
    Try([&](auto*, auto* error) {
      return (in_.Coin() ? zhibu_sketch_drop : zhibu_preferences_keep)(handle, In(bytes), error);
    });
    Try([&](auto* out, auto* error) { return zhibu_codes(In(bytes), out, error); });
    Try([&](auto* out, auto* error) {
      return zhibu_to_json(In(AType().name), In(bytes), out, error);
    });
    Try([&](auto* out, auto* error) {
      return zhibu_from_json(In(AType().name), In(bytes), out, error);
    });
  }

  Choices& in_;
  Directory directory_;
  CPhone phone_{directory_.NewFile()};
  std::vector<zhibu_handle> handles_;
  std::string seen_;
};

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu::test;
  const uint64_t before = zhibu_live();
  {
    Choices in(data, size, {*zhibu::Id::FromBytes(std::string(16, 'b'))});
    App app(&in);
    while (!in.done()) app.Act();
    app.Reopen();
  }
  EXPECT_EQ(zhibu_live(), before);
  return 0;
}
