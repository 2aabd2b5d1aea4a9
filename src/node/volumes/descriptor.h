#pragma once

// A file descriptor that closes itself.

#include <unistd.h>

#include <utility>

namespace stead::node {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  explicit operator bool() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // Keeps errno: errors are read after a descriptor went out of scope.
  void reset();

 private:
  int fd_ = -1;
};

}  // namespace stead::node
