#include "server/exchange/said.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "zhibu/exchange/v1/said.pb.h"

namespace zhibu::server {
namespace {

constexpr int kParts = 256;
// In the place of a record type: the digest is of a row that was to make somebody new.
constexpr uint32_t kRow = 0;

std::string SettingOf(int part) { return absl::StrFormat("roster.said.%02x", part); }

uint8_t PartOf(const Id& member) { return static_cast<uint8_t>(member.str().back()); }

uint64_t DigestOf(absl::string_view value) {
  const std::string whole = Digest(value);
  uint64_t digest = 0;
  std::memcpy(&digest, whole.data(), sizeof(digest));
  return digest;
}

}  // namespace

absl::Status Said::Load(Reader& reader) {
  for (int part = 0; part < kParts; ++part) {
    ASSIGN_OR_RETURN(const std::string bytes, reader.GetSetting(SettingOf(part)));
    exchange::v1::Said said;
    if (!said.ParseFromString(bytes)) return absl::DataLossError(SettingOf(part));
    for (const auto& of : said.members()) {
      const auto member = Id::FromBytes(of.member_id());
      if (!member) continue;
      std::vector<Value>& values = members_[*member];
      for (const auto& value : of.values()) {
        values.push_back({value.type(), value.field(), value.digest()});
        if (value.type() == kRow) made_[value.digest()].push_back(*member);
      }
    }
  }
  return absl::OkStatus();
}

Said::Was Said::Find(const Id& member, uint32_t type, uint32_t field,
                     absl::string_view value) const {
  const auto it = members_.find(member);
  if (it == members_.end()) return Was::kNever;
  const uint64_t digest = DigestOf(value);
  Was was = Was::kNever;
  for (const Value& said : it->second) {
    if (said.type != type || said.field != field) continue;
    if (said.digest == digest) {
      was = Was::kLast;
    } else if (was == Was::kLast) {
      was = Was::kEarlier;
    }
  }
  return was;
}

void Said::Say(const Id& member, uint32_t type, uint32_t field, absl::string_view value) {
  if (Find(member, type, field, value) == Was::kLast) return;
  std::vector<Value>& values = members_[member];
  const Value now{type, field, DigestOf(value)};
  // Said again, it is the last one.
  values.erase(std::remove_if(values.begin(), values.end(),
                              [&](const Value& said) {
                                return said.type == type && said.field == field &&
                                       said.digest == now.digest;
                              }),
               values.end());
  values.push_back(now);
  changed_.insert(PartOf(member));
}

std::vector<Id> Said::FindMade(absl::string_view row) const {
  const auto it = made_.find(DigestOf(row));
  return it == made_.end() ? std::vector<Id>() : it->second;
}

void Said::SayMade(const Id& member, absl::string_view row) { Say(member, kRow, 0, row); }

absl::Status Said::Save(Writer& writer) const {
  std::vector<exchange::v1::Said> parts(kParts);
  for (const auto& entry : members_) {
    const uint8_t part = PartOf(entry.first);
    if (changed_.count(part) == 0) continue;
    auto* of = parts[part].add_members();
    of->set_member_id(entry.first.str());
    for (const Value& value : entry.second) {
      auto* added = of->add_values();
      added->set_type(value.type);
      added->set_field(value.field);
      added->set_digest(value.digest);
    }
  }
  for (const uint8_t part : changed_) {
    RETURN_IF_ERROR(writer.PutSetting(SettingOf(part), parts[part].SerializeAsString()));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
