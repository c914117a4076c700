#include "sync/exchange/xml.h"

#include <expat.h>
#include <zip.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"

namespace zhibu {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;
// Deeper than any sheet; a parser's memory grows with it.
constexpr int kDepthMax = 64;

struct Reading {
  XmlHandler* handler = nullptr;
  XML_Parser parser = nullptr;
  int depth = 0;
  bool refused = false;
};

absl::string_view LocalName(const char* name) {
  const absl::string_view whole(name);
  const size_t colon = whole.rfind(':');
  return colon == absl::string_view::npos ? whole : whole.substr(colon + 1);
}

void Stop(Reading* reading) { XML_StopParser(reading->parser, XML_FALSE); }

void OnStart(void* data, const char* name, const char** attributes) {
  auto* reading = static_cast<Reading*>(data);
  if (++reading->depth > kDepthMax) {
    reading->refused = true;
    return Stop(reading);
  }
  reading->handler->OnStart(LocalName(name), XmlAttributes(attributes));
  if (!reading->handler->status().ok()) Stop(reading);
}

void OnEnd(void* data, const char* name) {
  auto* reading = static_cast<Reading*>(data);
  --reading->depth;
  reading->handler->OnEnd(LocalName(name));
  if (!reading->handler->status().ok()) Stop(reading);
}

void OnText(void* data, const char* text, int size) {
  auto* reading = static_cast<Reading*>(data);
  reading->handler->OnText({text, static_cast<size_t>(size)});
  if (!reading->handler->status().ok()) Stop(reading);
}

// No workbook has one, and entities that grow are defined in it.
void OnDoctype(void* data, const char*, const char*, const char*, int) {
  auto* reading = static_cast<Reading*>(data);
  reading->refused = true;
  Stop(reading);
}

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
struct FreeParser {
  void operator()(XML_ParserStruct* parser) const { XML_ParserFree(parser); }
};

}  // namespace

absl::string_view XmlAttributes::Get(absl::string_view name) const {
  for (const char* const* at = attributes_; *at != nullptr; at += 2) {
    if (LocalName(at[0]) == name) return at[1];
  }
  return "";
}

absl::Status ReadXml(zip* archive, const std::string& entry, size_t* budget, XmlHandler* handler) {
  const zip_int64_t index = zip_name_locate(archive, entry.c_str(), ZIP_FL_NOCASE);
  if (index < 0) return absl::NotFoundError(entry);
  const std::unique_ptr<zip_file_t, CloseEntry> file(
      zip_fopen_index(archive, static_cast<zip_uint64_t>(index), 0));
  if (file == nullptr) return absl::InvalidArgumentError(absl::StrCat(entry, ": cannot be opened"));
  const std::unique_ptr<XML_ParserStruct, FreeParser> parser(XML_ParserCreate(nullptr));
  Reading reading{handler, parser.get()};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  std::vector<char> piece(kPieceBytes);
  for (bool ended = false; !ended;) {
    const zip_int64_t size = zip_fread(file.get(), piece.data(), piece.size());
    if (size < 0) return absl::InvalidArgumentError(absl::StrCat(entry, ": is damaged"));
    const auto bytes = static_cast<size_t>(size);
    if (bytes > *budget) return absl::ResourceExhaustedError(entry);
    *budget -= bytes;
    ended = bytes == 0;
    const auto parsed = XML_Parse(parser.get(), piece.data(), static_cast<int>(bytes), ended);
    if (!handler->status().ok()) return handler->status();
    if (reading.refused || parsed != XML_STATUS_OK) {
      return absl::InvalidArgumentError(absl::StrCat(entry, ": is not the XML of a workbook"));
    }
  }
  return absl::OkStatus();
}

}  // namespace zhibu
