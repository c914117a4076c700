// Test vectors of every byte that is hashed, linked, signed or derived: tests/data/bytes.json.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <sodium.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "sync/base/environment.h"
#include "sync/base/types.h"
#include "sync/crypto/check_in_code.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"
#include "sync/crypto/pass.h"
#include "sync/wire/canonical.h"
#include "sync/wire/compression.h"
#include "sync/wire/record.h"
#include "sync/wire/slots.h"
#include "tests/interop/vectors.h"
#include "zhibu/records/v1/catalogue.pb.h"
#include "zhibu/sync/v1/courier.pb.h"

namespace zhibu::interop {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::Message;

std::string HexOf(uint64_t number) { return absl::StrFormat("%016x", number); }

// Sixteen bytes that tell themselves apart.
std::string IdOf(int n) {
  std::string id = absl::HexStringToBytes("0193a0c4e5f6");
  for (int i = 0; i < 10; ++i) id.push_back(static_cast<char>(16 * n + i));
  return id;
}

struct Key {
  explicit Key(char seed)
      : seed(32, seed),
        pair(
            NewKeyPair({.random_bytes = [seed](size_t size) { return std::string(size, seed); }})) {
  }
  Json Shown() const { return {{"seed", Hex(seed)}, {"public", Hex(pair.public_key)}}; }
  const std::string seed;
  const KeyPair pair;
};

// ---- Edits and their links -------------------------------------------------------------

Json Links() {
  Json links = Json::array();
  uint64_t previous = 0;
  for (uint64_t number = 1; number <= 3; ++number) {
    records::v1::Meeting meeting;
    meeting.set_branch_id(IdOf(9));
    meeting.set_place("礼堂");
    sync::v1::Edit edit;
    sync::v1::Change* change = edit.add_changes();
    change->set_type(31);
    change->set_id(IdOf(static_cast<int>(number)));
    change->set_kind(sync::v1::Change::CREATE);
    change->set_set(meeting.SerializeAsString());
    change->add_special(records::v1::Meeting::kBranchIdFieldNumber);
    edit.set_device_time_ms(1'795'000'000'000 + static_cast<int64_t>(number));
    edit.set_salt(0x0123456789abcdef + number);
    const std::string bytes = edit.SerializeAsString();
    links.push_back({{"number", number},
                     {"previous", HexOf(previous)},
                     {"edit", Hex(bytes)},
                     {"digest", Hex(Digest(bytes))},
                     {"link", HexOf(LinkTo(bytes))}});
    previous = LinkTo(bytes);
  }
  return links;
}

Json Stamps() {
  Json stamps = Json::array();
  for (const int64_t ms : {int64_t{0}, int64_t{1}, int64_t{1'795'000'000'000}}) {
    for (const uint64_t counter : {0, 1, 65535}) {
      stamps.push_back(
          {{"ms", ms}, {"counter", counter}, {"stamp", HexOf(StampAt(ms).value + counter)}});
    }
  }
  return stamps;
}

// ---- Ids that follow from what a record is about ---------------------------------------

// Every field that makes the id, each with a value of its own.
std::unique_ptr<Message> WithIdentity(const RecordType& type) {
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  const auto* reflection = message->GetReflection();
  int n = 0;
  for (const uint32_t number : type.id_from) {
    const FieldDescriptor* field = type.fields.Find(number)->descriptor;
    ++n;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(
            message.get(), field,
            field->type() == FieldDescriptor::TYPE_BYTES ? IdOf(n) : "2026-11-21");
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(message.get(), field, 1 + n);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(message.get(), field, 2025 + n);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message.get(), field, 2025 + n);
        break;
      default:
        ADD_FAILURE() << "no value for " << field->full_name();
    }
  }
  return message;
}

Json Ids() {
  Json ids = Json::array();
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.id_from.empty()) continue;
    const std::string body = WithIdentity(type)->SerializeAsString();
    ids.push_back({{"type", type.number},
                   {"name", type.name},
                   {"id_from", type.id_from},
                   {"record", Hex(body)},
                   {"id", Hex(DeriveId(type, body).value().bytes())}});
  }
  return ids;
}

