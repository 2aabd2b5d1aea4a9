#pragma once

// What the benchmark writes to: a store that is told to create keys, with any number of creations in flight.

#include <cstddef>
#include <memory>
#include <string>

namespace stead::bench {

class Target {
 public:
  virtual ~Target() = default;
  // Starts the durable creation of a key that must not exist.
  virtual void create(const std::string& key, const std::string& value) = 0;
  // Waits until at least one creation is through; gives how many. Ends the process with a message if one failed.
  virtual size_t wait() = 0;
};

std::unique_ptr<Target> make_sqlite_target(const std::string& path);
// `address`: host:port of etcd's client endpoint, without TLS.
std::unique_ptr<Target> make_etcd_target(const std::string& address);

}  // namespace stead::bench
