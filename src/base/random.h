#pragma once

// Randomness behind an interface, so that one seed reproduces a simulation.

#include <cstdint>
#include <memory>
#include <string>

namespace stead {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next_u64() = 0;

  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  // An RFC 9562 version 4 UUID.
  std::string uuid();
  // `length` characters of the alphabet Kubernetes uses for generated names: no vowels, no 0 1 3.
  std::string name_suffix(int length = 5);
};

// The kernel's randomness. Thread-safe, lives for ever.
Random& system_random();

// Reproducible from `seed`; owned by the caller; one thread at a time.
std::unique_ptr<Random> seeded_random(uint64_t seed);

}  // namespace stead
