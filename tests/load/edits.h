// What simulated devices write: what a branch notes of a talk with a member, and check-ins by code.
#ifndef ZHIBU_TESTS_LOAD_EDITS_H_
#define ZHIBU_TESTS_LOAD_EDITS_H_

#include <cstdint>
#include <string>

#include "sync/base/environment.h"
#include "tests/load/site.h"

namespace zhibu::load {

// Each gives a serialised Edit. `now_ms`: by the device's own clock.
std::string NoteContact(const Enrolled& who, const Environment& environment, int64_t now_ms);
// `shows` is whose device shows the code, of the same branch; the activity is a new one.
std::string CheckIn(const Enrolled& who, const Enrolled& shows, const Environment& environment,
                    int64_t now_ms);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_EDITS_H_
