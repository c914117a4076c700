// Chance from a seed: the same numbers on every machine and with every standard
// library, which its distributions do not promise.
#ifndef ZHIBU_TESTS_SIM_DICE_H_
#define ZHIBU_TESTS_SIM_DICE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace zhibu::sim {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  // SplitMix64.
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // 0 where there is nothing to choose from.
  uint32_t Below(size_t n) { return n == 0 ? 0 : static_cast<uint32_t>(Next() % n); }
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low + 1));
  }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }
  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(Next());
    return bytes;
  }

 private:
  uint64_t state_;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_DICE_H_
