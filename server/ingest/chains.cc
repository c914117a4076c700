#include "server/ingest/chains.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/wire/wire.h"

namespace zhibu::server {

std::string ChainAfter(absl::string_view before, const AuditRow& row) {
  std::string link(before);
  wire::AppendVarintField(1, row.device.value, &link);
  wire::AppendVarintField(2, row.number.value, &link);
  wire::AppendVarintField(3, static_cast<uint64_t>(row.received_ms), &link);
  wire::AppendVarintField(4, row.stamp.value, &link);
  wire::AppendBytesField(5, row.edit, &link);
  wire::AppendBytesField(6, row.answer.SerializeAsString(), &link);
  wire::AppendVarintField(7, row.version.value, &link);
  // A row from before these were written down has none of them, and its chain as it was.
  if (row.author != row.device) wire::AppendVarintField(8, row.author.value, &link);
  if (!row.decided_by.empty()) wire::AppendBytesField(9, row.decided_by.bytes(), &link);
  for (const uint64_t below : row.builds_on) wire::AppendVarintField(10, below, &link);
  if (row.withdrawn) wire::AppendVarintField(11, 1, &link);
  if (row.sent.value > 0) wire::AppendVarintField(12, row.sent.value, &link);
  for (const uint64_t base : row.bases) wire::AppendVarintField(13, base, &link);
  return Digest(link);
}

absl::StatusOr<DeviceState*> Chains::StateOf(DeviceNumber number) {
  const auto [it, fresh] = devices_.try_emplace(number);
  DeviceState& device = it->second;
  if (!fresh) return &device;
  ASSIGN_OR_RETURN(std::optional<DeviceRow> row, work_.writer.GetDevice(number));
  if (!row) return Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(number.value));
  device.row = *std::move(row);
  if (device.row.last_number.value > 0) {
    // A damaged edit at its head breaks no chain.
    ASSIGN_OR_RETURN(const auto chain, work_.writer.GetChain(number, device.row.last_number));
    ASSIGN_OR_RETURN(const auto last, work_.writer.GetVerdict(number, device.row.last_number));
    if (!chain || !last)
      return absl::DataLossError(
          absl::StrCat("audit: device ", number.value, ": last row missing"));
    device.chain = *chain;
    device.link = last->link;
  }
  return &device;
}

absl::Status Chains::Record(AuditRow* row, DeviceState* device) {
  REQUIRE(row->device == device->row.number);
  REQUIRE(row->number.value == device->row.last_number.value + 1);
  if (attempts_ > 0) undo_.emplace_back(device->row.number, *device);
  device->dirty = true;
  row->received_ms = work_.environment.now_ms();
  row->chain = ChainAfter(device->chain, *row);
  RETURN_IF_ERROR(work_.writer.AppendAudit(*row));
  device->chain = row->chain;
  device->link = LinkTo(row->edit);
  device->row.last_number = row->number;
  return absl::OkStatus();
}

// What follows from the edit may have taken numbers meanwhile.
absl::Status Chains::RecordInOwnChain(AuditRow* row) {
  ASSIGN_OR_RETURN(DeviceState * own, StateOf(work_.own_chain));
  row->number = EditNumber(own->row.last_number.value + 1);
  row->answer.set_number(row->number.value);
  return Record(row, own);
}

size_t Chains::Begin() {
  ++attempts_;
  return undo_.size();
}

void Chains::End(size_t begun, bool keep) {
  --attempts_;
  for (; !keep && undo_.size() > begun; undo_.pop_back()) {
    devices_[undo_.back().first] = std::move(undo_.back().second);
  }
  if (attempts_ == 0) undo_.clear();
}

absl::Status Chains::Finish() {
  for (const auto& [number, device] : devices_) {
    if (device.dirty) RETURN_IF_ERROR(work_.writer.PutDevice(device.row));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
