#include "sync/rules/notice.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/parse.h"
#include "sync/rules/typed.h"
#include "sync/wire/contact.h"
#include "sync/wire/worded.h"
#include "zhibu/records/v1/notice.pb.h"

namespace zhibu {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Notice;
using sync::v1::Edit;

namespace {

// As an ordinary member of a host branch: who reads a notice may be anybody.
constexpr Eyes kPublic{.at_home = 0, .as_host = 1u << MEMBER};

// Ids mean nothing to people.
void ClearIds(Message* message) {
  std::vector<const FieldDescriptor*> fields;
  message->GetReflection()->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_BYTES) {
      message->GetReflection()->ClearField(message, field);
    }
  }
}

// What people wrote into the record may hold numbers, too.
std::string WithoutContact(absl::string_view lines) {
  std::string left;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    if (!HoldsContact(line)) absl::StrAppend(&left, line, "\n");
  }
  return left;
}

// A notice is read on every phone of the branch; the record itself lies where it lies.
constexpr size_t kShownBytesMax = 8000;
// Of all that the notices of one edit show: to put a megabyte into words takes a tenth of a second.
constexpr size_t kSubjectBytesMax = 4 << 20;

// Whole lines, as many as there is room for.
std::string Cut(std::string lines) {
  if (lines.size() <= kShownBytesMax) return lines;
  const size_t end = lines.rfind('\n', kShownBytesMax - 1);
  return end == std::string::npos ? "" : lines.substr(0, end + 1);
}

absl::StatusOr<std::string> ShownOf(Lookup& reader, const Schema& schema, const Notice& notice) {
  const RecordType* type = schema.Find(notice.subject_type());
  const auto id = Id::FromBytes(notice.subject_id());
  // Of a notice there is nothing more to show.
  if (type == nullptr || !id || type->number == TypeOf<Notice>().number) return "";
  ASSIGN_OR_RETURN(RecordState state, reader.GetRecord({type->number, *id}));
  const std::vector<Placed> places = PlacesOf(*type, *id, state.body);
  const bool kept = std::any_of(places.begin(), places.end(), [&](const Placed& placed) {
    return placed.place == OWNER && placed.scope.bytes() == notice.branch_id();
  });
  if (!state.alive() || !kept || !kPublic.Meet(ReadersOf(schema, *type, state.body))) return "";
  Redact(*type, HiddenFrom(*type, kPublic, HostSightOf(*type, state.body)), &state);
  const std::unique_ptr<Message> subject = ParseAs(*type, state.body);
  ClearIds(subject.get());
  return Cut(WithoutContact(Lines(*subject, {Language::kChinese, nullptr})));
}

// Adds to `edit` what is to be shown; nothing where that is shown already.
absl::Status AddShown(Lookup& reader, const Schema& schema, const RecordKey& key, Edit* edit) {
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord(key));
  if (!state.alive()) return absl::OkStatus();
  auto notice = Parse<Notice>(state.body);
  ASSIGN_OR_RETURN(*notice.mutable_shown(), ShownOf(reader, schema, notice));
  AddChange(*schema.Find(key.type), key.id, state, notice, edit);
  return absl::OkStatus();
}

class ShownSubject : public Rule {
 public:
  explicit ShownSubject(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}

  bool Concerns(const RecordType& type) const override { return IsA<Notice>(type); }

  absl::Status JudgeAll(const Case& of) const override {
    size_t subjects = 0;
    for (const Step& step : of.steps) {
      if (!IsA<Notice>(step.type) || !step.after.alive()) continue;
      const auto notice = Parse<Notice>(step.after.body);
      const auto id = Id::FromBytes(notice.subject_id());
      if (schema_->Find(notice.subject_type()) == nullptr || !id) continue;
      ASSIGN_OR_RETURN(const RecordState state, of.lookup.GetShown({notice.subject_type(), *id}));
      subjects += state.body.size() + state.trace.size();
      if (subjects > kSubjectBytesMax) return TooLarge("subject_id", subjects, kSubjectBytesMax);
    }
    return absl::OkStatus();
  }

  absl::Status Follow(const Case& of, const Step& step, Consequences* follows) const override {
    return AddShown(of.lookup, *schema_, {step.type.number, step.id}, &follows->edit);
  }

 private:
  const std::shared_ptr<const Schema> schema_;
};

}  // namespace

std::unique_ptr<const Rule> NoticeRule(std::shared_ptr<const Schema> schema) {
  return std::make_unique<ShownSubject>(std::move(schema));
}

}  // namespace zhibu
