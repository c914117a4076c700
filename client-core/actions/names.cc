#include "client-core/actions/names.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client-core/actions/known.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/shown.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Transfer;

namespace {

constexpr size_t kAlikeMax = 5;     // titles that are told where none is meant
constexpr size_t kChoicesMax = 20;  // of several that are meant

bool IsReference(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_BYTES && BytesMaxOf(field) == Id::kSize;
}

Place PlaceOf(const FieldDescriptor& field) { return field.options().GetExtension(zhibu::place); }

bool IsSet(const Message& record, const FieldDescriptor& field) {
  return !field.is_repeated() && [&] {
    std::vector<const FieldDescriptor*> fields;
    record.GetReflection()->ListFields(record, &fields);
    return std::count(fields.begin(), fields.end(), &field) > 0;
  }();
}

// The first single field that is set and fits.
template <typename Fits>
const FieldDescriptor* FirstSet(const RecordType& type, const Message& record, Fits fits) {
  for (const FieldRule& rule : type.fields.rules()) {
    const FieldDescriptor& field = *rule.descriptor;
    if (fits(field) && IsSet(record, field)) return &field;
  }
  return nullptr;
}

bool IsOwnName(const FieldDescriptor& field) {
  return field.name() == "name" || field.name() == "title" || field.name() == "topic";
}

// A few lines of text that people write.
bool IsLine(const FieldDescriptor& field) {
  constexpr uint32_t kBytesMax = 3000;
  const Format format = field.options().GetExtension(zhibu::format);
  if (field.options().GetExtension(zhibu::means) == FIELD) return !field.is_repeated();
  return field.type() == FieldDescriptor::TYPE_STRING && (format == ANY || format == NO_CONTACT) &&
         BytesMaxOf(field) <= kBytesMax;
}

bool IsDay(const FieldDescriptor& field) {
  const Format format = field.options().GetExtension(zhibu::format);
  const Descriptor* message = field.message_type();
  return format == DATE || format == MONTH || format == DAY_OR_MONTH || field.name() == "year" ||
         (message != nullptr && message->well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP);
}

// The field beside an id that says what it names, as it was when that was written:
// "member_id" and "member_name", "from_branch_id" and "from_name", "first_id" and "first_named".
const FieldDescriptor* NameBeside(const FieldDescriptor& id) {
  if (id.is_repeated() || !IsReference(id)) return nullptr;
  const absl::string_view base = absl::StripSuffix(id.name(), "_id");
  const absl::string_view shorter = absl::StripSuffix(base, "_branch");
  for (const std::string& name : {absl::StrCat(base, "_name"), absl::StrCat(base, "_named"),
                                  absl::StrCat(shorter, "_name")}) {
    const FieldDescriptor* field = id.containing_type()->FindFieldByName(name);
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_STRING) return field;
  }
  return nullptr;
}

std::string Join(const std::string& first, const std::string& second) {
  return absl::StrCat(first, first.empty() || second.empty() ? "" : " ", second);
}

std::string InQuotes(const std::string& text) { return absl::StrCat("“", text, "”"); }

}  // namespace

Names::Names(Store& store, Language language)
    : store_(store),
      language_(language),
      wording_{language,
               [this](const FieldDescriptor& field, const Id& id) { return NameOf(field, id); }} {}

std::string Names::TitleOf(const RecordType& type, const Id& id, const Message& record) {
  const auto words = [&](const FieldDescriptor* field) {
    return field == nullptr ? "" : ValueOf(record, *field, wording_);
  };
  if (const FieldDescriptor* name = FirstSet(type, record, &IsOwnName)) return words(name);
  std::string title;
  for (const uint32_t number : type.id_from) {
    const FieldDescriptor* field = type.fields.Find(number)->descriptor;
    if (IsSet(record, *field)) title = Join(title, words(field));
  }
  if (!title.empty()) return title;
  const FieldDescriptor* line = FirstSet(type, record, &IsLine);
  // Whom it is about; what says a field says of which record.
  const bool of_record = line != nullptr && line->options().GetExtension(zhibu::means) == FIELD;
  const FieldDescriptor* of = FirstSet(type, record, [&](const FieldDescriptor& field) {
    return IsReference(field) &&
           (PlaceOf(field) == PERSON || (of_record && PlaceOf(field) == NOWHERE));
  });
  const std::string day = words(FirstSet(type, record, &IsDay));
  if (of != nullptr)
    return Join(words(of), line != nullptr && (of_record || day.empty()) ? words(line) : day);
  if (line != nullptr) return words(line);
  const FieldDescriptor* kind = FirstSet(
      type, record, [](const FieldDescriptor& field) { return field.enum_type() != nullptr; });
  if (kind != nullptr || !day.empty()) return Join(words(kind), day);
  // When it was made is the beginning of its id.
  uint64_t ms = 0;
  for (const char byte : id.bytes().substr(0, 6)) ms = ms << 8 | static_cast<unsigned char>(byte);
  return TimeInWords(static_cast<int64_t>(ms));
}

