#ifndef ZHIBU_TESTS_INTEROP_SAMPLER_H_
#define ZHIBU_TESTS_INTEROP_SAMPLER_H_

#include "proto/policies.pb.h"
#include "sync/schema/schema.h"

namespace zhibu::interop {

// Of the record type that has a field of each policy.
inline const Schema& SamplerSchema() {
  static const auto schema = Schema::Compile({testing::Sampler::descriptor()->file()}).value();
  return *schema;
}

}  // namespace zhibu::interop

#endif  // ZHIBU_TESTS_INTEROP_SAMPLER_H_
