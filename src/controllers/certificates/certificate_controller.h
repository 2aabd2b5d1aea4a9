#pragma once

// Approves, signs and forgets certificate signing requests. One loop.

#include <chrono>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "http/x509.h"

namespace stead::controllers {

struct CertificateOptions {
  http::KeyPair ca;  // empty: nothing is approved or signed
  std::chrono::seconds longest{std::chrono::hours(24 * 365)};
};

class CertificateController {
 public:
  // All references outlive this. Before informers.start().
  CertificateController(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers,
                        CertificateOptions options);
  void start();

 private:
  void work(const std::string& name, client::WorkQueue::Finish finish);
  void sign(const object::Object& request, client::WorkQueue::Finish finish);
  void write(client::Request request, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::InformerSet& informers_;
  const CertificateOptions options_;
  client::Informer& requests_;
  client::Informer& nodes_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
