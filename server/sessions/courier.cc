#include "server/sessions/courier.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/feed/cursor.h"
#include "server/feed/incarnation.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"

namespace zhibu::server {
namespace {

using sync::v1::Bundle;
using sync::v1::Receipt;

// Nothing of it can be taken now; the receipt says why. Being brought is not being seen:
// anybody may bring what they have found.
absl::Status Judge(Reader& reader, const Bundle& bundle, const DeviceRow& device,
                   const Unseen& unseen, Receipt* receipt) {
  const int64_t unseen_ms = unseen.now_ms - device.last_seen_ms;
  if (!device.revoked() && unseen.ms_max > 0 && unseen_ms > unseen.ms_max) {
    receipt->mutable_refusal()->set_reason(sync::v1::REAUTHENTICATE);
    receipt->mutable_refusal()->set_detail(absl::StrCat(unseen_ms / kDayMs));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string incarnation, reader.GetSetting(kIncarnation));
  if (bundle.incarnation() != incarnation) {
    receipt->mutable_restored()->set_incarnation(incarnation);
    receipt->mutable_refusal()->set_reason(sync::v1::COURIER_RESTORED);
  } else if (!bundle.edits().empty() && bundle.edits(0).number() > device.last_number.value + 1) {
    receipt->mutable_refusal()->set_reason(sync::v1::COURIER_GAP);
    receipt->mutable_refusal()->set_detail(absl::StrCat(device.last_number.value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EnsureCourierKey(Store& store, const Environment& environment) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(kCourierKeySetting));
    if (!known.empty()) return absl::OkStatus();
    return writer.PutSetting(kCourierKeySetting, NewKeyPair(environment).secret_key);
  });
}

absl::StatusOr<std::string> CourierKeyOf(Reader& reader) {
  ASSIGN_OR_RETURN(const std::string secret_key, CourierSecretOf(reader));
  return secret_key.empty() ? "" : PublicKeyOf(secret_key);
}

absl::StatusOr<std::string> CourierSecretOf(Reader& reader) {
  return reader.GetSetting(kCourierKeySetting);
}

absl::StatusOr<Delivery> OpenBundle(Store& store, absl::string_view sealed, const Unseen& unseen) {
  Delivery delivery;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(delivery.secret_key, reader.GetSetting(kCourierKeySetting));
    ASSIGN_OR_RETURN(const sync::v1::Letter letter, Unseal(sealed, delivery.secret_key));
    Bundle bundle;
    if (!bundle.ParseFromString(letter.content())) {
      return Refuse(sync::v1::COURIER_DAMAGED, "");
    }
    const DeviceNumber number(bundle.device());
    ASSIGN_OR_RETURN(const auto device, reader.GetDevice(number));
    if (!device || device->of_server() ||
        !SignedBy(device->public_key, Cargo::kBundle, letter, PublicKeyOf(delivery.secret_key))) {
      return Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(number.value));
    }
    if (bundle.edits_size() > kBundleEditsMax) {
      return TooLarge("bundle", static_cast<size_t>(bundle.edits_size()), kBundleEditsMax, "edits");
    }
    delivery.device = device->record;
    delivery.public_key = device->public_key;
    delivery.receipt.set_device(bundle.device());
    delivery.receipt.set_incarnation(bundle.incarnation());
    RETURN_IF_ERROR(Judge(reader, bundle, *device, unseen, &delivery.receipt));
    if (delivery.receipt.has_refusal()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const CursorSeal seal, CursorSeal::Of(reader, device->person));
    const std::shared_ptr<const Sent> sent = SentBy(seal, bundle.cursors());
    for (auto& edit : *bundle.mutable_edits()) {
      delivery.edits.push_back({number, std::move(edit), sent});
    }
    return absl::OkStatus();
  }));
  return delivery;
}

absl::StatusOr<sync::v1::DeliverReply> ReplyTo(const Delivery& delivery,
                                               absl::Span<const Result> results) {
  Receipt receipt = delivery.receipt;
  for (size_t i = 0; i < results.size(); ++i) {
    const Result& result = results[i];
    if (!result.forked) {
      sync::v1::Answer& answer = *receipt.add_answers() = result.answer;
      answer.set_link(LinkTo(delivery.edits[i].edit.edit()));
    } else if (!receipt.has_refusal()) {
      receipt.mutable_refusal()->set_reason(sync::v1::COURIER_COPY);
      receipt.mutable_refusal()->set_detail(absl::StrCat(delivery.edits[i].edit.number()));
    }
  }
  sync::v1::DeliverReply reply;
  ASSIGN_OR_RETURN(*reply.mutable_receipt(), Seal(Cargo::kReceipt, receipt.SerializeAsString(),
                                                  delivery.secret_key, delivery.public_key));
  *reply.mutable_refusal() = receipt.refusal();
  return reply;
}

}  // namespace zhibu::server
