// Requests to the API, one after the other, separated by lines of "%%":
//
//   POST /api/v1/namespaces/default/pods [json|yaml|apply|merge|strategic|patch|protobuf]
//   {…}
//
// Each is answered once, by an object or a Status, never by an internal error. What was stored reads in every form and
// version, and written back as it was read it changes nothing.

#include <algorithm>
#include <cstring>
#include <deque>

#include "apiserver/api_server.h"
#include "apiserver/front_end/front_end.h"
#include "apiserver/front_end/route.h"
#include "base/check.h"
#include "http/target.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "object/document_mutator.h"
#include "store/memory/memory_store.h"

namespace {

using namespace stead;
using namespace stead::apiserver;
using object::Value;

constexpr std::string_view kSeparator = "\n%%\n";
constexpr size_t kRequestsMax = 8;
constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";

struct Sent {
  std::string method, target, form, body;
};

Sent read_sent(std::string_view text) {
  size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  Sent sent;
  sent.body = text.substr(std::min(end + 1, text.size()));
  for (std::string* part : {&sent.method, &sent.target, &sent.form}) {
    size_t blank = std::min(line.find(' '), line.size());
    *part = line.substr(0, blank);
    line.remove_prefix(std::min(blank + 1, line.size()));
  }
  return sent;
}

std::string_view content_type(std::string_view form) {
  if (form == "yaml") return "application/yaml";
  if (form == "apply") return "application/apply-patch+yaml";
  if (form == "merge") return "application/merge-patch+json";
  if (form == "strategic") return "application/strategic-merge-patch+json";
  if (form == "patch") return "application/json-patch+json";
  if (form == "protobuf") return kProtobuf;
  return "application/json";
}

struct Answer {
  int status = 0;
  std::string type;
  std::string body;
};

class RecordedExchange final : public http::Exchange {
 public:
  RecordedExchange(http::Request request, loop::Loop& loop) : request_(std::move(request)), loop_(loop) {}

  const http::Request& request() const override { return request_; }
  void respond(http::Response response) override {
    STEAD_CHECK(answer.status == 0, "answered twice");
    take_head(response.status, response.headers);
    for (const http::Bytes& piece : response.body) answer.body += *piece;
  }
  void start(int status, http::Headers headers) override {
    STEAD_CHECK(answer.status == 0, "answered twice");
    take_head(status, headers);
    streamed = true;
  }
  void write(http::Bytes chunk) override { answer.body += *chunk; }
  void finish() override {}
  size_t queued_bytes() const override { return 0; }
  void on_close(std::function<void()> closed) override { closed_ = std::move(closed); }
  void on_drain(std::function<void()>) override {}
  void relay(const http::Upstream&, const std::string&) override { answer.status = 502; }
  void join(http::Request, const http::Upstream&, const std::string&, http::Headers, Joined) override {
    answer.status = 502;
  }
  void post(std::function<void()> task) override { loop_.post(std::move(task)); }

  void close() {
    if (closed_) std::exchange(closed_, nullptr)();
  }

  Answer answer;
  bool streamed = false;

 private:
  void take_head(int status, const http::Headers& headers) {
    answer.status = status;
    for (const auto& [name, value] : headers) {
      if (name == "Content-Type") answer.type = value;
    }
  }

  const http::Request request_;
  loop::Loop& loop_;
  std::function<void()> closed_;
};

class NoNodes final : public NodeGateway {
 public:
  void forward(const std::string&, const http::ExchangePtr& exchange, const std::string&) override {
    exchange->respond(http::Response::text(503, "no node"));
  }
};

class Api {
 public:
  Api() {
    store_ = store::open_memory_store(loop_);
    cache_ = std::move(*cache::Cache::open(*store_, loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, loop_, simulation_.random(), {}));
    handler_ = make_front_end(*server_, nodes_, {});
    ask({"POST", "/api/v1/namespaces", "", R"({"metadata":{"name":"default"}})"});
  }

