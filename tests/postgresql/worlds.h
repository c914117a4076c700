// Every world (tests/support/world.h) of this program has its server's store in PostgreSQL, in a
// schema of its own: what is asked of the one store can be asked of the other by the same tests.
#ifndef ZHIBU_TESTS_POSTGRESQL_WORLDS_H_
#define ZHIBU_TESTS_POSTGRESQL_WORLDS_H_

#include <cstdint>
#include <vector>

namespace zhibu::test {

// Of each transaction that was committed since it was last asked, how often it went to the database
// and back.
std::vector<uint64_t> TakeJourneys();

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_POSTGRESQL_WORLDS_H_
