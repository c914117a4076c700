#include "tests/sim/hostile.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/enrolment.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "tests/sim/forge.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

constexpr size_t kRememberedMax = 50;
constexpr size_t kPhonesMax = 40;  // numbers that all of them together may go by

}  // namespace

Hostile::Hostile(Universe* universe, const Id& person) : universe_(*universe), person_(person) {}

Hostile::~Hostile() = default;

void Hostile::HangUp() {
  session_.reset();
  twins_.clear();
  answered_.clear();
  cursors_.clear();
  shown_up_to_ = 0;
  pushed_.clear();
}

void Hostile::Act(uint64_t seed) {
  Forge forge(&universe_, person_, seed);
  Dice& dice = forge.dice();
  if (session_ == nullptr) Connect(&forge);
  if (session_ == nullptr) return;
  const uint32_t what = dice.Below(20);
  if (what < 14) {
    Push(&forge);
  } else if (what < 17) {
    Ask(&forge);
  } else if (what < 19) {
    Babble(&forge);
  } else {
    HangUp();
  }
  if (dice.OneIn(2)) universe_.CommitQueue(1 + dice.Below(6));
  Hear();
}

void Hostile::Enrol(Dice* dice) {
  secret_key_ = NewKeyPair({.now_ms = [] { return 0; },
                            .random_bytes = [dice](size_t size) { return dice->Bytes(size); }})
                    .secret_key;
  sync::v1::EnrolRequest request;
  request.set_public_key(PublicKeyOf(secret_key_));
  request.set_device_name("手机");
  number_ = universe_.EnrolHostile(person_, request);
  given_.clear();
}

// As the server knows it; and it knows what it should not know of all others.
void Hostile::Connect(Forge* forge) {
  Dice& dice = forge->dice();
  if (universe_.server().store == nullptr) return;
  if (number_.value == 0 || (dice.OneIn(12) && universe_.hostile_numbers() < kPhonesMax)) {
    Enrol(&dice);
  }
  std::string server_id;
  std::string incarnation;
  std::string certificate;
  std::optional<server::DeviceRow> row;
  std::optional<server::AuditRow> last;
  const absl::Status known = universe_.server().disk.Quietly([&] {
    return universe_.server().store->Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(server_id, reader.GetSetting("server_id"));
      ASSIGN_OR_RETURN(incarnation, reader.GetSetting(server::kIncarnation));
      ASSIGN_OR_RETURN(certificate, reader.GetSetting(server::kServerCertificate));
      ASSIGN_OR_RETURN(row, reader.GetDevice(number_));
      if (!row) return absl::OkStatus();
      ASSIGN_OR_RETURN(last, reader.GetAudit(number_, row->last_number));
      return absl::OkStatus();
    });
  });
  if (!known.ok()) return;
  if (!row || row->person != person_) {
    number_ = DeviceNumber();  // a restored server has forgotten it
    return;
  }
  last_ = row->last_number.value;
  link_ = last ? LinkTo(last->edit) : 0;
  sent_.clear();
  session_ = universe_.OpenHostile(*this, &stream_);
  if (incarnation != incarnation_) given_.clear();
  incarnation_ = incarnation;
  sync::v1::Hello hello;
  hello.set_protocol(dice.OneIn(40) ? 9 : kProtocolVersion);
  hello.set_device(dice.OneIn(40) ? dice.Below(20) : number_.value);
  hello.set_server_id(server_id);
  hello.set_incarnation(dice.OneIn(40) ? "" : incarnation);
  hello.set_unanswered(dice.OneIn(6) ? dice.Below(50) : 0);
  AddCursors(forge, &hello);
  std::string said = hello.SerializeAsString();
  if (dice.OneIn(20)) said = forge->Twist(*sync::v1::Hello::descriptor(), said);
  ClientFrame frame;
  frame.set_hello(said);
  Say(frame);
  Hear();
  if (session_ == nullptr) return;
  ClientFrame answer;
  const std::string fingerprint = FingerprintOf(certificate);
  answer.mutable_proof()->set_signature(
      dice.OneIn(40) ? dice.Bytes(64) : SignProof(secret_key_, nonce_, fingerprint, said));
  Say(answer);
  Hear();
}

