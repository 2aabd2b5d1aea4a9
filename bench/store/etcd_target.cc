// gRPC's asynchronous client on one thread: the cheapest client there is, since it shares the machine with etcd.

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "etcd.grpc.pb.h"
#include "store/target.h"

namespace stead::bench {
namespace {

constexpr size_t kConnections = 8;

struct Call {
  grpc::ClientContext context;
  etcdserverpb::TxnResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::TxnResponse>> reader;
};

class EtcdTarget final : public Target {
 public:
  explicit EtcdTarget(const std::string& address) {
    for (size_t index = 0; index < kConnections; ++index) {
      grpc::ChannelArguments arguments;
      arguments.SetInt("stead.connection", static_cast<int>(index));  // differing arguments: connections of their own
      auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
      if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20))) {
        fprintf(stderr, "etcd: no connection to %s\n", address.c_str());
        exit(1);
      }
      stubs_.push_back(etcdserverpb::KV::NewStub(channel));
    }
  }

  void create(const std::string& key, const std::string& value) override {
    etcdserverpb::TxnRequest request;
    etcdserverpb::Compare* compare = request.add_compare();
    compare->set_target(etcdserverpb::Compare::MOD);
    compare->set_key(key);
    compare->set_mod_revision(0);
    etcdserverpb::PutRequest* put = request.add_success()->mutable_request_put();
    put->set_key(key);
    put->set_value(value);
    auto* call = new Call;
    call->reader = stubs_[next_++ % stubs_.size()]->AsyncTxn(&call->context, request, &queue_);
    call->reader->Finish(&call->response, &call->status, call);
  }

  size_t wait() override {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) abort();
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!ok || !call->status.ok() || !call->response.succeeded()) {
      fprintf(stderr, "etcd: %s\n", call->status.ok() ? "the key exists" : call->status.error_message().c_str());
      exit(1);
    }
    return 1;
  }

 private:
  std::vector<std::unique_ptr<etcdserverpb::KV::Stub>> stubs_;
  grpc::CompletionQueue queue_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Target> make_etcd_target(const std::string& address) { return std::make_unique<EtcdTarget>(address); }

}  // namespace stead::bench
