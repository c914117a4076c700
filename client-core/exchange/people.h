// Whom a name in a sheet means: somebody of the branch, or a guest of it. Where two bear the name,
// the last digits of an identity number tell: in a column of its own, or behind the name:
// 张伟(002X). Where they are another's than that of who alone bears the name, it is nobody here.
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_PEOPLE_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_PEOPLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/store/store.h"
#include "sync/base/types.h"

namespace zhibu::client {

class People {
 public:
  static absl::StatusOr<People> Of(Store& store, const Id& organisation);

  // INVALID_ARGUMENT, in words (WordsOf in sync/exchange/sheet.h): nobody bears the name, the
  // digits are another's, or several bear it and the digits do not tell which.
  absl::StatusOr<Id> Find(absl::string_view name, absl::string_view digits) const;

 private:
  std::map<std::string, std::vector<Id>> by_name_;
  std::map<Id, std::string> numbers_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_PEOPLE_H_
