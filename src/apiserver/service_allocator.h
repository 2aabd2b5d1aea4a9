#pragma once

// Cluster addresses and node ports of Services, taken from what the cache holds at each allocation: there is no
// second record that could disagree. API loop only; the API's writes are in order, so that a reservation made here
// is seen by the next allocation either in the cache or in `reserved`.

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "cache/cache.h"
#include "object/field_error.h"
#include "object/value.h"

namespace stead::apiserver {

// The range of service addresses.
struct ServiceRange {
  uint32_t base = 0;  // host byte order
  uint32_t size = 0;

  // "10.43.0.0/16": at least a /28, at most a /12. kBadRequest otherwise.
  static Result<ServiceRange> parse(const std::string& cidr);
  // The n-th address: 1 is the API's, 10 the DNS server's.
  std::string address(uint32_t index) const;
};

class ServiceAllocator {
 public:
  ServiceAllocator(cache::Cache& cache, ServiceRange range) : cache_(&cache), range_(range) {}

  // Fills clusterIP(s), ipFamilies, ipFamilyPolicy and nodePorts. kInvalid where an explicit wish cannot be met.
  Result<void> complete(object::Value& service, const object::Value* old);

  std::string address(uint32_t index) const { return range_.address(index); }

 private:
  std::set<std::string> addresses_in_use(std::string_view but) const;
  std::set<int64_t> node_ports_in_use(std::string_view but) const;
  Result<void> complete_address(object::Value& service, const object::Value* old, object::FieldErrors& errors);
  // A port that no service has; 0 where all are taken.
  int64_t next_free_node_port(const std::set<int64_t>& used);
  static void claim_node_port(const object::Path& path, int64_t port, std::set<int64_t>& used,
                              object::FieldErrors& errors);
  void complete_health_port(object::Value& service, const object::Value* old, std::set<int64_t>& used,
                            object::FieldErrors& errors);
  void complete_node_ports(object::Value& service, const object::Value* old, object::FieldErrors& errors);

  cache::Cache* cache_;
  ServiceRange range_;
  uint32_t next_offset_ = 16;  // low addresses are left for explicit wishes
  int64_t next_node_port_ = 30000;
};

}  // namespace stead::apiserver