// ---- Keys of elements ------------------------------------------------------------------

// A message with one field of the given kind.
class Keyed {
 public:
  explicit Keyed(FieldDescriptorProto::Type kind) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("keyed.proto");
    file.set_syntax("proto3");
    auto* stage = file.add_enum_type();
    stage->set_name("Stage");
    for (const auto& [name, number] : {std::pair("NONE", 0), {"FIRST", 1}, {"BEFORE", -1}}) {
      auto* value = stage->add_value();
      value->set_name(name);
      value->set_number(number);
    }
    auto* message = file.add_message_type();
    message->set_name("Keyed");
    auto* field = message->add_field();
    field->set_name("key");
    field->set_number(3);
    field->set_type(kind);
    if (kind == FieldDescriptorProto::TYPE_ENUM) field->set_type_name("Stage");
    descriptor_ = pool_.BuildFile(file)->FindMessageTypeByName("Keyed");
  }

  const FieldDescriptor& field() const { return *descriptor_->field(0); }
  std::string With(const Json& value) {
    const std::unique_ptr<Message> message(factory_.GetPrototype(descriptor_)->New());
    const auto* reflection = message->GetReflection();
    switch (field().cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(message.get(), &field(), value.get<std::string>());
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(message.get(), &field(), value.get<int>());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(message.get(), &field(), value.get<int>() != 0);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(message.get(), &field(), value.get<int32_t>());
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(message.get(), &field(), value.get<int64_t>());
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message.get(), &field(), value.get<uint32_t>());
        break;
      default:
        reflection->SetUInt64(message.get(), &field(), value.get<uint64_t>());
    }
    return message->SerializeAsString();
  }

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  const google::protobuf::Descriptor* descriptor_ = nullptr;
};

Json Keys() {
  Json keys = Json::array();
  const std::vector<std::pair<FieldDescriptorProto::Type, std::vector<Json>>> kinds = {
      {FieldDescriptorProto::TYPE_STRING, {"", "a", "议题"}},
      {FieldDescriptorProto::TYPE_BYTES, {"", "0123456789abcdef"}},
      {FieldDescriptorProto::TYPE_UINT32, {0, 1, 300, 4294967295}},
      {FieldDescriptorProto::TYPE_UINT64, {1, 1ULL << 53}},
      {FieldDescriptorProto::TYPE_INT32, {1, -1}},
      {FieldDescriptorProto::TYPE_INT64, {1, -2}},
      {FieldDescriptorProto::TYPE_SINT32, {1, -1}},
      {FieldDescriptorProto::TYPE_SINT64, {300, -300}},
      {FieldDescriptorProto::TYPE_FIXED32, {7}},
      {FieldDescriptorProto::TYPE_FIXED64, {7}},
      {FieldDescriptorProto::TYPE_SFIXED32, {7, -7}},
      {FieldDescriptorProto::TYPE_SFIXED64, {7, -7}},
      {FieldDescriptorProto::TYPE_BOOL, {0, 1}},
      {FieldDescriptorProto::TYPE_ENUM, {0, 1, -1}},
  };
  for (const auto& kind : kinds) {
    Keyed keyed(kind.first);
    for (const Json& value : kind.second) {
      const std::string element = keyed.With(value);
      keys.push_back({{"kind", keyed.field().type_name()},
                      {"value", value},
                      {"element", Hex(element)},
                      {"key", Hex(CanonicalKey(keyed.field(), element))}});
    }
  }
  return keys;
}

// ---- Who the server is, and who the device ---------------------------------------------

Json Tickets() {
  const EnrolmentTicket ticket{"[::1]:7443", std::string(64, 'a'), "0123456789abcdef0123"};
  return {{{"line", ticket.ToText()},
           {"address", ticket.address},
           {"fingerprint", ticket.fingerprint},
           {"code", ticket.code}}};
}