std::string Names::TitleOf(const RecordType& type, const Id& id) {
  const auto known = titles_.find(id);
  if (known != titles_.end()) return known->second;
  const absl::StatusOr<Draft> draft = store_.Edit(type, id);
  if (!draft.ok()) return KnownElsewhere(id);
  return titles_[id] = TitleOf(type, id, draft->message());
}

std::string Names::NameOf(const FieldDescriptor& field, const Id& id) {
  const auto known = titles_.find(id);
  if (known != titles_.end()) return known->second;
  for (const RecordType* type : TypesFor(field)) {
    const absl::StatusOr<Draft> draft = store_.Edit(*type, id);
    if (!draft.ok()) continue;
    // One that names itself in a ring is called by what is known so far.
    titles_[id] = "";
    return titles_[id] = TitleOf(*type, id, draft->message());
  }
  return titles_[id] = KnownElsewhere(id);
}

std::vector<const RecordType*> Names::TypesFor(const FieldDescriptor& field) const {
  const Schema& schema = store_.schema();
  const auto& options = field.options();
  for (const std::string& name :
       {options.GetExtension(zhibu::kept_with), options.GetExtension(zhibu::refers_to)}) {
    if (const RecordType* type = name.empty() ? nullptr : schema.FindByName(name)) return {type};
  }
  const Place place = PlaceOf(field);
  std::vector<const RecordType*> types;
  for (const auto* first : {Member::descriptor(), Organisation::descriptor()}) {
    if (const RecordType* type = schema.Find(first)) types.push_back(type);
  }
  if (place == PERSON && !types.empty()) return {types.front()};
  for (const RecordType& type : schema.types()) {
    if (std::count(types.begin(), types.end(), &type) == 0) types.push_back(&type);
  }
  return types;
}

// ---- What is not here ------------------------------------------------------------

std::string Names::KnownElsewhere(const Id& id) {
  if (!elsewhere_) ReadWhatIsKnown();
  const auto known = elsewhere_->find(id);
  return known == elsewhere_->end() ? "" : known->second;
}

void Names::ReadWhatIsKnown() {
  elsewhere_.emplace();
  for (const RecordType& type : store_.schema().types()) ReadNamesOf(type);
  ReadTransfers();
}

void Names::ReadNamesOf(const RecordType& type) {
  std::vector<std::pair<const FieldDescriptor*, const FieldDescriptor*>> pairs;
  for (const FieldRule& rule : type.fields.rules()) {
    const FieldDescriptor* name = NameBeside(*rule.descriptor);
    if (name != nullptr) pairs.emplace_back(rule.descriptor, name);
  }
  if (pairs.empty()) return;
  // One that is damaged hides no other.
  store_
      .List({.type = type.number},
            [&](const Id&, const Message& record) {
              for (const auto& [field, beside] : pairs) {
                const auto id = Id::FromBytes(record.GetReflection()->GetString(record, field));
                const std::string name = record.GetReflection()->GetString(record, beside);
                if (id && !name.empty()) (*elsewhere_)[*id] = name;
              }
              return true;
            })
      .IgnoreError();
}

// Who has gone is told with where they went.
void Names::ReadTransfers() {
  if (store_.schema().Find(Transfer::descriptor()) == nullptr) return;
  Each<Transfer>(store_, [&](const Id&, const Transfer& transfer) {
    const auto member = Id::FromBytes(transfer.member_id());
    const bool gone =
        transfer.state() == Transfer::RECEIVED || transfer.state() == Transfer::CLOSED;
    if (!member || !gone || transfer.member_name().empty()) return true;
    (*elsewhere_)[*member] =
        language_ == Language::kChinese
            ? absl::StrCat(transfer.member_name(), "（", transfer.received(), " 转往",
                           transfer.to_name(), "）")
            : absl::StrCat(transfer.member_name(), " (transferred on ", transfer.received(), " to ",
                           transfer.to_name(), ")");
    return true;
  }).IgnoreError();
}

