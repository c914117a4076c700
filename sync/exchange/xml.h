// XML, element by element, of an entry of a packed file; the names without their prefixes.
#ifndef ZHIBU_SYNC_EXCHANGE_XML_H_
#define ZHIBU_SYNC_EXCHANGE_XML_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct zip;

namespace zhibu {

// Good while OnStart runs.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char* const* attributes) : attributes_(attributes) {}
  // Empty where there is none.
  absl::string_view Get(absl::string_view name) const;

 private:
  const char* const* attributes_;  // name, value, name, value …, null
};

class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void OnStart(absl::string_view name, const XmlAttributes& attributes) = 0;
  virtual void OnText(absl::string_view text) = 0;
  virtual void OnEnd(absl::string_view name) = 0;
  // An error ends the reading.
  const absl::Status& status() const { return status_; }

 protected:
  absl::Status status_;
};

// Takes what is unpacked from `budget`. NOT_FOUND: there is no such entry. INVALID_ARGUMENT: it
// is damaged, no XML, or defines entities. RESOURCE_EXHAUSTED: the budget is used up.
absl::Status ReadXml(zip* archive, const std::string& entry, size_t* budget, XmlHandler* handler);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_XML_H_