Json Fingerprints() {
  const std::string der = absl::HexStringToBytes("308201223081c9a003020102");
  const std::string pem = absl::StrCat("-----BEGIN CERTIFICATE-----\n", absl::Base64Escape(der),
                                       "\n-----END CERTIFICATE-----\n");
  return {{{"certificate", Hex(der)}, {"fingerprint", FingerprintOf(pem)}}};
}

Json Proofs() {
  Json proofs = Json::array();
  for (const char seed : {'\1', '\2'}) {
    const Key device(seed);
    sync::v1::Hello hello;
    hello.set_protocol(kProtocolVersion);
    hello.set_device(5);
    hello.set_server_id("0123456789abcdef");
    hello.set_app("interop");
    if (seed == '\2') {
      auto* cursor = hello.add_cursors();
      cursor->set_scope(IdOf(1));
      cursor->set_version(459'520'000'000'001);
      cursor->set_audience(2);
      cursor->set_seal("a seal");
    }
    const std::string bytes = hello.SerializeAsString();
    const std::string nonce(32, static_cast<char>('n' + seed));
    const std::string fingerprint(64, 'a');
    const std::string proof = SignProof(device.pair.secret_key, nonce, fingerprint, bytes);
    EXPECT_TRUE(VerifyProof(device.pair.public_key, nonce, fingerprint, bytes, proof));
    proofs.push_back({{"device", device.Shown()},
                      {"nonce", Hex(nonce)},
                      {"fingerprint", fingerprint},
                      {"hello", Hex(bytes)},
                      {"signature", Hex(proof)}});
  }
  return proofs;
}

// Of a server that says to a device that it is the one that it was.
Json Enrolments() {
  Json enrolments = Json::array();
  for (const char seed : {'\1', '\2'}) {
    const Key server(seed);
    const Key device(static_cast<char>(seed + 2));
    const std::string fingerprint(64, 'b');
    const std::string signature =
        SignEnrolment(server.pair.secret_key, device.pair.public_key, fingerprint);
    EXPECT_TRUE(
        VerifyEnrolment(server.pair.public_key, device.pair.public_key, fingerprint, signature));
    enrolments.push_back({{"server", server.Shown()},
                          {"device", device.Shown()},
                          {"fingerprint", fingerprint},
                          {"signature", Hex(signature)}});
  }
  return enrolments;
}

// ---- What is carried by hand -----------------------------------------------------------

unsigned char* Bytes(std::string* text) { return reinterpret_cast<unsigned char*>(text->data()); }
const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// As libsodium's crypto_box_seal, whose passing key is chance, with one that is not.
std::string BoxFor(const std::string& reader, const std::string& plain) {
  std::string to(crypto_box_PUBLICKEYBYTES, '\0');
  EXPECT_EQ(crypto_sign_ed25519_pk_to_curve25519(Bytes(&to), Bytes(reader)), 0);
  std::string passing_public(crypto_box_PUBLICKEYBYTES, '\0');
  std::string passing_secret(crypto_box_SECRETKEYBYTES, '\0');
  const std::string seed(crypto_box_SEEDBYTES, '\7');
  crypto_box_seed_keypair(Bytes(&passing_public), Bytes(&passing_secret), Bytes(seed));
  std::string nonce(crypto_box_NONCEBYTES, '\0');
  const std::string of = passing_public + to;
  crypto_generichash(Bytes(&nonce), nonce.size(), Bytes(of), of.size(), nullptr, 0);
  std::string box(plain.size() + crypto_box_MACBYTES, '\0');
  EXPECT_EQ(crypto_box_easy(Bytes(&box), Bytes(plain), plain.size(), Bytes(nonce), Bytes(to),
                            Bytes(passing_secret)),
            0);
  return passing_public + box;
}

