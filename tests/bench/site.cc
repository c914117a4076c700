#include "tests/bench/site.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/session.h"
#include "client-core/transport/syncer.h"
#include "server/admin/admin.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/whereabouts.h"
#include "server/ingest/ingest.h"
#include "server/sessions/session.h"
#include "server/store/sqlite/store.h"
#include "sync/base/status.h"
#include "sync/cli/key_file.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/diff.h"
#include "sync/merge/own_edit.h"
#include "sync/wire/record.h"
#include "tests/bench/report.h"
#include "tests/support/unpacked.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {

using records::v1::Contact;

records::v1::Contact MakeContact(const Id& branch, const Id& member, uint64_t seed) {
  static const char* const kSaid[] = {
      "在外务工一切正常，本月已参加流入地支部学习，党费已按时交纳。",
      "电话询问近况，表示下月回乡参加支部党员大会，无困难需要帮助。",
      "微信联系，已转达会议精神，本人表示按时上交学习心得体会一份。"};
  Contact contact;
  contact.set_by_id(member.str());
  contact.set_member_id(member.str());
  contact.set_branch_id(branch.str());
  contact.mutable_at()->set_seconds(static_cast<int64_t>(1'780'000'000 + seed * 61));
  contact.set_how("电话");
  contact.set_said(kSaid[seed % std::size(kSaid)]);
  return contact;
}

std::unique_ptr<client::Store> OpenDevice(const std::string& file) {
  return Must(client::Store::Open({.file = file, .key = std::string(32, 'k')}),
              "the device's file");
}

uint64_t CountRecords(client::Store& store, const google::protobuf::Descriptor* type) {
  uint64_t count = 0;
  const auto visit = [&](const Id&, const google::protobuf::Message&) {
    ++count;
    return true;
  };
  Check(store.List({.type = store.schema().Find(type)->number}, visit), "list");
  return count;
}

Site::Site(std::string folder) : folder_(std::move(folder)) {
  Start();  // makes the data folder
  node_.reset();
  const Environment environment = SystemEnvironment();
  branch_ = environment.NewId();
  secretary_ = environment.NewId();
  records::v1::Organisation organisation;
  organisation.set_name("青石村党支部");
  Write(organisation, branch_);
  records::v1::Member member;
  member.set_branch_id(branch_.str());
  member.set_name("张");
  Write(member, secretary_);
  records::v1::Placement placement;
  placement.set_member_id(secretary_.str());
  placement.set_branch_id(branch_.str());
  Write(placement, Id());
  Appoint(branch_, true);
}

Id Site::NewBranch(int members) {
  const Environment environment = SystemEnvironment();
  const Id branch = environment.NewId();
  records::v1::Organisation organisation;
  organisation.set_name("柳湾村党支部");
  Write(organisation, branch);
  for (int i = 0; i < members; ++i) {
    records::v1::Member member;
    member.set_branch_id(branch.str());
    member.set_name(absl::StrCat("柳湾党员", i));
    Write(member, environment.NewId());
  }
  return branch;
}

void Site::Appoint(const Id& branch, bool acts) {
  records::v1::Grant grant;
  grant.set_person_id(secretary_.str());
  grant.set_organisation_id(branch.str());
  grant.set_office(SECRETARY);
  grant.mutable_from()->set_seconds(1);
  if (!acts) grant.mutable_until()->set_seconds(2);
  Write(grant, Id());
}

std::unique_ptr<server::Store> Site::OpenStore() const {
  const std::string file = absl::StrCat(folder_, "/zhibu.db");
  std::string key =
      Must(KeyFor(absl::StrCat(folder_, "/zhibu.key"), file, [] { return absl::OkStatus(); }),
           "the key");
  return Must(server::OpenSqliteStore(file, {.key = std::move(key)}), "the server's store");
}

void Site::Write(const google::protobuf::Message& message, const Id& id) {
  const auto store = OpenStore();
  server::Ingest ingest(CatalogueSchema(), SystemEnvironment());
  const RecordType& type = *ingest.schema().Find(message.GetDescriptor());
  const Id key =
      type.id_from.empty()
          ? id
          : Must(DeriveId(type, Canonical(type.fields, message.SerializeAsString())), type.name);
  Check(store->Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, key}));
    sync::v1::Edit edit;
    AddChange(type, key, before, message, &edit);
    return ingest.WriteOwn(writer, edit).status();
  }),
        type.name);
}

