#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // An expectation that fails must end the run, or it is taken for a good one.
  testing::FLAGS_gtest_throw_on_failure = true;
  // Protobuf would say of every text that it is none.
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}
