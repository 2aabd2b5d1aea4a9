#include "client/https_transport.h"

#include <algorithm>
#include <unordered_set>

#include "base/log.h"
#include "base/random.h"
#include "client/https_messages.h"
#include "http/async_client.h"
#include "loop/asio_loop.h"

namespace stead::client {
namespace {

using std::chrono::milliseconds;

constexpr int kRepeatsMax = 5;
constexpr milliseconds kBackOffFirst{50};
constexpr milliseconds kCallBackOffMax{1'000};
constexpr milliseconds kWatchBackOffMax{2'000};
constexpr milliseconds kRetryAfterMax{5'000};
constexpr size_t kWatchLineMax = size_t{16} << 20;
constexpr size_t kErrorBodyMax = 64 * 1024;

// Between half and all of first * 2^attempt: callers that failed together do not come back together.
milliseconds back_off(int attempt, milliseconds most) {
  milliseconds whole = std::min(most, kBackOffFirst * (1 << std::min(attempt, 10)));
  auto half = static_cast<uint64_t>(whole.count() / 2);
  return milliseconds(half + system_random().below(half + 1));
}

}  // namespace

struct HttpsTransport::State : std::enable_shared_from_this<HttpsTransport::State> {
  State(loop::AsioLoop& the_loop, HttpsTransportOptions the_options)
      : loop(the_loop),
        options(std::move(the_options)),
        client(std::make_unique<http::AsyncClient>(loop, client_options())) {}

  loop::AsioLoop& loop;
  const HttpsTransportOptions options;
  std::unique_ptr<http::AsyncClient> client;  // null: closed

  http::AsyncClientOptions client_options() const {
    http::AsyncClientOptions made;
    made.host = options.host;
    made.port = options.port;
    made.tls = options.tls;
    made.answer_timeout = options.answer_timeout;
    return made;
  }

  void send(std::shared_ptr<Request> request, Callback done, int attempt) {
    if (!client) return;
    Result<http::OutgoingRequest> http = to_http(*request, options.bearer_token);
    if (!http.ok()) {
      loop.post([done = std::move(done), error = http.error()] { done(error); });
      return;
    }
    client->call(std::move(*http), [weak = weak_from_this(), request, done = std::move(done), attempt](
                                       Result<http::ClientResponse> response, bool reached) mutable {
      if (auto self = weak.lock()) self->answered(request, std::move(done), attempt, std::move(response), reached);
    });
  }

  void answered(const std::shared_ptr<Request>& request, Callback done, int attempt,
                Result<http::ClientResponse> response, bool reached) {
    Result<Response> result = response.ok() ? from_http(*request, *response) : Result<Response>(response.error());
    std::optional<milliseconds> again =
        attempt < kRepeatsMax ? repeat_after(*request, response, result, reached, attempt) : std::nullopt;
    if (!again) return done(std::move(result));
    loop.call_after(*again, [weak = weak_from_this(), request, done = std::move(done), attempt]() mutable {
      if (auto self = weak.lock()) self->send(request, std::move(done), attempt + 1);
    });
  }

  static std::optional<milliseconds> repeat_after(const Request& request, const Result<http::ClientResponse>& response,
                                                  const Result<Response>& result, bool reached, int attempt) {
    if (response.ok()) {
      bool asked = (response->status == 429 || response->status == 503) && !result.ok() &&
                   result.error().retry_after_seconds > 0;
      if (!asked) return std::nullopt;
      return std::min<milliseconds>(kRetryAfterMax, std::chrono::seconds(result.error().retry_after_seconds));
    }
    bool reads = request.verb == Verb::kGet || request.verb == Verb::kList;
    bool lost = response.error().reason == Reason::kUnavailable;
    if (!lost || (reached && !reads)) return std::nullopt;
    return back_off(attempt, kCallBackOffMax);
  }
};

namespace {

//   opening ──200──▶ streaming ──cut or silence──▶ waiting ──back-off──▶ opening
//      └──refused, or an ERROR event: on_end, over
class HttpsWatch final : public std::enable_shared_from_this<HttpsWatch> {
 public:
  using Open =
      std::function<std::unique_ptr<http::AsyncClient::Stream>(const Request&, http::AsyncClient::StreamEvents)>;

  HttpsWatch(loop::Loop& loop, Request request, std::shared_ptr<WatchSink> sink, Open open)
      : loop_(loop), request_(std::move(request)), sink_(std::move(sink)), open_(std::move(open)) {
    wants_bookmarks_ = request_.allow_watch_bookmarks;
    request_.verb = Verb::kWatch;
    request_.allow_watch_bookmarks = true;  // they tell from where to go on
  }

  void open() {
    if (over_) return;
    status_ = 0;
    line_.clear();
    http::AsyncClient::StreamEvents events;
    events.head = [weak = weak_from_this()](int status, const http::Headers& headers) {
      auto self = weak.lock();
      if (!self) return;
      self->status_ = status;
      self->headers_ = headers;
    };
    events.body = [weak = weak_from_this()](std::string_view piece) {
      if (auto self = weak.lock()) self->take_in(piece);
    };
    events.end = [weak = weak_from_this()](const Result<void>& outcome) {
      if (auto self = weak.lock()) self->ended(outcome);
    };
    stream_ = open_(request_, std::move(events));
  }

  void stop() {
    over_ = true;
    stream_.reset();
    sink_.reset();
  }

 private:
  void take_in(std::string_view piece) {
    if (over_) return;
    if (status_ != 200) {
      if (line_.size() < kErrorBodyMax) line_.append(piece);
      return;
    }
    std::vector<WatchEvent> events;
    std::optional<Error> error;
    while (!error && !piece.empty()) {
      size_t end = piece.find('\n');
      line_.append(piece.substr(0, end));
      if (end == std::string_view::npos) break;
      piece.remove_prefix(end + 1);
      error = read_line(events);
      line_.clear();
    }
    if (line_.size() > kWatchLineMax) error = make_error(Reason::kRequestEntityTooLarge, "a watch event is too long");
    auto self = shared_from_this();
    if (!events.empty()) {
      attempt_ = 0;
      sink_->on_events(std::move(events));
    }
    if (error && !over_) finish(std::move(*error));
  }

  std::optional<Error> read_line(std::vector<WatchEvent>& events) {
    if (line_.find_first_not_of(" \r") == std::string::npos) return std::nullopt;
    Result<WatchEvent> event = watch_event(line_);
    if (!event.ok()) return event.error();
    bool bookmark = event->type == WatchEvent::Type::kBookmark;
    // With sendInitialEvents the state is told first, in no order of revisions: only its end may be gone on from.
    bool initial = request_.send_initial_events;
    if (!initial || event->initial_events_end) {
      request_.resource_version = std::to_string(event->revision);
      request_.send_initial_events = false;
      request_.resource_version_match.clear();
    }
    started_ = true;
    if (!bookmark || wants_bookmarks_) events.push_back(std::move(*event));
    return std::nullopt;
  }

  void ended(const Result<void>& outcome) {
    if (over_) return;
    if (status_ != 0 && status_ != 200 && outcome.ok()) {
      Error error = error_of(status_, headers_, line_);
      bool passing = error.reason == Reason::kTooManyRequests || error.reason == Reason::kUnavailable ||
                     error.reason == Reason::kTimeout || error.reason == Reason::kInternal;
      if (!passing) return finish(std::move(error));
    }
    bool cut =
        outcome.ok() || outcome.error().reason == Reason::kUnavailable || outcome.error().reason == Reason::kTimeout;
    if (!cut) return finish(outcome.error());
    // What came was the state at some revision that is not known: it has to be told anew.
    const std::string& from = request_.resource_version;
    bool resumable = !request_.send_initial_events && !from.empty() && from != "0";
    if (started_ && !resumable) {
      return finish(make_error(Reason::kUnavailable, "the watch was cut before its beginning was complete"));
    }
    milliseconds wait = status_ == 200 && outcome.ok() ? milliseconds(0) : back_off(attempt_, kWatchBackOffMax);
    ++attempt_;
    loop_.call_after(wait, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->open();
    });
  }

  void finish(Error error) {
    auto sink = std::move(sink_);
    over_ = true;
    stream_.reset();
    if (sink) sink->on_end(std::move(error));
  }

  loop::Loop& loop_;
  Request request_;
  std::shared_ptr<WatchSink> sink_;
  const Open open_;
  bool wants_bookmarks_ = false;
  std::unique_ptr<http::AsyncClient::Stream> stream_;
  int status_ = 0;
  http::Headers headers_;
  std::string line_;  // unfinished; of a refusal, its body
  bool started_ = false;
  bool over_ = false;
  int attempt_ = 0;
};

class WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<HttpsWatch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->stop(); }

 private:
  std::shared_ptr<HttpsWatch> watch_;
};

}  // namespace

HttpsTransport::HttpsTransport(loop::AsioLoop& loop, HttpsTransportOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

HttpsTransport::~HttpsTransport() { state_->client.reset(); }

void HttpsTransport::call(Request request, Callback done) {
  state_->send(std::make_shared<Request>(std::move(request)), std::move(done), 0);
}

std::unique_ptr<Watch> HttpsTransport::watch(Request request, std::shared_ptr<WatchSink> sink) {
  auto open = [weak = std::weak_ptr(state_)](
                  const Request& one,
                  http::AsyncClient::StreamEvents events) -> std::unique_ptr<http::AsyncClient::Stream> {
    auto state = weak.lock();
    if (!state || !state->client) return nullptr;
    Result<http::OutgoingRequest> http = to_http(one, state->options.bearer_token);
    if (!http.ok()) {
      // As everything else, told later.
      state->loop.post([end = std::move(events.end), error = http.error()] { end(error); });
      return nullptr;
    }
    return state->client->stream(std::move(*http), std::move(events), state->options.silence_max);
  };
  auto made = std::make_shared<HttpsWatch>(state_->loop, std::move(request), std::move(sink), std::move(open));
  state_->loop.post([made] { made->open(); });
  return std::make_unique<WatchHandle>(std::move(made));
}

void HttpsTransport::use_tls(http::TlsContext tls) {
  state_->loop.post([weak = std::weak_ptr(state_), tls = std::move(tls)] {
    auto state = weak.lock();
    if (state && state->client) state->client->use_tls(tls);
  });
}

}  // namespace stead::client
