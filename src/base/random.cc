#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/check.h"

namespace stead {
namespace {

class SystemRandom final : public Random {
 public:
  uint64_t next_u64() override {
    uint64_t value = 0;
    STEAD_CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
    return value;
  }
};

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough for schedules and names.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next_u64() override {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace

uint64_t Random::below(uint64_t bound) {
  STEAD_CHECK(bound > 0);
  return static_cast<uint64_t>((static_cast<unsigned __int128>(next_u64()) * bound) >> 64);
}

std::string Random::uuid() {
  uint64_t high = next_u64();
  uint64_t low = next_u64();
  high = (high & ~0xf000ULL) | 0x4000ULL;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffffULL);
}

std::string Random::name_suffix(int length) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (int i = 0; i < length; ++i) suffix += kAlphabet[below(kAlphabet.size())];
  return suffix;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

std::unique_ptr<Random> seeded_random(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

}  // namespace stead
