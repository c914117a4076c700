#include "client-core/c/call.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "absl/strings/numbers.h"
#include "client-core/c/open_store.h"
#include "client-core/c/told.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

void Empty(zhibu_out* out) {
  if (out != nullptr) *out = {nullptr, 0};
}

// False: there is no memory.
bool Give(absl::string_view bytes, zhibu_out* out) {
  if (out == nullptr || bytes.empty()) return true;
  auto* data = static_cast<uint8_t*>(std::malloc(bytes.size()));
  if (data == nullptr) return false;
  std::memcpy(data, bytes.data(), bytes.size());
  *out = {data, bytes.size()};
  return true;
}

int32_t Tell(const absl::Status& status, zhibu_out* error) {
  if (error != nullptr) Give(Bytes(ErrorOf(status)), error);
  return static_cast<int32_t>(status.code());
}

int32_t Answered(const Answer& answer, zhibu_out* reply, zhibu_out* error) {
  if (!answer.ok()) return Tell(answer.status(), error);
  if (!Give(*answer, reply)) throw std::bad_alloc();
  return 0;
}

}  // namespace

int32_t Call(zhibu_out* reply, zhibu_out* error, absl::FunctionRef<Answer()> body) noexcept {
  Empty(reply);
  Empty(error);
  // Where even the words of an error find no memory, the code says enough.
  try {
    try {
      return Answered(body(), reply, error);
    } catch (const std::bad_alloc&) {
      return Tell(absl::ResourceExhaustedError("memory"), error);
    } catch (const std::exception& thrown) {
      return Tell(absl::InternalError(thrown.what()), error);
    }
  } catch (...) {
    return static_cast<int32_t>(absl::StatusCode::kInternal);
  }
}

std::string Bytes(const google::protobuf::MessageLite& message) {
  return message.SerializePartialAsString();
}

absl::StatusOr<absl::string_view> BytesIn(zhibu_in in) {
  if (in.size == 0) return absl::string_view("", 0);
  if (in.data == nullptr || in.size > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError("no such bytes");
  }
  return absl::string_view(reinterpret_cast<const char*>(in.data), in.size);
}

absl::Status ReadInto(zhibu_in in, google::protobuf::MessageLite* message) {
  ASSIGN_OR_RETURN(const absl::string_view bytes, BytesIn(in));
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return Refuse(sync::v1::MALFORMED, message->GetTypeName());
}

absl::StatusOr<Id> IdIn(absl::string_view bytes) {
  const std::optional<Id> id = Id::FromBytes(bytes);
  if (!id) return Refuse(sync::v1::MALFORMED, "id");
  return *id;
}

absl::StatusOr<Id> IdIn(zhibu_in in) {
  ASSIGN_OR_RETURN(const absl::string_view bytes, BytesIn(in));
  return IdIn(bytes);
}

absl::StatusOr<absl::CivilDay> DayIn(const std::string& text) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day)) return Refuse(sync::v1::BAD_VALUE, text);
  return day;
}

absl::Status NotOpen() {
  return absl::InvalidArgumentError("the handle is closed, or is of something else");
}

int32_t OnStore(zhibu_handle store, zhibu_out* reply, zhibu_out* error,
                absl::FunctionRef<Answer(Store&)> body) noexcept {
  return Call(reply, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    Answer answer = body(open->store());
    // Closed on another thread meanwhile: that is no sleep of the app's.
    const bool asleep = ReasonOf(answer.status()).reason == sync::v1::SUSPENDED;
    if (asleep && !Opened<OpenStore>(store).ok()) return NotOpen();
    return answer;
  });
}

absl::StatusOr<const RecordType*> TypeIn(const Store& store, absl::string_view name) {
  uint32_t number = 0;
  const RecordType* type = absl::SimpleAtoi(name, &number) ? store.schema().Find(number)
                                                           : store.schema().FindByName(name);
  for (const RecordType& known : store.schema().types()) {
    if (type == nullptr && known.label == name) type = &known;
  }
  if (type == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, name);
  return type;
}

Answer CommitDraft(Store& store, absl::StatusOr<Draft> draft) {
  RETURN_IF_ERROR(draft.status());
  ASSIGN_OR_RETURN(const EditNumber number, store.Commit({&*draft}));
  api::v1::Committed committed;
  committed.set_number(number.value);
  committed.add_ids(draft->id().str());
  return Bytes(committed);
}

}  // namespace zhibu::client