  Answer ask(const Sent& sent, std::string_view accept = "application/json") {
    http::Request request;
    request.method = sent.method;
    request.target = sent.target;
    request.body = sent.body;
    request.headers = {{"Content-Type", std::string(content_type(sent.form))},
                       {"Accept", std::string(accept)},
                       {"User-Agent", "fuzz/1"}};
    request.peer = http::Peer{"admin", {"system:masters"}};
    request.remote_address = "127.0.0.1:1";
    if (!http::parse_target(request)) return {400, "", ""};
    auto exchange = std::make_shared<RecordedExchange>(std::move(request), loop_);
    handler_(exchange);
    simulation_.run_until([&] { return exchange->answer.status != 0; }, std::chrono::minutes(2));
    exchange->close();
    simulation_.run_for(std::chrono::milliseconds(1));
    check(exchange->answer, sent, exchange->streamed);
    return exchange->answer;
  }

  const Catalogue& catalogue() const { return server_->catalogue(); }

 private:
  static void check(const Answer& answer, const Sent& sent, bool streamed) {
    std::string told = sent.method + " " + sent.target + "\n" + answer.body;
    STEAD_CHECK(answer.status != 0, told);
    STEAD_CHECK(answer.status != 500, told);
    if (streamed || answer.type.find("application/json") == std::string::npos) return;
    auto document = object::parse_json(answer.body, nullptr, {.bytes_max = 1 << 28, .depth_max = 1000});
    STEAD_CHECK(document.ok(), told);
    if (answer.status < 400) return;
    STEAD_CHECK(document->at("kind").as_string() == "Status", told);
    STEAD_CHECK(document->at("code").as_int() == answer.status, told);
    STEAD_CHECK(!document->at("message").as_string().empty(), told);
    STEAD_CHECK(!document->at("reason").as_string().empty(), told);
    if (answer.status != 422) return;
    for (const Value& cause : document->at({"details", "causes"}).items()) {
      STEAD_CHECK(!cause.at("message").as_string().empty() && !cause.at("reason").as_string().empty(), told);
    }
  }

  loop::Simulation simulation_{7};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  NoNodes nodes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  http::Handler handler_;
};

std::string revision_of(const std::string& body) {
  auto document = object::parse_json(body);
  STEAD_CHECK(document.ok(), body);
  return std::string(document->at({"metadata", "resourceVersion"}).as_string());
}

// What is stored at `path` reads, and written back it stays; but old versions may have defaults that the stored one
// knows nothing of.
void check_stored(Api& api, const std::string& path, bool custom, bool old_version) {
  Answer read = api.ask({"GET", path, "", ""});
  STEAD_CHECK(read.status == 200, path + read.body);
  const std::string revision = revision_of(read.body);
  Answer written = api.ask({"PUT", path, "json", read.body});
  STEAD_CHECK(written.status == 200, read.body + "\n" + written.body);
  STEAD_CHECK(old_version || revision_of(written.body) == revision, read.body + "\n" + written.body);
  if (old_version) return;
  Answer table = api.ask({"GET", path, "", ""}, "application/json;as=Table;v=v1;g=meta.k8s.io");
  STEAD_CHECK(table.status == 200, table.body);
  if (custom) return;
  Answer binary = api.ask({"GET", path, "", ""}, kProtobuf);
  STEAD_CHECK(binary.status == 200);
  // Its empty lists are none.
  written = api.ask({"PUT", path, "protobuf", binary.body});
  STEAD_CHECK(written.status == 200, read.body + "\n" + written.body);
}

std::string path_of(const Route& route, std::string_view group, std::string_view version, std::string_view name) {
  std::string path = group.empty() ? "/api" : "/apis/" + std::string(group);
  path.append("/").append(version);
  if (!route.ns.empty()) path.append("/namespaces/").append(route.ns);
  return path.append("/").append(route.resource).append("/").append(http::percent_encode(name));
}

void check_written(Api& api, const Sent& sent, const Answer& answer) {
  http::Request request;
  request.method = sent.method;
  request.target = sent.target;
  if (answer.status >= 300 || sent.method == "GET" || sent.method == "DELETE") return;
  if (!http::parse_target(request) || request.has_query("dryRun")) return;
  Route route = parse_route(request.path);
  if (route.kind != Route::Kind::kResource) return;
  if (sent.method == "POST" && !route.subresource.empty()) return;
  auto document = object::parse_json(answer.body);
  if (!document.ok() || document->at({"metadata", "resourceVersion"}).as_string().empty()) return;
  auto served = api.catalogue().find(route.group, route.resource);
  if (served.resource == nullptr) return;
  std::string name(document->at({"metadata", "name"}).as_string());
  // Ended by the very write, or nothing that is kept.
  int status = api.ask({"GET", path_of(route, route.group, route.version, name), "", ""}).status;
  if (status == 404 || status == 405) return;
  for (const kinds::Version& version : served.resource->versions) {
    if (served.custom && !served.custom->serves(version)) continue;
    check_stored(api, path_of(route, version.group, version.name, name), served.custom != nullptr,
                 &version != &served.resource->hub());
  }
}

// ---- changes that keep a request a request ----

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    size_t end = text.find(kSeparator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos || parts.size() >= kRequestsMax) return parts;
    text.remove_prefix(end + kSeparator.size());
  }
}

