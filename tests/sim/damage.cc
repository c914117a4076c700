// Bits that flip on the server's disk, and are put back: what is damaged is passed over, and
// stops nobody else.
#include "sync/base/damage.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/feed/incarnation.h"
#include "sync/base/status.h"
#include "tests/sim/universe.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {
namespace {

struct Column {
  const char* table;
  const char* name;
};
// Of records twice as often as of the rest.
const std::vector<Column> kColumns = {{"record", "body"},  {"record", "trace"}, {"record", "body"},
                                      {"record", "trace"}, {"audit", "edit"},   {"audit", "answer"},
                                      {"device", "name"}};

}  // namespace

void Universe::DamageServer(Dice* dice) {
  if (!damaged_.empty() && dice->OneIn(2)) return MendServer();
  // The disk that flips a bit works otherwise.
  if (server_.store == nullptr || !server_.disk.Sound()) return;
  const Column& column = dice->Of(kColumns);
  const auto damaged = server_.Damage(column.table, column.name, dice);
  if (damaged) damaged_.push_back(*damaged);
}

// The operator stops the server, puts back what was there, and starts it.
void Universe::MendServer() {
  if (damaged_.empty() || failure()) return;
  ++stats.restarts;
  HangUpAll();
  turns_ = {};
  server_.disk.Mend();
  server_.Kill(false);
  // The last first: one row may have been hit twice.
  for (; !damaged_.empty(); damaged_.pop_back()) server_.PutBack(damaged_.back());
  absl::Status status = OpenServer();
  if (status.ok()) status = BeginServer();
  if (status.ok()) {
    status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(incarnation_, reader.GetSetting(server::kIncarnation));
      return absl::OkStatus();
    });
  }
  if (!status.ok()) {
    return ledger_.Fail(kIntegrity,
                        absl::StrCat("what was mended does not start: ", status.ToString()));
  }
  Absorb();
}

// Whose right cannot be read waits until it can; nobody else does.
void Universe::Watch::OnTrouble(const server::Trouble& trouble) {
  if (trouble.what != server::Trouble::What::kSession &&
      trouble.what != server::Trouble::What::kSeen) {
    return;
  }
  if (!IsDamagedRow(trouble.status) || universe_.OfSomebodysRight(trouble.status)) return;
  universe_.ledger_.Fail(kPassedOver, absl::StrCat("device ", trouble.device.value, " is stopped: ",
                                                   std::string(trouble.status.message())));
}

bool Universe::OfSomebodysRight(const absl::Status& status) const {
  const auto* catalogue = TodaysSchema().get();
  for (const auto* type :
       {records::v1::Member::descriptor(), records::v1::Grant::descriptor(),
        records::v1::Placement::descriptor(), records::v1::DuplicatePerson::descriptor()}) {
    const std::string what = absl::StrCat("record ", catalogue->Find(type)->number, " ");
    if (absl::StrContains(status.message(), what)) return true;
  }
  return false;
}

}  // namespace zhibu::sim