void Site::Fill(int records, int per_edit, std::optional<Id> branch) {
  constexpr int kTogether = 2000;  // records to a transaction
  Environment environment = SystemEnvironment();
  environment.now_ms = [this] { return clock_ms_; };
  const auto store = OpenStore();
  server::Ingest ingest(CatalogueSchema(), environment);
  const RecordType& type = *ingest.schema().Find(Contact::descriptor());
  std::vector<Id> members;
  for (int i = 0; i < 50; ++i) members.push_back(environment.NewId());
  for (int done = 0; done < records;) {
    Check(store->Write([&](server::Writer& writer) -> absl::Status {
      for (const int end = std::min(done + kTogether, records); done < end;) {
        sync::v1::Edit edit;
        for (int i = 0; i < per_edit && done < end; ++i, ++done) {
          clock_ms_ += 1000;
          AddChange(type, environment.NewId(), RecordState(),
                    MakeContact(branch.value_or(branch_), members[done % members.size()], done),
                    &edit);
        }
        RETURN_IF_ERROR(ingest.WriteOwn(writer, edit).status());
      }
      return absl::OkStatus();
    }),
          "fill");
  }
}

std::unique_ptr<client::Store> Site::Register(server::Store& store) {
  const KeyPair keys = NewKeyPair(SystemEnvironment());
  server::DeviceRow row;
  row.public_key = keys.public_key;
  row.person = secretary_;
  row.record = SystemEnvironment().NewId();
  std::string server_id;
  std::string incarnation;
  std::string certificate;
  Check(store.Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(server_id, writer.GetSetting(server::kServerId));
    ASSIGN_OR_RETURN(certificate, writer.GetSetting(server::kServerCertificate));
    ASSIGN_OR_RETURN(incarnation, writer.GetSetting(server::kIncarnation));
    ASSIGN_OR_RETURN(row.number, writer.NextDevice());
    return writer.PutDevice(row);
  }),
        "register");
  auto device = OpenDevice(Name("registered"));
  Check(device->SetIdentity({.device = row.number,
                             .person = secretary_,
                             .server_id = server_id,
                             .fingerprint = FingerprintOf(certificate),
                             .secret_key = keys.secret_key,
                             .incarnation = incarnation}),
        "register");
  return device;
}

Site::Download Site::Capture() {
  const auto store = OpenStore();
  const auto device = Register(*store);
  client::Session client(device.get());
  const server::Ingest ingest(CatalogueSchema(), SystemEnvironment());
  server::Session server(store.get(), &ingest, SystemEnvironment());
  Check(client.Start(), "capture");
  Download download;
  while (!client.caught_up() && !client.closed()) {
    sync::v1::ClientFrame up;
    while (client.Next(&up)) server.OnFrame(up);
    sync::v1::ServerFrame sent;
    if (!server.Next(&sent)) break;
    client.OnFrame(sent);
    const sync::v1::ServerFrame down = test::Unpacked(sent);
    if (!down.has_update()) continue;
    size_t records = 0;
    for (const auto& group : down.update().groups()) {
      for (const std::string& body : group.bodies()) download.bodies += body.size();
      records += static_cast<size_t>(group.bodies_size());
    }
    download.count += records;
    download.records.push_back(records);
    download.frames.push_back(sent.SerializeAsString());
  }
  Check(client.caught_up(), "capture: the device does not catch up");
  return download;
}

void Site::Start() {
  // What the machine can do is measured, not what a device is granted.
  const server::Limits limits{.edits_per_second = std::numeric_limits<int>::max()};
  node_ = Must(server::Node::Open({.folder = folder_}, false, limits), "the server's folder");
  port_ = Must(node_->Serve({.listen = "127.0.0.1:0"}), "the server").grpc;
  const auto store = OpenStore();
  Check(store->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(tls_.key_pem, reader.GetSetting(server::kServerKey));
    ASSIGN_OR_RETURN(tls_.certificate_pem, reader.GetSetting(server::kServerCertificate));
    return absl::OkStatus();
  }),
        "the server's key");
}

std::string Site::Name(absl::string_view what) {
  return absl::StrCat(folder_, "/", what, ++names_, ".db");
}

std::unique_ptr<client::Store> Site::Enrol(const std::string& file) {
  server::EnrolmentCode code;
  code.code = Hex(SystemEnvironment().random_bytes(10));
  code.person = secretary_;
  code.expires_ms = SystemEnvironment().now_ms() + 60'000;
  Check(OpenStore()->Write([&](server::Writer& writer) { return writer.PutCode(code); }), "code");
  const EnrolmentTicket ticket{absl::StrCat("127.0.0.1:", port_),
                               FingerprintOf(tls_.certificate_pem), code.code};
  auto store = OpenDevice(file);
  Check(client::Enrol(store.get(), ticket.ToText(), "bench"), "enrol");
  return store;
}

uint64_t Site::MergedEdits(DeviceNumber device) {
  uint64_t merged = 0;
  Check(OpenStore()->Read([&](server::Reader& reader) {
    return reader.ReadAudit(device, EditNumber(0), [&](const server::AuditRow& row) {
      if (row.answer.verdict() == sync::v1::MERGED) ++merged;
      return true;
    });
  }),
        "audit");
  return merged;
}

}  // namespace zhibu::bench
