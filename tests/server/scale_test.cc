// What one call costs does not grow with all that is stored, and long calls let others between.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "server/exchange/import.h"
#include "server/exchange/roster.h"
#include "server/feed/incarnation.h"
#include "server/identity/enrolment.h"
#include "server/sessions/ask.h"
#include "sync/base/status.h"
#include "sync/rules/typed.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::Contains;

constexpr int kMany = 2000;

class ScaleTest : public Village {
 protected:
  void AddDevices(int count) {
    EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
      for (int i = 0; i < count; ++i) {
        server::DeviceRow row;
        ASSIGN_OR_RETURN(row.number, writer.NextDevice());
        row.public_key = absl::StrCat("key ", row.number.value);
        row.person = wang;
        row.record = world.fate().environment().NewId();
        row.name = "某人的手机";
        row.last_number = EditNumber(1);
        RETURN_IF_ERROR(writer.PutDevice(row));
      }
      return absl::OkStatus();
    }),
              absl::OkStatus());
  }
  // What it costs the writer to enrol one device more, and to stop it.
  uint64_t CostOfOneMore() {
    sync::v1::EnrolRequest request;
    request.set_public_key(PublicKeyOf(NewKeyPair(world.fate().environment()).secret_key));
    request.set_device_name("新手机");
    uint64_t work = 0;
    EXPECT_EQ(world.store().Write([&](server::Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(
          const auto row,
          server::EnrolDevice(writer, world.ingest(), world.fate().environment(), wang, request));
      RETURN_IF_ERROR(server::RevokeDevice(writer, world.ingest(), world.fate().environment(),
                                           row.number, server::DeviceRow::Standing::kRevoked));
      work = writer.Work();
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return work;
  }

  Id Below(const Id& parent, const std::string& name) {
    Organisation organisation;
    organisation.set_kind(Organisation::BRANCH);
    organisation.set_name(name);
    organisation.set_parent_id(parent.str());
    const Id id = world.fate().environment().NewId();
    world.Write(organisation, id);
    return id;
  }
  // The next page of what lies in organisations below the township, one record to a page, and
  // what it costs.
  template <typename T>
  uint64_t CostOfPage(const Id& township, server::KnownTree* tree, sync::v1::Page* page) {
    sync::v1::Ask ask;
    ask.set_type(TypeOf<T>().number);
    ask.set_organisation_id(township.str());
    ask.set_limit(1);
    ask.set_after(page->next());
    page->Clear();
    server::Disclosures disclosures;
    uint64_t work = 0;
    EXPECT_EQ(world.store().Read([&](server::Reader& reader) {
      const absl::Status status = server::AnswerAsk(reader, world.ingest(), zhang, world.now_ms(),
                                                    ask, tree, page, &disclosures);
      work = reader.Work();
      return status;
    }),
              absl::OkStatus());
    return work;
  }
};

TEST_F(ScaleTest, EnrollingOrStoppingADeviceLooksAtNoOthers) {
  const uint64_t among_few = CostOfOneMore();
  AddDevices(kMany);
  EXPECT_LE(CostOfOneMore(), among_few + 10);
}

TEST_F(ScaleTest, APageOfATownshipDoesNotWalkThroughAllOfItAgain) {
  const Id township = world.Branch("云溪镇党委");
  world.Appoint(zhang, township, SECRETARY);
  for (int i = 0; i < 200; ++i) {
    Meeting meeting;
    meeting.set_branch_id(Below(township, absl::StrCat("第", i, "党支部")).str());
    meeting.set_topic("大会");
    world.Write(meeting, world.fate().environment().NewId());
  }
  server::KnownTree tree;
  sync::v1::Page page;
  EXPECT_GT(CostOfPage<Meeting>(township, &tree, &page), 200u);
  for (int i = 0; i < 5; ++i) EXPECT_LT(CostOfPage<Meeting>(township, &tree, &page), 80u);
}

TEST_F(ScaleTest, WhatIsHungBelowMeanwhileIsOnALaterPage) {
  const Id township = world.Branch("云溪镇党委");
  world.Appoint(zhang, township, SECRETARY);
  const Id first = Below(township, "第一党支部");
  server::KnownTree tree;
  sync::v1::Page page;
  CostOfPage<Organisation>(township, &tree, &page);
  ASSERT_FALSE(page.next().empty());
  const Id later = Below(first, "第一党支部第一小组");
  std::vector<std::string> shown;
  while (!page.next().empty()) {
    CostOfPage<Organisation>(township, &tree, &page);
    for (const std::string& id : page.ids()) shown.push_back(id);
  }
  EXPECT_THAT(shown, Contains(later.str()));
}

TEST_F(ScaleTest, OthersEditsGoBetweenThePartsOfARoster) {
  std::string csv = "姓名,所在支部\n";
  for (int i = 0; i < 400; ++i) absl::StrAppend(&csv, "党员", i, ",青石村党支部\n");
  const auto roster = server::ParseRoster(csv);
  ASSERT_TRUE(roster.ok()) << roster.status();
  auto importer =
      server::Importer::Open(&world.store(), &world.ingest(), world.fate().environment());
  ASSERT_TRUE(importer.ok()) << importer.status();
  int parts = 0;
  admin::v1::ImportReply reply;
  EXPECT_EQ(importer->Run(
                *roster,
                [&](const sync::v1::Edit& part) {
                  MakeMeeting(zhangs, absl::StrCat("第", ++parts, "次"));
                  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
                  return world.ingest().CommitOwn(world.store(), part).status();
                },
                &reply),
            absl::OkStatus());
  EXPECT_GT(parts, 1);
  EXPECT_EQ(reply.members(), 400u);
  EXPECT_EQ(zhangs.All<Meeting>().size(), static_cast<size_t>(parts));
  ExpectConverged();
}

TEST_F(ScaleTest, OthersWriteWhileTheDevicesOfABackupAreMarked) {
  AddDevices(kMany);
  // Each transaction of the server's counts the devices that it marks.
  class Counting : public server::Store {
   public:
    explicit Counting(server::Store* store) : store_(*store) {}
    absl::Status Read(absl::FunctionRef<absl::Status(server::Reader&)> body) override {
      return store_.Read(body);
    }
    absl::Status Write(absl::FunctionRef<absl::Status(server::Writer&)> body) override {
      ++writes;
      return store_.Write(body);
    }
    void Watch(server::Watcher* watcher) override { store_.Watch(watcher); }
    void StopWatching(server::Watcher* watcher) override { store_.StopWatching(watcher); }
    absl::Status Backup(const std::string& file) override { return store_.Backup(file); }
    int writes = 0;

   private:
    server::Store& store_;
  } store(&world.store());
  EXPECT_EQ(server::BackUp(store, [] { return absl::OkStatus(); }), absl::OkStatus());
  EXPECT_GE(store.writes, 4);
  EXPECT_EQ(world.store().Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto rows, reader.ListDevices());
    for (const server::DeviceRow& row : rows) EXPECT_EQ(row.safe_number, row.last_number);
    return absl::OkStatus();
  }),
            absl::OkStatus());
}

}  // namespace
}  // namespace zhibu::test
