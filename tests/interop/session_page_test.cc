// One whole session in hex, frame by frame and field by field, as docs/wire.md shows it: what the
// product says in the situation that the page tells of.
#include <google/protobuf/descriptor.h>

#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client-core/session.h"
#include "server/sessions/session.h"
#include "sync/wire/wire.h"
#include "tests/interop/vectors.h"
#include "tests/support/world.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::interop {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using records::v1::Meeting;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;
using test::Phone;
using test::World;

// A message as bytes, a line for each field.
class Annotated {
 public:
  std::string Of(const Descriptor& message, absl::string_view bytes) {
    Add(message, bytes, 1);
    return std::move(text_);
  }

 private:
  // What a bytes field holds, where that is a message.
  static const Descriptor* HeldIn(const FieldDescriptor& field) {
    const std::string name(field.full_name());
    if (name == "zhibu.sync.v1.ClientFrame.hello") return sync::v1::Hello::descriptor();
    if (name == "zhibu.sync.v1.NumberedEdit.edit") return sync::v1::Edit::descriptor();
    // The one type of record in this session.
    const bool record = name == "zhibu.sync.v1.Change.set" || name == "zhibu.sync.v1.Group.bodies";
    return record ? Meeting::descriptor() : field.message_type();
  }

  static std::string ValueOf(const FieldDescriptor& field, const wire::Field& value) {
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      return absl::StrCat("\"", value.payload, "\"");
    }
    if (field.type() == FieldDescriptor::TYPE_FIXED64) {
      return absl::StrFormat("0x%016x", value.scalar);
    }
    if (field.type() == FieldDescriptor::TYPE_ENUM) {
      const auto* name = field.enum_type()->FindValueByNumber(static_cast<int>(value.scalar));
      return name != nullptr ? std::string(name->name()) : absl::StrCat(value.scalar);
    }
    if (field.is_packed()) {
      std::string numbers;
      wire::PackedReader reader(wire::Type::kVarint, value.payload);
      for (wire::Field one; reader.Next(&one);) {
        absl::StrAppend(&numbers, numbers.empty() ? "" : ", ", one.scalar);
      }
      return numbers;
    }
    if (value.type == wire::Type::kBytes) return absl::StrCat(value.payload.size(), " bytes");
    return absl::StrCat(value.scalar);
  }

  void Add(const Descriptor& message, absl::string_view bytes, int depth) {
    wire::Reader reader(bytes);
    for (wire::Field field; reader.Next(&field);) {
      const FieldDescriptor& declared = *message.FindFieldByNumber(static_cast<int>(field.number));
      const std::string indent(2 * depth, ' ');
      const Descriptor* held = HeldIn(declared);
      if (field.type == wire::Type::kBytes && held != nullptr) {
        const size_t head = field.whole.size() - field.payload.size();
        AddLine(indent, field.whole.substr(0, head),
                absl::StrCat(declared.name(), ": ", held->name(), ", ", field.payload.size(),
                             " bytes"));
        Add(*held, field.payload, depth + 1);
      } else {
        AddLine(indent, field.whole, absl::StrCat(declared.name(), ": ", ValueOf(declared, field)));
      }
    }
    EXPECT_TRUE(reader.ok());
  }

  // Sixteen bytes a line; what they say stands on the first.
  void AddLine(const std::string& indent, absl::string_view bytes, const std::string& says) {
    for (size_t at = 0; at < bytes.size(); at += 16) {
      const std::string hex = absl::BytesToHexString(bytes.substr(at, 16));
      const std::string line = absl::StrCat(at == 0 ? indent : indent + "  ", hex);
      absl::StrAppend(&text_, at == 0 ? absl::StrFormat("%-46s %s", line, says) : line, "\n");
    }
  }

  std::string text_;
};

// Zhang, the secretary, has synced before, has then recorded a meeting without a network, and
// reaches the server again. Nobody else has done anything.
class Zhangs {
 public:
  Zhangs() {
    world_.fate().constant = true;  // ids and keys do not hang on how much chance was asked for
    const Id branch = Later([&] { return world_.Branch("青石村党支部"); });
    const Id zhang = Later([&] { return world_.Person("张", branch); });
    world_.Appoint(zhang, branch, SECRETARY);
    phone_ = &world_.Enrol(zhang);
    world_.PhoneFate(*phone_).constant = true;
    EXPECT_EQ(world_.Sync(*phone_), absl::OkStatus());
    world_.Wait(60'000);
    phone_->Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_place("礼堂");
    });
    world_.Wait(60'000);
  }

  std::string Session() {
    client::Session client(&phone_->store());
    server::Session server(&world_.store(), &world_.ingest(), world_.fate().environment());
    EXPECT_EQ(client.Start(), absl::OkStatus());
    std::string text;
    ClientFrame up;
    ServerFrame down;
    while (true) {
      if (client.Next(&up)) {
        text += Shown("device → server", up);
        server.OnFrame(up);
        const auto submitted = server.TakeSubmitted();
        if (!submitted.empty()) server.OnResults(world_.Commit(submitted));
      } else if (server.Next(&down)) {
        text += Shown("server → device", down);
        client.OnFrame(down);
      } else {
        break;
      }
    }
    EXPECT_TRUE(client.caught_up());
    return text;
  }

 private:
  template <typename F>
  Id Later(F make) {
    world_.Wait(1);
    return make();
  }
  template <typename Frame>
  static std::string Shown(const char* way, const Frame& frame) {
    const Frame read = test::Unpacked(frame);
    const auto* field = read.GetDescriptor()->FindFieldByNumber(read.frame_case());
    const std::string bytes = read.SerializeAsString();
    const std::string travels =
        frame.has_compressed()
            ? absl::StrCat("; travels compressed, ", frame.ByteSizeLong(), " bytes")
            : "";
    return absl::StrCat(way, "   ", field->name(), ", ", bytes.size(), " bytes", travels, "\n",
                        Annotated().Of(*read.GetDescriptor(), bytes), "\n");
  }

  World world_;
  Phone* phone_ = nullptr;
};

constexpr char kBegin[] = "<!-- Made by a session: session_page_test.cc -->\n";
constexpr char kEnd[] = "<!-- to here -->\n";

TEST(SessionPage, ShowsWhatIsSaid) {
  const std::string file = absl::StrCat(ZHIBU_DOCS, "/wire.md");
  std::stringstream read;
  read << std::ifstream(file).rdbuf();
  const std::string page = read.str();
  const size_t begin = page.find(kBegin);
  const size_t end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << file;
  ExpectFile(file,
             absl::StrCat(page.substr(0, begin), kBegin, "```\n", Zhangs().Session(), "```\n",
                          page.substr(end)),
             "ZHIBU_WRITE_DOCS");
}

}  // namespace
}  // namespace zhibu::interop