// ---- Which one is meant ------------------------------------------------------------

absl::StatusOr<Names::Hits> Names::Look(const RecordType& type, const std::string& text) {
  Hits hits;
  const absl::Status status =
      store_.List({.type = type.number}, [&](const Id& id, const Message& record) {
        const std::string title = TitleOf(type, id, record);
        const FieldDescriptor* day = FirstSet(type, record, &IsDay);
        const Hit hit{id, day == nullptr ? "" : ValueOf(record, *day, wording_)};
        if (title == text) {
          hits.exact.push_back(hit);
        } else if (absl::StartsWith(title, absl::StrCat(text, " "))) {
          hits.begun.push_back({id, title});
        } else if (!text.empty() && absl::StrContains(title, text)) {
          hits.alike.push_back(title);
        }
        return true;
      });
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  return hits;
}

namespace {

// "七月党员大会#2": the name, and which of those that bear it; 0: it is not said.
std::pair<std::string, size_t> WithoutNumber(const std::string& text) {
  const size_t at = text.rfind('#');
  size_t number = 0;
  if (at == std::string::npos || at + 1 == text.size()) return {text, 0};
  const auto [end, error] =
      std::from_chars(text.data() + at + 1, text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::pair(text.substr(0, at), number) : std::pair(text, size_t{0});
}

}  // namespace

absl::StatusOr<Id> Names::Find(const RecordType& type, const std::string& text) {
  if (const auto id = IdFromText(text)) return *id;
  auto [name, number] = WithoutNumber(text);
  ASSIGN_OR_RETURN(Hits hits, Look(type, text));
  if (hits.exact.empty() && number != 0) {
    ASSIGN_OR_RETURN(hits, Look(type, name));
  } else {
    number = 0;
    name = text;
  }
  const std::vector<Hit>& found = hits.exact.empty() ? hits.begun : hits.exact;
  if (number != 0 && number <= found.size()) return found[number - 1].id;
  if (number == 0 && found.size() == 1) return found.front().id;
  const auto label = [&](Language language) { return WordsOf(*type.descriptor, language); };
  if (found.empty() || number != 0) {
    hits.alike.resize(std::min(hits.alike.size(), kAlikeMax));
    const std::string alike = absl::StrJoin(hits.alike, "、");
    return Refuse(
        sync::v1::NOT_HERE,
        InBoth(absl::StrCat("叫", InQuotes(text), "的", label(Language::kChinese),
                            alike.empty() ? "" : absl::StrCat("（相近的有 ", alike, "）")),
               absl::StrCat(label(Language::kEnglish), " called ", InQuotes(text),
                            alike.empty() ? "" : absl::StrCat(" (alike: ", alike, ")"))));
  }
  std::string choices;
  for (size_t i = 0; i < std::min(found.size(), kChoicesMax); ++i) {
    absl::StrAppend(&choices, i == 0 ? "" : "、", name, "#", i + 1,
                    found[i].about.empty() ? "" : absl::StrCat("（", found[i].about, "）"));
  }
  return Refuse(sync::v1::SEVERAL_MEANT,
                InBoth(absl::StrCat(label(Language::kChinese), " ", choices),
                       absl::StrCat(label(Language::kEnglish), " ", choices)));
}

absl::StatusOr<Id> Names::FindFor(const FieldDescriptor& field, const std::string& text) {
  if (const auto id = IdFromText(text)) return *id;
  absl::Status first;
  const Place place = PlaceOf(field);
  for (const RecordType* type : TypesFor(field)) {
    const bool of_organisations = place == OWNER || place == GUEST || place == ABOVE;
    if (of_organisations && type->descriptor != Organisation::descriptor()) continue;
    absl::StatusOr<Id> found = Find(*type, text);
    if (found.ok()) return found;
    // Of the first that has some, or of the first at all.
    const bool several = ReasonOf(found.status()).reason == sync::v1::SEVERAL_MEANT;
    if (several) return found.status();
    if (first.ok()) first = found.status();
  }
  return first;
}

}  // namespace zhibu::client