// What it was given for this number, handed back as it was: the server knows it again.
void Hostile::HandBack(const sync::v1::Cursor& cursor) {
  const auto scope = Id::FromBytes(cursor.scope());
  if (scope) cursors_[*scope] = std::max(cursors_[*scope], cursor.version());
}

// Those that it, or anybody, has been given, and others.
void Hostile::AddCursors(Forge* forge, sync::v1::Hello* hello) {
  Dice& dice = forge->dice();
  for (const auto& cursor : given_) {
    if (!dice.OneIn(2)) continue;
    *hello->add_cursors() = cursor;
    HandBack(cursor);
  }
  for (uint32_t i = dice.Below(5); i > 0; --i) {
    sync::v1::Cursor* cursor = hello->add_cursors();
    if (!universe_.cursors().empty() && dice.OneIn(2)) *cursor = dice.Of(universe_.cursors());
    if (cursor->scope().empty() || dice.OneIn(4)) {
      cursor->set_scope(forge->IdFor(dice.OneIn(2) ? OWNER : PERSON));
    }
    if (dice.OneIn(2)) cursor->set_version(dice.OneIn(3) ? dice.Next() : dice.Below(400));
    if (dice.OneIn(2)) cursor->set_audience(static_cast<uint32_t>(dice.Next()));
  }
}

// As bytes, like everybody's.
void Hostile::Say(const ClientFrame& frame) {
  if (session_ == nullptr) return;
  universe_.HearHostile(*this, frame.SerializeAsString());
}

void Hostile::Add(Forge* forge, const std::string& edit, sync::v1::Push* push) {
  Dice& dice = forge->dice();
  if (!sent_.empty() && dice.OneIn(25)) {  // again, or what seems to be the same
    auto* again = push->add_edits();
    *again = dice.Of(sent_);
    if (dice.OneIn(4) && universe_.hostile_numbers() < kPhonesMax) again->set_edit(edit);
    return;
  }
  auto* numbered = push->add_edits();
  numbered->set_number(++last_);
  numbered->set_previous(link_);
  numbered->set_edit(edit);
  numbered->set_stamp(StampAt(universe_.now_ms(), dice.Below(3)).value);
  if (dice.OneIn(6)) numbered->set_stamp(dice.OneIn(2) ? dice.Next() : dice.Below(1000));
  if (dice.OneIn(6)) {
    const uint64_t below = 1 + dice.Below(last_);
    for (uint32_t i = dice.OneIn(10) ? 1000 : dice.Below(4); i > 0; --i) {
      numbered->add_builds_on(dice.OneIn(2) ? below : dice.Below(last_ + 2));
    }
    if (dice.OneIn(2)) {
      auto* list = numbered->mutable_builds_on();
      std::sort(list->begin(), list->end());
      list->erase(std::unique(list->begin(), list->end()), list->end());
    }
  }
  if (dice.OneIn(40)) numbered->set_withdrawn(true);
  if (dice.OneIn(60) && universe_.hostile_numbers() < kPhonesMax) numbered->set_previous(1);
  link_ = LinkTo(edit);
  if (sent_.size() < kRememberedMax) sent_.push_back(*numbered);
}

void Hostile::Push(Forge* forge) {
  Dice& dice = forge->dice();
  ClientFrame frame;
  auto* push = frame.mutable_push();
  const std::vector<std::string> question =
      dice.OneIn(4) ? forge->Question() : std::vector<std::string>();
  if (question.size() == 2) {
    const auto before = static_cast<int>(last_);
    for (const std::string& edit : question) {
      auto* numbered = push->add_edits();
      numbered->set_number(++last_);
      numbered->set_previous(link_);
      numbered->set_edit(edit);
      numbered->set_stamp(StampAt(universe_.now_ms()).value);
      link_ = LinkTo(edit);
    }
    twins_[static_cast<uint64_t>(before) + 2] = static_cast<uint64_t>(before) + 1;
    return Say(frame);
  }
  const uint32_t edits = dice.OneIn(30) ? 60 : 1 + dice.Below(6);
  for (uint32_t i = 0; i < edits; ++i) Add(forge, forge->Edit(), push);
  Say(frame);
}

