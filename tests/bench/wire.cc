// What travels, in bytes: frames as the two sessions make them, without TLS and gRPC around them.
// The same in every run but for ids, so that no floor is needed.
#include <random>

#include "absl/strings/str_cat.h"
#include "client-core/session.h"
#include "server/sessions/session.h"
#include "sync/base/status.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "tests/support/unpacked.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::Contact;
using records::v1::Meeting;

// Where sessions run.
struct Place {
  explicit Place(const std::string& folder) : site(folder), store(site.OpenStore()) {}

  std::vector<server::Result> Commit(const std::vector<server::Submitted>& edits) {
    return Must(ingest.Commit(*store, edits), "commit");
  }

  Site site;
  std::unique_ptr<server::Store> store;
  server::Ingest ingest{CatalogueSchema(), SystemEnvironment()};
};

// One stream, until both sides are quiet.
class Line {
 public:
  Line(Place* place, client::Store* store)
      : place_(*place),
        client_(store),
        server_(place->store.get(), &place->ingest, SystemEnvironment()) {
    Check(client_.Start(), "session");
    Run();
  }

  void Run() {
    server_.OnMoved();
    while (Step()) continue;
    Check(client_.caught_up(), "the session does not catch up");
  }
  void Forget() { up_ = down_ = turns_ = bodies_ = 0; }

  double up() const { return static_cast<double>(up_); }
  double down() const { return static_cast<double>(down_); }
  // Of the records that came.
  double bodies() const { return static_cast<double>(bodies_); }
  // How often the device has spoken after the server had.
  int turns() const { return turns_; }

 private:
  bool Step() {
    sync::v1::ClientFrame up;
    if (client_.Next(&up)) {
      up_ += up.ByteSizeLong();
      if (std::exchange(heard_, false)) ++turns_;
      server_.OnFrame(up);
      server_.OnResults(place_.Commit(server_.TakeSubmitted()));
      return true;
    }
    sync::v1::ServerFrame down;
    if (!server_.Next(&down)) return false;
    down_ += down.ByteSizeLong();
    heard_ = true;
    const sync::v1::ServerFrame read = test::Unpacked(down);
    for (const auto& group : read.update().groups()) {
      for (const std::string& body : group.bodies()) bodies_ += body.size();
    }
    client_.OnFrame(down);
    return true;
  }

  Place& place_;
  client::Session client_;
  server::Session server_;
  size_t up_ = 0;
  size_t down_ = 0;
  size_t bodies_ = 0;
  int turns_ = 0;
  bool heard_ = false;
};

// Characters of everyday text, by chance: nothing in it comes twice.
std::string ByChance(int characters, uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  for (int i = 0; i < characters; ++i) {
    const uint32_t code = 0x4e00 + random() % 3000;
    text += static_cast<char>(0xe0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  }
  return text;
}

// So many contacts, an edit each, to the server and to a new device.
void MeasureRecords(const Options& options, bool by_chance, Report* report) {
  const std::string name = by_chance ? "wire.random" : "wire.repeating";
  const int records = options.quick ? 100 : 2000;
  Place place(absl::StrCat(options.folder, "/", name));
  const auto author = place.site.Register(*place.store);
  Line line(&place, author.get());
  for (int i = 0; i < records; ++i) {
    client::Draft contact = author->New<Contact>();
    contact.message<Contact>() =
        MakeContact(place.site.branch(), place.site.secretary(), static_cast<uint64_t>(i));
    if (by_chance) contact.message<Contact>().set_said(ByChance(31, static_cast<uint32_t>(i)));
    Check(author->Commit({&contact}).status(), "commit");
  }
  line.Forget();
  line.Run();
  report->AddValue(absl::StrCat(name, ".push.bytes/edit"), std::nullopt, line.up() / records, "");
  report->AddValue(absl::StrCat(name, ".echo.bytes/edit"), Aim{false, 20}, line.down() / records,
                   "back, of edits that stand as they were made");
  const auto reader = place.site.Register(*place.store);
  const Line download(&place, reader.get());
  report->AddValue(absl::StrCat(name, ".pull.bytes/body"), Aim{false, by_chance ? 0.65 : 0.25},
                   download.down() / download.bodies(),
                   absl::StrCat(download.down() / records, " bytes a record"));
}

void MeasureChanges(const Options& options, Report* report) {
  Place place(absl::StrCat(options.folder, "/wire.changes"));
  const auto author = place.site.Register(*place.store);
  const auto other = place.site.Register(*place.store);
  Line line(&place, author.get());
  Line others(&place, other.get());
  const auto deliver = [&](client::Draft* draft) {
    Check(author->Commit({draft}).status(), "commit");
    line.Forget();
    others.Forget();
    line.Run();
    others.Run();
  };
  client::Draft minutes = author->New<Meeting>();
  minutes.message<Meeting>().set_branch_id(place.site.branch().str());
  minutes.message<Meeting>().set_topic("七月党员大会");
  minutes.message<Meeting>().set_minutes(ByChance(33'000, 1));
  deliver(&minutes);
  client::Draft longer = Must(author->Edit<Meeting>(minutes.id()), "meeting");
  const std::string sentence = ByChance(30, 2);
  longer.message<Meeting>().mutable_minutes()->insert(49'500, sentence);
  deliver(&longer);
  const auto bytes = static_cast<double>(sentence.size());
  report->AddValue("wire.long_text.up", Aim{false, 20}, line.up() / bytes,
                   "bytes for one of a sentence that is added to minutes of 99 kB");
  report->AddValue("wire.long_text.down", Aim{false, 20}, others.down() / bytes,
                   "to another device");

  client::Draft contact = author->New<Contact>();
  contact.message<Contact>() = MakeContact(place.site.branch(), place.site.secretary(), 1);
  deliver(&contact);
  client::Draft changed = Must(author->Edit<Contact>(contact.id()), "contact");
  changed.message<Contact>().set_how("微信");
  deliver(&changed);
  report->AddValue("wire.live_change.up", std::nullopt, line.up(), "bytes, one field of a contact");
  report->AddValue("wire.live_change.down", Aim{false, 60}, others.down(),
                   "bytes to another device");

  const Line again(&place, other.get());
  report->AddValue("wire.resync.bytes", Aim{false, 200}, again.up() + again.down(),
                   absl::StrCat("nothing new: ", again.turns(), " round trips after TLS, ",
                                again.up(), " bytes up"));
}

}  // namespace

void MeasureWire(const Options& options, Report* report) {
  for (const bool by_chance : {false, true}) MeasureRecords(options, by_chance, report);
  MeasureChanges(options, report);
}

}  // namespace zhibu::bench
