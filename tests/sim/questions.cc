// What devices ask a universe's server for, page by page, and the judge of the answers:
// each page must show what the ledger says is to be seen when the server hears of it, and
// all pages together each record once that has stayed where it was.
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

using google::protobuf::Message;

void Universe::Ask(Device& device, sync::v1::Ask ask) {
  if (device.stream == nullptr || questions_.count(device.stream->id) > 0) return;
  ask.set_id(++questions_asked_);
  questions_[device.stream->id].ask = ask;
  device.stream->client.Ask(ask);
}

void Universe::AnswerIsDue(const Stream& stream) {
  const auto it = questions_.find(stream.id);
  if (it == questions_.end()) return;  // the device has given the stream up
  Absorb();
  Question& question = it->second;
  question.due = ledger_.AnswerTo(stream.device.person, question.ask, server_ms());
  if (ledger_.Revoked(stream.server.device())) {
    question.due.emplace();
    question.due->refusal = sync::v1::DEVICE_REVOKED;
  }
  const Ledger::Answer& now = *question.due;
  if (!question.asked) {
    for (const auto& [id, sheet] : now.sheets) question.steady[id] = sheet.places;
  }
  question.reorganised = question.asked && now.tree != question.tree;
  if (question.reorganised) question.steady.clear();
  for (auto steady = question.steady.begin(); steady != question.steady.end();) {
    const auto sheet = now.sheets.find(steady->first);
    const bool stays = sheet != now.sheets.end() && sheet->second.places == steady->second;
    steady = stays ? std::next(steady) : question.steady.erase(steady);
  }
  question.asked = true;
  question.tree = now.tree;
  question.heard_ms = server_ms();
}

void Universe::CheckPage(const Stream& stream, const sync::v1::Page& page) {
  const std::string who = absl::StrCat("device ", stream.device.index);
  const auto it = questions_.find(stream.id);
  if (it == questions_.end() || !it->second.due || it->second.ask.id() != page.id()) {
    return ledger_.Fail(kProtocol, absl::StrCat(who, " is told what it has not asked for"));
  }
  Question& question = it->second;
  const Ledger::Answer answer = *std::exchange(question.due, std::nullopt);
  const auto fail = [&](const std::string& what, const RecordKey& key) {
    ledger_.Fail(
        kShown, absl::StrCat(who, ", asking {", question.ask.ShortDebugString(), "}: ", what), key);
  };
  const RecordKey none{question.ask.type(), Id()};
  stats.looked_at += static_cast<uint64_t>(page.ids_size());
  ++(question.ask.after().empty() ? stats.questions : stats.pages);
  if (!damaged_.empty()) return;  // it may be left out
  // What the page before ended with is not there any more.
  if (page.refusal().reason() == sync::v1::MALFORMED && question.reorganised) return;
  if (page.refusal().reason() != answer.refusal) {
    return fail(absl::StrCat("is told ", sync::v1::Reason_Name(page.refusal().reason()),
                             " instead of ", sync::v1::Reason_Name(answer.refusal)),
                none);
  }
  if (question.ask.limit() > 0 && page.ids_size() > static_cast<int>(question.ask.limit())) {
    fail(absl::StrCat(page.ids_size(), " records on a page"), none);
  }
  if (page.ids().empty() && !page.next().empty()) fail("a page without anything", none);
  for (int i = 0; i < page.ids_size(); ++i) {
    const RecordKey key{question.ask.type(), *Id::FromBytes(page.ids(i))};
    const std::unique_ptr<Message> shown(PrototypeOf(key.type)->New());
    shown->ParsePartialFromString(page.bodies(i));
    const bool again = !question.shown.insert(key.id).second;
    if (again && question.steady.count(key.id) > 0) fail(NameOf(key) + " twice", key);
    CheckLogged(HearerOf(stream.device), answer.own, key, page.bodies(i), question.heard_ms);
    if (answer.unclear.count(key.id) > 0) continue;
    const auto sheet = answer.sheets.find(key.id);
    if (sheet == answer.sheets.end()) {
      fail(absl::StrCat("is shown ", NameOf(key), " ", Render(*shown)), key);
    } else if (Render(*shown) != Render(*sheet->second.message)) {
      fail(absl::StrCat(NameOf(key), "\n  is shown as ", Render(*shown), "\n  should be   ",
                        Render(*sheet->second.message)),
           key);
    }
  }
  if (!page.next().empty()) return;
  for (const auto& entry : question.steady) {
    const RecordKey key{question.ask.type(), entry.first};
    if (question.shown.count(entry.first) == 0) fail(NameOf(key) + " is left out", key);
  }
}

// Who is told that there is more asks for it.
void Universe::TakePage(Stream& stream) {
  const auto page = stream.client.TakePage();
  const auto it = questions_.find(stream.id);
  if (!page || it == questions_.end()) return;
  if (page->next().empty()) {
    questions_.erase(it);
    return;
  }
  sync::v1::Ask& ask = it->second.ask;
  ask.set_id(++questions_asked_);
  ask.set_after(page->next());
  ask.clear_reason();
  stream.client.Ask(ask);
}

}  // namespace zhibu::sim
