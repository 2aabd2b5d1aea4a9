#include "apiserver/front_end/watch_stream.h"

#include <algorithm>

#include "apiserver/front_end/responder.h"
#include "apiserver/front_end/status_document.h"
#include "object/codec.h"
#include "object/protobuf.h"
#include "object/wire.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr size_t kQueuedBytesMax = 16 * 1024 * 1024;
constexpr Duration kTimeoutDefault = std::chrono::minutes(45);
constexpr int64_t kTimeoutSecondsMax = 365 * 86'400;  // what is longer would not fit a Duration
constexpr Duration kBookmarkPeriod = std::chrono::minutes(1);

std::string_view type_name(client::WatchEvent::Type type) {
  switch (type) {
    case client::WatchEvent::Type::kAdded:
      return "ADDED";
    case client::WatchEvent::Type::kModified:
      return "MODIFIED";
    case client::WatchEvent::Type::kDeleted:
      return "DELETED";
    case client::WatchEvent::Type::kBookmark:
      return "BOOKMARK";
  }
  return "";
}

class WatchStream final : public client::WatchSink, public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(ApiServer& server, const Call& call, AcceptedForm form, IncludeObject include_object,
              http::ExchangePtr exchange)
      : server_(server),
        custom_(call.custom),
        resource_(*call.resource),
        version_(*call.version),
        form_(form),
        include_object_(include_object),
        exchange_(std::move(exchange)) {}

  void begin(std::shared_ptr<WatchSession> session, const client::Request& request,
             const std::vector<std::string>& warnings) {
    session_ = std::move(session);
    http::Response head;
    head.headers.emplace_back("Content-Type", form_.body == BodyForm::kProtobuf
                                                  ? "application/vnd.kubernetes.protobuf;stream=watch"
                                                  : "application/json");
    add_warnings(head, warnings);
    exchange_->start(200, std::move(head.headers));
    started_ = true;
    exchange_->on_close([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->close();
    });
    Duration timeout =
        request.timeout_seconds > 0
            ? Duration(std::chrono::seconds(std::min<int64_t>(request.timeout_seconds, kTimeoutSecondsMax)))
            : kTimeoutDefault;
    timeout_ = server_.loop().call_after(timeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->end();
    });
    if (request.allow_watch_bookmarks) arm_bookmark();
    for (auto& events : std::exchange(early_, {})) on_events(std::move(events));
  }

  void on_events(std::vector<client::WatchEvent> events) override {
    if (!exchange_) return;
    // The initial state comes before the answer has begun.
    if (!started_) {
      early_.push_back(std::move(events));
      return;
    }
    std::string text;
    for (const client::WatchEvent& event : events) append_event(event, text);
    exchange_->write(std::make_shared<const std::string>(std::move(text)));
    if (exchange_->queued_bytes() > kQueuedBytesMax) end();
  }

  void on_end(Error error) override {
    if (!exchange_) return;
    Value status = status_document(error);
    std::string text;
    if (form_.body == BodyForm::kProtobuf) {
      append_frame("ERROR", document_protobuf(status).value_or(""), text);
    } else {
      text = "{\"type\":\"ERROR\",\"object\":" + object::to_json(status) + "}\n";
    }
    exchange_->write(std::make_shared<const std::string>(std::move(text)));
    end();
  }

 private:
  // A meta/v1 WatchEvent with its length before it (four bytes), around an object in its envelope.
  static void append_frame(std::string_view type, std::string_view object, std::string& out) {
    std::string raw;
    object::append_bytes_field(1, object, raw);
    std::string event;
    object::append_bytes_field(1, type, event);
    object::append_bytes_field(2, raw, event);
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(event.size() >> shift));
    out.append(event);
  }

  std::string protobuf_of(const client::WatchEvent& event) const {
    if (event.type == client::WatchEvent::Type::kBookmark) {
      bool partial = form_.shape == AcceptedForm::Shape::kPartialMetadata;
      Value document = bookmark(event);
      if (partial) return document_protobuf(document).value_or("");
      return object::seal_envelope(version_.api_version, resource_.kind,
                                   object::encode_protobuf(document, *version_.message));
    }
    if (form_.shape == AcceptedForm::Shape::kPartialMetadata) {
      return document_protobuf(partial_metadata(*event.object)).value_or("");
    }
    return encoded_protobuf(resource_, version_, *event.object);
  }

  void append_event(const client::WatchEvent& event, std::string& out) {
    if (form_.body == BodyForm::kProtobuf) return append_frame(type_name(event.type), protobuf_of(event), out);
    out.append("{\"type\":\"").append(type_name(event.type)).append("\",\"object\":");
    if (event.type == client::WatchEvent::Type::kBookmark) {
      object::append_json(bookmark(event), out);
    } else if (form_.shape == AcceptedForm::Shape::kTable) {
      TableOptions options{include_object_, !columns_sent_, server_.loop().wall_now()};
      columns_sent_ = true;
      Value table = make_table(resource_, version_, std::span(&event.object, 1), options);
      table.set("metadata", Value::object({{"resourceVersion", std::to_string(event.object->revision())}}));
      object::append_json(table, out);
    } else if (form_.shape == AcceptedForm::Shape::kPartialMetadata) {
      object::append_json(partial_metadata(*event.object), out);
    } else {
      out.append(*encoded(resource_, version_, *event.object));
    }
    out.append("}\n");
  }

  Value bookmark(const client::WatchEvent& event) const {
    Value metadata = Value::object({{"resourceVersion", std::to_string(event.revision)}});
    if (event.initial_events_end) {
      metadata.set("annotations", Value::object({{"k8s.io/initial-events-end", "true"}}));
    }
    if (form_.shape == AcceptedForm::Shape::kTable) {
      return Value::object(
          {{"kind", "Table"},
           {"apiVersion", "meta.k8s.io/v1"},
           {"metadata", metadata},
           {"columnDefinitions", Value::array()},
           {"rows", Value::array({Value::object({{"cells", Value::array()},
                                                 {"object", Value::object({{"kind", "PartialObjectMetadata"},
                                                                           {"apiVersion", "meta.k8s.io/v1"},
                                                                           {"metadata", metadata}})}})})}});
    }
    if (form_.shape == AcceptedForm::Shape::kPartialMetadata) {
      return Value::object(
          {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", std::move(metadata)}});
    }
    return Value::object({{"kind", resource_.kind}, {"apiVersion", version_.api_version}, {"metadata", metadata}});
  }

  void arm_bookmark() {
    bookmark_ = server_.loop().call_after(kBookmarkPeriod, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self || !self->session_) return;
      self->session_->bookmark();
      self->arm_bookmark();
    });
  }

  void end() {
    if (!exchange_) return;
    auto exchange = exchange_;
    close();
    exchange->finish();
  }

  void close() {
    server_.loop().cancel(timeout_);
    server_.loop().cancel(bookmark_);
    if (session_) session_->stop();
    session_.reset();
    exchange_.reset();
  }

  ApiServer& server_;
  const std::shared_ptr<const kinds::CustomKind> custom_;  // keeps the resource alive
  const kinds::Resource& resource_;
  const kinds::Version& version_;
  const AcceptedForm form_;
  const IncludeObject include_object_;
  http::ExchangePtr exchange_;
  std::shared_ptr<WatchSession> session_;
  std::vector<std::vector<client::WatchEvent>> early_;
  loop::TimerId timeout_ = loop::TimerId::kNone;
  loop::TimerId bookmark_ = loop::TimerId::kNone;
  bool started_ = false;
  bool columns_sent_ = false;
};

}  // namespace

void serve_watch(ApiServer& server, const client::Identity& identity, client::Request request, const AcceptedForm& form,
                 IncludeObject include_object, const http::ExchangePtr& exchange) {
  Result<Call> call = resolve(server.catalogue(), identity, request);
  if (!call.ok()) return exchange->respond(error_response(call.error()));
  auto stream = std::make_shared<WatchStream>(server, *call, form, include_object, exchange);
  Result<std::shared_ptr<WatchSession>> session = server.watch(identity, request, stream);
  if (!session.ok()) return exchange->respond(error_response(session.error()));
  std::vector<std::string> warnings;
  if (!call->version->deprecation.empty()) warnings.emplace_back(call->version->deprecation);
  stream->begin(std::move(*session), request, warnings);
}

}  // namespace stead::apiserver
