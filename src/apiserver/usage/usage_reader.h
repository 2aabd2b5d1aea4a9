#pragma once

// Answers reads of metrics.k8s.io: PodMetrics and NodeMetrics, measured when they are asked for. API loop only.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "apiserver/call.h"
#include "apiserver/usage/usage_history.h"
#include "apiserver/usage/usage_source.h"
#include "cache/cache.h"
#include "loop/loop.h"

namespace stead::apiserver {

class UsageReader {
 public:
  // References outlive this.
  UsageReader(cache::Cache& cache, loop::Loop& loop) : cache_(cache), loop_(loop) {}
  ~UsageReader();

  // Without a source every read is answered kUnavailable.
  void set_source(std::unique_ptr<UsageSource> source) { source_ = std::move(source); }
  // get and list; kMethodNotAllowed for other verbs. What a node does not tell in time is left out of lists, and
  // kNotFound as an object. `done` runs once.
  void answer(Call call, client::Callback done);

 private:
  void refresh(const std::set<std::string>& nodes, std::function<void()> done);
  void read_node(const std::string& node);
  void node_read(const std::string& node);
  void forget_lost_nodes();
  Result<client::Response> respond(const Call& call, const std::vector<object::ObjectPtr>& subjects) const;
  object::ObjectPtr pod_metrics(const object::Object& pod) const;
  object::ObjectPtr node_metrics(const object::Object& node) const;

  cache::Cache& cache_;
  loop::Loop& loop_;
  std::unique_ptr<UsageSource> source_;
  UsageHistory history_;
  struct Pending {
    loop::TimerId limit = loop::TimerId::kNone;
    std::vector<std::function<void()>> waiting;
  };
  std::map<std::string, Pending> pending_;  // nodes that are being read
  // What callbacks check: the reader may be gone before they run.
  std::shared_ptr<UsageReader*> self_ = std::make_shared<UsageReader*>(this);
};

}  // namespace stead::apiserver
