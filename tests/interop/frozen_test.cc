// What is frozen (docs/wire.md): every message, field, enum value and method that has travelled
// keeps its number, type and meaning. tests/data/frozen.txt lists them, one a line. A line may be
// added; one that is no longer true breaks whoever was built before.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "tests/interop/vectors.h"
#include "zhibu/records/v1/catalogue.pb.h"
#include "zhibu/schema/v1/options.pb.h"
#include "zhibu/sync/v1/check_in.pb.h"
#include "zhibu/sync/v1/courier.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/pass.pb.h"
#include "zhibu/sync/v1/sync.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::interop {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

class Listing {
 public:
  void Add(const FileDescriptor* file) {
    if (!seen_.insert(file).second || !absl::StartsWith(file->package(), "zhibu")) return;
    for (int i = 0; i < file->dependency_count(); ++i) Add(file->dependency(i));
    for (int i = 0; i < file->message_type_count(); ++i) Add(*file->message_type(i));
    for (int i = 0; i < file->enum_type_count(); ++i) Add(*file->enum_type(i));
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) {
        const auto* method = service->method(j);
        lines_.insert(absl::StrCat(
            method->full_name(), " ", method->client_streaming(), method->server_streaming(), " ",
            method->input_type()->full_name(), " ", method->output_type()->full_name()));
      }
    }
  }
  const std::set<std::string>& lines() const { return lines_; }

 private:
  void Add(const Descriptor& message) {
    if (message.options().map_entry()) return;
    const auto& record = message.options().GetExtension(zhibu::record);
    if (record.type() != 0) {
      std::string line = absl::StrCat(message.full_name(), " is type ", record.type());
      for (const std::string& field : record.id_from()) absl::StrAppend(&line, " id:", field);
      lines_.insert(line);
    }
    for (int i = 0; i < message.field_count(); ++i) AddField(*message.field(i));
    for (int i = 0; i < message.nested_type_count(); ++i) Add(*message.nested_type(i));
    for (int i = 0; i < message.enum_type_count(); ++i) Add(*message.enum_type(i));
  }
  void AddField(const FieldDescriptor& field) {
    const auto& options = field.options();
    const auto* oneof = field.real_containing_oneof();
    const auto type_of = [](const FieldDescriptor& f) {
      return absl::StrCat(f.type_name(), f.message_type() != nullptr
                                             ? absl::StrCat(" ", f.message_type()->full_name())
                                         : f.enum_type() != nullptr
                                             ? absl::StrCat(" ", f.enum_type()->full_name())
                                             : "");
    };
    std::string line = absl::StrCat(field.full_name(), " = ", field.number(), " ");
    if (field.is_map()) {
      absl::StrAppend(&line, "map of ", type_of(*field.message_type()->map_key()), " to ",
                      type_of(*field.message_type()->map_value()));
    } else {
      absl::StrAppend(&line, field.is_repeated() ? "repeated " : "", type_of(field));
    }
    if (field.is_packed()) absl::StrAppend(&line, " packed");
    if (oneof != nullptr) absl::StrAppend(&line, " oneof:", oneof->name());
    if (const Policy policy = options.GetExtension(zhibu::merge); policy != LATEST) {
      absl::StrAppend(&line, " ", Policy_Name(policy));
    }
    if (options.HasExtension(zhibu::key)) {
      absl::StrAppend(&line, " key:", options.GetExtension(zhibu::key));
    }
    if (const Place place = options.GetExtension(zhibu::place); place != NOWHERE) {
      absl::StrAppend(&line, " ", Place_Name(place));
    }
    lines_.insert(line);
  }
  void Add(const EnumDescriptor& type) {
    for (int i = 0; i < type.value_count(); ++i) {
      lines_.insert(absl::StrCat(type.full_name(), " ", type.value(i)->name(), " = ",
                                 type.value(i)->number()));
    }
  }

  std::set<const FileDescriptor*> seen_;
  std::set<std::string> lines_;
};

TEST(Frozen, NoLineThatIsThereCeasesToBeTrueAndNewOnesAreWrittenDown) {
  Listing is;
  is.Add(sync::v1::ClientFrame::descriptor()->file());
  is.Add(sync::v1::Bundle::descriptor()->file());
  is.Add(sync::v1::Edit::descriptor()->file());
  is.Add(sync::v1::Trace::descriptor()->file());
  is.Add(sync::v1::CheckInCode::descriptor()->file());
  is.Add(sync::v1::PassToken::descriptor()->file());
  is.Add(records::v1::Catalogue::descriptor()->file());
  const std::string file = absl::StrCat(ZHIBU_TEST_DATA, "/frozen.txt");
  std::set<std::string> frozen;
  std::ifstream read(file);
  for (std::string line; std::getline(read, line);) frozen.insert(line);
  for (const std::string& line : frozen) {
    EXPECT_TRUE(is.lines().contains(line)) << "no longer true: " << line;
  }
  if (HasFailure()) return;
  std::string all;
  for (const std::string& line : is.lines()) absl::StrAppend(&all, line, "\n");
  ExpectFile(file, all, "ZHIBU_WRITE_VECTORS");
}

}  // namespace
}  // namespace zhibu::interop