const kinds::Resource* resource_of(const Route& route) {
  return route.kind == Route::Kind::kResource ? kinds::registry().find(route.group, route.resource) : nullptr;
}

std::string new_request(object::DocumentMutator& mutator) {
  auto resources = kinds::registry().resources();
  const kinds::Resource& resource = resources[mutator.below(resources.size())];
  const kinds::Version& version = resource.versions[mutator.below(resource.versions.size())];
  Route route;
  route.resource = resource.name;
  if (resource.namespaced) route.ns = "default";
  Value document = mutator.any({object::Type::kMessage, version.message, nullptr}, 5);
  if (!document.is_object()) document = Value::object();
  document.set("apiVersion", version.api_version);
  document.set("kind", resource.kind);
  document.set("metadata", Value::object({{"name", "a"}}));
  std::string path = path_of(route, version.group, version.name, "");
  path.pop_back();
  return "POST " + path + "\n" + object::to_json(document);
}

std::string changed(const std::string& text, object::DocumentMutator& mutator) {
  Sent sent = read_sent(text);
  http::Request request;
  request.method = sent.method;
  request.target = sent.target;
  if (!http::parse_target(request)) return text;
  Route route = parse_route(request.path);
  const kinds::Resource* resource = resource_of(route);
  auto document = object::parse_json(sent.body);
  if (resource == nullptr || !document.ok() || !document->is_object()) return text;
  const kinds::Version* version = resource->version(route.group, route.version);
  if (version == nullptr) return text;
  for (size_t times = 1 + mutator.below(3); times > 0; --times) {
    mutator.change(*document, {object::Type::kMessage, version->message, nullptr});
  }
  if (sent.method == "POST" && mutator.one_in(3)) {
    // The same object written to, too.
    static constexpr const char* kForms[] = {"apply", "merge", "strategic"};
    std::string name(document->at({"metadata", "name"}).as_string());
    std::string path = path_of(route, route.group, route.version, name);
    std::string_view query = mutator.one_in(2) ? "?fieldManager=m&force=true" : "?fieldManager=m";
    std::string form = kForms[mutator.below(3)];
    return text + std::string(kSeparator) + "PATCH " + path + std::string(form == "apply" ? query : "") + " " + form +
           "\n" + object::to_json(*document);
  }
  return text.substr(0, text.find('\n')) + "\n" + object::to_json(*document);
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  object::DocumentMutator mutator(seed);
  if (mutator.one_in(4)) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<std::string> requests = split({reinterpret_cast<const char*>(data), size});
  size_t at = mutator.below(requests.size());
  if (mutator.one_in(10)) {
    requests[at] = new_request(mutator);
  } else if (mutator.one_in(10)) {
    requests.push_back(requests[at]);
  } else if (mutator.one_in(10)) {
    requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(at));
  } else {
    requests[at] = changed(requests[at], mutator);
  }
  std::string text;
  for (const std::string& request : requests) text += (text.empty() ? "" : std::string(kSeparator)) + request;
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Api api;
  for (const std::string& text : split({reinterpret_cast<const char*>(data), size})) {
    Sent sent = read_sent(text);
    if (sent.method.empty() || !sent.target.starts_with('/')) continue;
    Answer answer = api.ask(sent);
    check_written(api, sent, answer);
  }
  return 0;
}
