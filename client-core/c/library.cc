// What needs no store: what is open, JSON, the schema, certificates.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>

#include <cstdlib>
#include <set>

#include "absl/strings/match.h"
#include "client-core/c/call.h"
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "sync/schema/codes.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"

namespace zhibu::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

constexpr uint32_t kAbiVersion = 17;

// A record type by its name, or any message of ours by its full one.
absl::StatusOr<std::unique_ptr<Message>> NewMessage(absl::string_view name) {
  const RecordType* type = CatalogueSchema()->FindByName(name);
  const Descriptor* descriptor = type == nullptr ? nullptr : type->descriptor;
  if (descriptor == nullptr && absl::StartsWith(name, "zhibu.")) {
    descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(name));
  }
  if (descriptor == nullptr) return Refuse(sync::v1::UNKNOWN_TYPE, name);
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

// Those that it imports first.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* added,
             FileDescriptorSet* all) {
  if (!added->insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, all);
  google::protobuf::FileDescriptorProto* told = all->add_file();
  file.CopyTo(told);
  file.CopyJsonNameTo(told);  // which some platforms do not work out by themselves
}

FileDescriptorSet AllFiles() {
  FileDescriptorSet all;
  std::set<const FileDescriptor*> added;
  AddFile(*api::v1::Error::descriptor()->file(), &added, &all);
  AddFile(*sync::v1::Edit::descriptor()->file(), &added, &all);
  AddFile(*sync::v1::Page::descriptor()->file(), &added, &all);
  for (const RecordType& type : CatalogueSchema()->types()) {
    AddFile(*type.descriptor->file(), &added, &all);
  }
  return all;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT: the functions of C have no namespace
using namespace zhibu::client;  // NOLINT

uint32_t zhibu_abi_version(void) { return kAbiVersion; }

void zhibu_free(zhibu_out* out) {
  if (out == nullptr) return;
  std::free(out->data);
  *out = {nullptr, 0};
}

uint64_t zhibu_live(void) { return AllHandles().live(); }

int32_t zhibu_to_json(zhibu_in type, zhibu_in body, zhibu_out* json, zhibu_out* error) {
  return Call(json, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view name, BytesIn(type));
    ASSIGN_OR_RETURN(const auto message, NewMessage(name));
    RETURN_IF_ERROR(ReadInto(body, message.get()));
    return ToJson(*message);
  });
}

int32_t zhibu_from_json(zhibu_in type, zhibu_in json, zhibu_out* body, zhibu_out* error) {
  return Call(body, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view name, BytesIn(type));
    ASSIGN_OR_RETURN(const auto message, NewMessage(name));
    ASSIGN_OR_RETURN(const absl::string_view text, BytesIn(json));
    RETURN_IF_ERROR(FromJson(text, message.get()));
    return Bytes(*message);
  });
}

int32_t zhibu_schema(zhibu_out* descriptors, zhibu_out* error) {
  return Call(descriptors, error, [] { return Answer(Bytes(AllFiles())); });
}

int32_t zhibu_certificate_is(zhibu_in certificate, zhibu_in fingerprint, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view met, BytesIn(certificate));
    ASSIGN_OR_RETURN(const absl::string_view meant, BytesIn(fingerprint));
    const std::string is =
        absl::StartsWith(met, "-----BEGIN") ? FingerprintOf(met) : FingerprintOfDer(met);
    if (is.empty() || is != meant) return Refuse(sync::v1::OTHER_SERVER, "");
    return std::string();
  });
}

int32_t zhibu_codes(zhibu_in table, zhibu_out* codes, zhibu_out* error) {
  return Call(codes, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view name, BytesIn(table));
    const CodeTable* found = FindCodeTable(name);
    if (found == nullptr) return Refuse(sync::v1::BAD_VALUE, name);
    api::v1::CodeTable told;
    for (const Code& code : found->codes()) {
      api::v1::CodeTable::Code& one = *told.add_codes();
      one.set_code(code.code());
      one.set_zh(code.zh());
      one.set_en(code.en());
    }
    return Bytes(told);
  });
}
