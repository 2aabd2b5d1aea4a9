#include "node/volumes/descriptor.h"

#include <cerrno>

namespace stead::node {

void Descriptor::reset() {
  if (fd_ < 0) return;
  int saved = errno;
  close(std::exchange(fd_, -1));
  errno = saved;
}

}  // namespace stead::node
