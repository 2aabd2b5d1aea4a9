#pragma once

// APIServices: which groups other servers serve, and the registrations of those served here. API loop only.
//
// A remote service is asked what it serves (its APIResourceList) when it appears and from time to time; whether it
// answered is its Available condition.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/aggregation/remote_api.h"
#include "apiserver/custom/catalogue.h"
#include "apiserver/object_follower.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {

struct AggregationOptions {
  // The way to other servers; null: none can be reached. Outlives the server.
  RemoteApi* remote = nullptr;
  // Whether to keep an APIService for each group version served here, and to tell other servers how to trust this one
  // (the ConfigMap extension-apiserver-authentication), with this certificate.
  bool registers = false;
  std::string client_ca_pem;
};

// A group version that another server serves.
struct RemoteGroupVersion {
  std::string group;
  std::string version;
  object::Value resources;  // of its APIResourceList; empty until it answered
  bool available = false;
};

// What the server itself says of a new or changed APIService: one without a service is always there.
void settle_api_service(object::Value& document, WallTime now);

class ApiServices {
 public:
  // References outlive this.
  ApiServices(Verbs& verbs, const Catalogue& catalogue, cache::Cache& cache, loop::Loop& loop,
              AggregationOptions options);
  ~ApiServices();

  bool is_remote(std::string_view group, std::string_view version) const;
  // In the order of names; without those whose group version is served here.
  std::vector<RemoteGroupVersion> remote() const;
  // Names what remote() tells: another text whenever it has changed.
  int64_t state() const { return state_; }
  // Passes a request, which has been authorized, on.
  void forward(std::string_view group, std::string_view version, const client::Identity& identity,
               const http::ExchangePtr& exchange) const;

 private:
  struct Entry {
    object::ObjectPtr object;
    RemoteGroupVersion told;
    loop::TimerId timer = loop::TimerId::kNone;
    uint64_t probe = 0;  // the last one sent
  };
  void changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  const Entry* find(std::string_view group, std::string_view version) const;
  Result<HttpsTarget> target_of(const object::Object& service) const;
  void probe(const std::string& name);
  void probed(const std::string& name, uint64_t probe, const Result<std::string>& body);
  void set_available(const std::string& name, bool available, std::string_view reason, const std::string& message);

  void register_soon();
  void register_all();
  void register_trust();
  Call call_for(client::Verb verb, std::string group, std::string resource, std::string name) const;

  Verbs& verbs_;
  const Catalogue& catalogue_;
  cache::Cache& cache_;
  loop::Loop& loop_;
  const AggregationOptions options_;
  std::map<std::string, Entry, std::less<>> remote_;  // by name
  uint64_t probes_ = 0;
  int64_t state_ = 0;
  bool registration_posted_ = false;
  std::shared_ptr<ApiServices*> self_ = std::make_shared<ApiServices*>(this);  // posted tasks hold it weakly
  ObjectFollower services_;
  std::unique_ptr<ObjectFollower> definitions_;
  std::unique_ptr<ObjectFollower> namespaces_;
};

}  // namespace stead::apiserver