void Hostile::Ask(Forge* forge) {
  Dice& dice = forge->dice();
  ClientFrame frame;
  auto* ask = frame.mutable_ask();
  ask->set_id(dice.Below(5));
  std::vector<uint32_t> types;
  for (const auto& type : Types()) types.push_back(type.first);
  ask->set_type(dice.OneIn(20) ? 77 : dice.Of(types));
  if (dice.OneIn(2)) {
    ask->set_organisation_id(forge->IdFor(OWNER));
  } else if (!dice.OneIn(20)) {
    ask->set_member_id(forge->IdFor(PERSON));
  }
  static const std::vector<std::string> kReasons = {" ", "核对", "\n", "x"};
  if (dice.OneIn(3)) ask->set_reason(dice.Of(kReasons));
  if (dice.OneIn(20)) ask->set_reason(std::string(3 << 20, 'x'));
  if (dice.OneIn(4))
    ask->set_after(dice.OneIn(2) ? dice.Bytes(dice.Below(40)) : forge->IdFor(OWNER));
  ask->set_limit(dice.OneIn(3) ? static_cast<uint32_t>(dice.Next()) : dice.Below(4));
  Say(frame);
}

void Hostile::Babble(Forge* forge) {
  Dice& dice = forge->dice();
  ClientFrame frame;
  switch (dice.Below(6)) {
    case 0:
      frame.set_hello(dice.Bytes(dice.Below(30)));
      break;
    case 1:
      frame.mutable_proof()->set_signature(dice.Bytes(64));
      break;
    case 2:
      frame.mutable_leave();
      break;
    case 3:
      break;
    case 4:  // is out of service from now on, and goes on
      if (dice.OneIn(3)) universe_.Revoke(number_, dice.OneIn(3));
      return;
    default:
      return universe_.HearHostile(*this, dice.Bytes(dice.Below(60)));
  }
  Say(frame);
}

bool Hostile::MayHaveSeen(const Id& scope, uint64_t version) const {
  const auto cursor = cursors_.find(scope);
  return version <= std::max(shown_up_to_, cursor == cursors_.end() ? 0 : cursor->second);
}

void Hostile::Hear() {
  ServerFrame frame;
  while (session_ != nullptr && universe_.NextForHostile(*this, &frame)) Take(frame);
  if (session_ != nullptr && session_->closed()) HangUp();
}

void Hostile::Take(const ServerFrame& frame) {
  if (frame.has_challenge()) nonce_ = frame.challenge().nonce();
  if (frame.has_renumber()) {
    number_ = DeviceNumber(frame.renumber().device());
    given_.clear();
    universe_.NoteHostile(number_);
  }
  for (const auto& group : frame.update().groups()) {
    shown_up_to_ = std::max(shown_up_to_, group.version());
  }
  for (const auto& cursor : frame.update().cursors()) {
    HandBack(cursor);
    if (given_.size() >= kRememberedMax) given_.erase(given_.begin());
    given_.push_back(cursor);
  }
  for (const auto& answer : frame.update().answers()) TakeAnswer(answer);
}

void Hostile::TakeAnswer(const sync::v1::Answer& answer) {
  const std::string said =
      absl::StrCat(sync::v1::Verdict_Name(answer.verdict()), " ",
                   sync::v1::Reason_Name(answer.reason()), " ", answer.detail());
  answered_[answer.number()] = said;
  const auto twin = twins_.find(answer.number());
  if (twin == twins_.end()) return;
  const auto first = answered_.find(twin->second);
  if (first == answered_.end()) return;
  ++universe_.stats.hostile_asked;
  if (first->second == said) return;
  const Ledger& ledger = universe_.ledger();
  const Ledger::Row* row = ledger.Find(number_, twin->second);
  if (row == nullptr || row->edit.changes().empty()) return;
  const auto& change = row->edit.changes(0);
  const RecordKey about{change.type(), Id::FromBytes(change.id()).value_or(Id())};
  if (ledger.EverRead(person_, about)) return;  // since it was asked
  // What was theirs to write is held, and that it is held tells them. And what was deleted
  // where they act now, before they came, they can make anew (docs/proof.md).
  const Ledger::Record* record = ledger.Find(about);
  const bool gone = record != nullptr && !record->expected.alive;
  const bool held = row->audit.answer.verdict() == sync::v1::HELD;
  if ((held || gone) && ledger.EverLayWith(about, person_)) return;
  universe_.ledger().Fail(
      kTold,
      absl::StrCat("device ", number_.value, " asks whether something is there, and is told ",
                   first->second, "; of what is not there, ", said),
      about);
}

}  // namespace zhibu::sim
