#pragma once

// What is counted of requests over HTTP: Kubernetes' apiserver_request_* metrics and those under way. API loop only;
// the numbers themselves may be read anywhere, and an exchange may be dropped anywhere.

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "apiserver/custom/catalogue.h"
#include "apiserver/front_end/route.h"
#include "base/metrics.h"
#include "http/http.h"
#include "loop/loop.h"

namespace stead::apiserver {

class RequestMetrics : public std::enable_shared_from_this<RequestMetrics> {
 public:
  // References outlive this.
  RequestMetrics(const Catalogue& catalogue, loop::Loop& loop) : catalogue_(catalogue), loop_(loop) {}

  // `exchange`, counted when it is answered; a stream when it ends.
  http::ExchangePtr measure(const http::ExchangePtr& exchange, const Route& route);

 private:
  class MeasuredExchange;

  // Requests that differ in their answers only.
  struct Series {
    // Verb, group, version, resource, subresource, scope and dry_run.
    std::array<std::string, 7> labels;
    metrics::Histogram* seconds = nullptr;
    metrics::Number* under_way = nullptr;
    std::map<int, metrics::Number*> answers;  // by code; under `mutex_`
  };
  Series& series_of(const http::Request& http, const Route& route);
  void count(Series& series, int code, Duration took);

  const Catalogue& catalogue_;
  loop::Loop& loop_;
  std::mutex mutex_;
  // By labels joined. What clients make up is not among them, so that it stays small.
  std::unordered_map<std::string, Series> series_;
};

}  // namespace stead::apiserver