Json LetterOf(Cargo cargo, const std::string& content, const Key& writer, const Key& reader) {
  const std::string sealed =
      SealCargo(cargo, content, writer.pair.secret_key, reader.pair.public_key).value();
  const sync::v1::Letter letter = UnsealCargo(sealed, reader.pair.secret_key).value();
  EXPECT_TRUE(SignedBy(writer.pair.public_key, cargo, letter, reader.pair.public_key));
  const std::string box = BoxFor(reader.pair.public_key, letter.SerializeAsString());
  EXPECT_EQ(UnsealCargo(box, reader.pair.secret_key).value().SerializeAsString(),
            letter.SerializeAsString());
  return {{"cargo", cargo == Cargo::kBundle ? "bundle" : "receipt"},
          {"writer", writer.Shown()},
          {"reader", reader.Shown()},
          {"content", Hex(content)},
          {"signature", Hex(letter.signature())},
          {"sealed", Hex(box)}};
}

Json Letters() {
  const Key device('\3');
  const Key server('\4');
  sync::v1::Bundle bundle;
  bundle.set_device(5);
  bundle.set_incarnation("first");
  bundle.add_edits()->set_number(1);
  sync::v1::Receipt receipt;
  receipt.set_device(5);
  receipt.set_incarnation("first");
  auto* answer = receipt.add_answers();
  answer->set_number(1);
  answer->set_verdict(sync::v1::MERGED);
  return {LetterOf(Cargo::kBundle, bundle.SerializeAsString(), device, server),
          LetterOf(Cargo::kReceipt, receipt.SerializeAsString(), server, device)};
}

Json CheckInCodes() {
  const Key device('\5');
  const auto code = MakeCheckInCode(*Id::FromBytes(IdOf(1)), *Id::FromBytes(IdOf(2)),
                                    DeviceNumber(5), 1'795'000'000'000, device.pair.secret_key);
  EXPECT_TRUE(VerifyCheckInCode(code, device.pair.public_key));
  return {{{"device", device.Shown()},
           {"shown_ms", 1'795'000'000'000},
           {"code", Hex(code.SerializeAsString())},
           {"text", ToText(code)}}};
}

Json Passes() {
  const Key server('\6');
  sync::v1::PassToken token;
  token.set_pass_id(IdOf(1));
  token.set_member_id(IdOf(2));
  token.set_number("2026-001");
  token.set_name("张三");
  token.set_issuer("青石村党支部");
  token.set_from("2026-01-01");
  token.set_until("2026-12-31");
  token = SignPass(token, server.pair.secret_key);
  EXPECT_EQ(JudgePass(token, server.pair.public_key, "2026-11-21"), PassFinding::kValid);
  return {{{"server", server.Shown()},
           {"pass", Hex(token.SerializeAsString())},
           {"text", ToText(token)}}};
}

// As some encoder has made it: what another makes of the same frame may be other bytes.
constexpr char kCompressed[] =
    "28b52ffd20ab850100f301071818183d8fbbdd66b3d9ec9176cfe3e62"
    "bd0c4d9ec11bee771f38cf105fcba40b5846eb5651eceddc5be47043c";

Json CompressedFrames() {
  sync::v1::ClientFrame frame;
  for (uint64_t number = 1; number <= 3; ++number) {
    auto* edit = frame.mutable_push()->add_edits();
    edit->set_number(number);
    edit->set_stamp(number << 32);
    edit->set_edit(std::string(40, 'a') + static_cast<char>(number));
  }
  Compressor compressor;
  const auto content = compressor.Decompress(absl::HexStringToBytes(kCompressed), 1 << 20);
  EXPECT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(Hex(content.value_or("")), Hex(frame.SerializeAsString()));
  return {{{"dictionary", DictionaryNumber()},
           {"frame", Hex(frame.SerializeAsString())},
           {"compressed", kCompressed}}};
}

TEST(Vectors, OfEveryByteThatIsHashedLinkedSignedOrDerived) {
  ExpectVectors("bytes.json", {{"tickets", Tickets()},
                               {"fingerprints", Fingerprints()},
                               {"proofs", Proofs()},
                               {"enrolments", Enrolments()},
                               {"links", Links()},
                               {"stamps", Stamps()},
                               {"ids", Ids()},
                               {"keys", Keys()},
                               {"letters", Letters()},
                               {"check_in_codes", CheckInCodes()},
                               {"passes", Passes()},
                               {"compressed_frames", CompressedFrames()}});
}

}  // namespace
}  // namespace zhibu::interop
