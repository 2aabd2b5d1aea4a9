#include "http/async_client.h"

#include <netinet/tcp.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <unordered_set>

#include "http/connection.h"
#include "http/message_parser.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

using boost::asio::ip::tcp;

constexpr size_t kHeaderBytesMax = 256 * 1024;
constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kTurnBytes = 1024 * 1024;
// Servers end what is idle for long: better to open a new one than to lose a request on it.
constexpr std::chrono::seconds kIdleMax{60};
// A peer that vanished without a word is noticed within half a minute.
constexpr int kProbeAfterSeconds = 10;
constexpr int kProbeEverySeconds = 5;
constexpr int kProbesMax = 3;
constexpr int kUnacknowledgedMaxMs = 25'000;

void notice_vanished_peers(int fd) {
  auto set = [fd](int option, int value) { ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value); };
  set(TCP_KEEPIDLE, kProbeAfterSeconds);
  set(TCP_KEEPINTVL, kProbeEverySeconds);
  set(TCP_KEEPCNT, kProbesMax);
  set(TCP_USER_TIMEOUT, kUnacknowledgedMaxMs);
}

std::string host_header(const AsyncClientOptions& options) {
  const std::string& name = options.server_name.empty() ? options.host : options.server_name;
  bool is_v6 = name.find(':') != std::string::npos;
  return (is_v6 ? "[" + name + "]" : name) + ":" + std::to_string(options.port);
}

std::string request_text(const AsyncClientOptions& options, const OutgoingRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host_header(options) + "\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  const std::string& method = request.method;
  if (!request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

struct Kept {
  ConnectionPtr connection;
  Instant since;
};

}  // namespace

// One request, driven over one connection at a time.
struct Job : std::enable_shared_from_this<Job> {
  std::string text;
  bool head_only = false;
  bool repeatable = false;
  bool streaming = false;
  AsyncClient::StreamEvents events;
  AsyncClient::Done done;
  std::chrono::milliseconds silence_max{0};

  ConnectionPtr connection;
  bool connected = false;
  bool shaken = false;
  bool reused = false;
  size_t sent = 0;
  std::unique_ptr<ResponseParser> parser;
  std::string unused;
  bool answered = false;   // some byte of an answer has come
  bool head_told = false;  // streams
  bool over = false;
  loop::TimerId timer = loop::TimerId::kNone;
  Instant heard{};
};
using JobPtr = std::shared_ptr<Job>;

struct AsyncClient::State : std::enable_shared_from_this<AsyncClient::State> {
  State(loop::AsioLoop& the_loop, AsyncClientOptions the_options)
      : loop(the_loop), options(std::move(the_options)), resolver(the_loop.context()), piece(kPieceBytes, '\0') {}

  loop::AsioLoop& loop;
  AsyncClientOptions options;
  tcp::resolver resolver;
  std::string piece;  // what connections read into
  bool closed = false;
  std::deque<JobPtr> waiting;
  std::deque<Kept> kept;
  size_t calls_open = 0;
  std::unordered_set<JobPtr> jobs;

  void close() {
    closed = true;
    for (const JobPtr& job : jobs) {
      job->over = true;
      loop.cancel(job->timer);
      if (job->connection) job->connection->close();
    }
    jobs.clear();
    for (const Kept& one : kept) one.connection->close();
    kept.clear();
    waiting.clear();
    resolver.cancel();
  }

  void submit(const JobPtr& job) {
    if (job->streaming) {
      jobs.insert(job);
      loop.post([self = shared_from_this(), job] { self->begin(job); });
      return;
    }
    waiting.push_back(job);
    loop.post([self = shared_from_this()] { self->take_turns(); });
  }

  void take_turns() {
    while (!closed && !waiting.empty() && calls_open < options.connections_max) {
      JobPtr job = std::move(waiting.front());
      waiting.pop_front();
      ++calls_open;
      jobs.insert(job);
      begin(job);
    }
  }

  void begin(const JobPtr& job) {
    if (closed || job->over) return;
    job->parser =
        make_response_parser(kHeaderBytesMax, job->streaming ? SIZE_MAX : options.body_bytes_max, job->head_only);
    if (job->streaming) {
      job->parser->on_body = [this, raw = job.get()](std::string_view bytes) {
        tell_head(*raw);
        if (!raw->over && raw->events.body) raw->events.body(bytes);
      };
    }
    if (!job->streaming && reuse(job)) return pump(job);
    arm(job, options.connect_timeout, "no connection in time");
    boost::system::error_code code;
    auto address = boost::asio::ip::make_address(options.host, code);
    if (!code) return connect(job, {address, options.port});
    resolver.async_resolve(options.host, std::to_string(options.port),
                           [weak = weak_from_this(), job](const boost::system::error_code& failure,
                                                          const tcp::resolver::results_type& found) {
                             auto self = weak.lock();
                             if (!self || job->over) return;
                             if (failure || found.empty()) {
                               return self->fail(job, make_error(Reason::kUnavailable, failure.message()));
                             }
                             self->connect(job, found.begin()->endpoint());
                           });
  }

  // A kept connection that the server has not ended meanwhile.
  bool reuse(const JobPtr& job) {
    while (!kept.empty()) {
      Kept newest = std::move(kept.back());
      kept.pop_back();
      char byte = 0;
      bool quiet = newest.connection->channel.read(&byte, 1).state == Io::kWantRead;
      if (!quiet || loop.now() - newest.since > kIdleMax) {
        newest.connection->close();
        continue;
      }
      job->connection = std::move(newest.connection);
      job->connected = job->shaken = job->reused = true;
      arm(job, options.answer_timeout, "no answer in time");
      return true;
    }
    return false;
  }

  void connect(const JobPtr& job, const tcp::endpoint& endpoint) {
    Connection::Socket socket(loop.context());
    boost::system::error_code code;
    socket.open(endpoint.protocol(), code);
    if (code) return fail_later(job, make_error(Reason::kUnavailable, code.message()));
    notice_vanished_peers(socket.native_handle());
    job->connection = std::make_shared<Connection>(std::move(socket));
    job->connection->socket.async_connect(endpoint, [weak = weak_from_this(),
                                                     job](const boost::system::error_code& failure) {
      auto self = weak.lock();
      if (!self || job->over) return;
      if (failure) return self->fail(job, make_error(Reason::kUnavailable, failure.message()));
      job->connected = true;
      Connection& connection = *job->connection;
      if (self->options.tls) {
        connection.channel = Channel(
            connection.socket.native_handle(),
            make_client_connection(self->options.tls, connection.socket.native_handle(),
                                   self->options.server_name.empty() ? self->options.host : self->options.server_name));
      }
      self->pump(job);
    });
  }

  void arm(const JobPtr& job, std::chrono::milliseconds after, const char* why) {
    loop.cancel(job->timer);
    job->timer = loop.call_after(after, [weak = weak_from_this(), job, why] {
      auto self = weak.lock();
      if (self && !job->over) self->fail(job, make_error(Reason::kTimeout, why));
    });
  }

  // Waits are counted from what was heard last, so that a busy stream needs no timer of its own per piece.
  void watch_silence(const JobPtr& job) {
    loop.cancel(job->timer);
    job->timer = loop::TimerId::kNone;
    if (job->silence_max.count() == 0) return;
    job->timer = loop.call_at(job->heard + job->silence_max, [weak = weak_from_this(), job] {
      auto self = weak.lock();
      if (!self || job->over) return;
      if (self->loop.now() < job->heard + job->silence_max) return self->watch_silence(job);
      self->fail(job, make_error(Reason::kTimeout, "nothing has come for too long"));
    });
  }

  void wait(const JobPtr& job, Io want) {
    job->connection->when_ready(want, [weak = weak_from_this(), job] {
      if (auto self = weak.lock()) self->pump(job);
    });
  }

  void pump(const JobPtr& job) {
    if (job->over) return;
    Channel& channel = job->connection->channel;
    if (!job->shaken) {
      Io state = channel.handshake();
      if (state == Io::kWantRead || state == Io::kWantWrite) return wait(job, state);
      if (state != Io::kDone) return fail(job, handshake_error(channel));
      job->shaken = true;
      arm(job, options.answer_timeout, "no answer in time");
    }
    while (job->sent < job->text.size()) {
      IoResult result = channel.write(job->text.data() + job->sent, job->text.size() - job->sent);
      if (result.state == Io::kDone) {
        job->sent += result.bytes;
      } else if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
        return wait(job, result.state);
      } else {
        break;  // what the server said before it closed matters
      }
    }
    receive(job);
  }

  void receive(const JobPtr& job) {
    for (size_t taken = 0; !job->over;) {
      IoResult result = job->connection->channel.read(piece.data(), piece.size());
      if (result.state == Io::kWantRead || result.state == Io::kWantWrite) return wait(job, result.state);
      if (result.state == Io::kClosed && job->answered) {
        job->parser->end_of_input();
      } else if (result.state != Io::kDone) {
        return broken(job);
      } else {
        job->answered = true;
        taken += result.bytes;
        job->unused.append(piece.data(), result.bytes);
        job->unused.erase(0, job->parser->consume(job->unused));
      }
      if (job->over) return;
      if (!settle(job)) return;
      if (taken >= kTurnBytes) {  // others want their turn
        loop.post([weak = weak_from_this(), job] {
          if (auto self = weak.lock(); self && !job->over) self->receive(job);
        });
        return;
      }
    }
  }

  // What the parser's state means; false once the job is over.
  bool settle(const JobPtr& job) {
    using MessageState = MessageParser::State;
    ResponseParser& parser = *job->parser;
    if (parser.state() == MessageState::kFailed) {
      fail(job, make_error(Reason::kUnavailable, "malformed or incomplete answer"));
      return false;
    }
    if (job->streaming && parser.state() != MessageState::kHead) {
      if (!job->head_told) tell_head(*job);
      if (job->over) return false;
      job->heard = loop.now();
      if (job->timer == loop::TimerId::kNone) watch_silence(job);
    }
    if (parser.state() != MessageState::kComplete) return true;
    complete(job);
    return false;
  }

  // The wait for the head ends with it.
  void tell_head(Job& job) {
    if (job.head_told) return;
    job.head_told = true;
    loop.cancel(job.timer);
    job.timer = loop::TimerId::kNone;
    if (job.events.head) job.events.head(job.parser->status, job.parser->headers);
  }

  void complete(const JobPtr& job) {
    ResponseParser& parser = *job->parser;
    finish(job);
    bool usable = parser.keep_alive() && job->unused.empty() && job->sent == job->text.size();
    if (usable && !job->streaming) {
      kept.push_back({job->connection, loop.now()});
    } else {
      job->connection->close();
    }
    if (job->streaming) {
      if (job->events.end) job->events.end({});
    } else {
      job->done(ClientResponse{parser.status, std::move(parser.headers), std::move(parser.body)}, true);
    }
    take_turns();
  }

  // A kept connection may have been ended while the request was on its way to it.
  void broken(const JobPtr& job) {
    if (job->reused && !job->answered && job->repeatable) {
      job->connection->close();
      job->connection.reset();
      job->connected = job->shaken = job->reused = false;
      job->sent = 0;
      loop.cancel(job->timer);
      return begin(job);
    }
    fail(job, make_error(Reason::kUnavailable, "the connection was lost: " + tls_error_text()));
  }

  static Error handshake_error(const Channel& channel) {
    std::string problem = verification_problem(channel.tls());
    if (!problem.empty()) return make_error(Reason::kUnauthorized, "the server's certificate: " + problem);
    return make_error(Reason::kUnavailable, "TLS handshake: " + tls_error_text());
  }

  void finish(const JobPtr& job) {
    job->over = true;
    loop.cancel(job->timer);
    jobs.erase(job);
    if (!job->streaming) --calls_open;
  }

  void fail_later(const JobPtr& job, Error error) {
    loop.post([weak = weak_from_this(), job, error = std::move(error)] {
      if (auto self = weak.lock(); self && !job->over) self->fail(job, error);
    });
  }

  void fail(const JobPtr& job, Error error) {
    if (job->over) return;
    finish(job);
    if (job->connection) job->connection->close();
    error = error.with_context(host_header(options));
    auto self = shared_from_this();
    if (job->streaming) {
      if (job->events.end) job->events.end(std::move(error));
    } else {
      job->done(std::move(error), job->sent > 0);
    }
    take_turns();
  }
};

namespace {

class JobStream final : public AsyncClient::Stream {
 public:
  explicit JobStream(std::function<void()> end) : end_(std::move(end)) {}
  ~JobStream() override { end_(); }

 private:
  std::function<void()> end_;
};

}  // namespace

AsyncClient::AsyncClient(loop::AsioLoop& loop, AsyncClientOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

AsyncClient::~AsyncClient() { state_->close(); }

void AsyncClient::call(OutgoingRequest request, Done done) {
  auto job = std::make_shared<Job>();
  const std::string& method = request.method;
  job->head_only = method == "HEAD";
  job->repeatable = method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
  job->text = request_text(state_->options, request);
  job->done = std::move(done);
  state_->submit(job);
}

std::unique_ptr<AsyncClient::Stream> AsyncClient::stream(OutgoingRequest request, StreamEvents events,
                                                         std::chrono::milliseconds silence_max) {
  auto job = std::make_shared<Job>();
  job->streaming = true;
  job->text = request_text(state_->options, request);
  job->events = std::move(events);
  job->silence_max = silence_max;
  state_->submit(job);
  return std::make_unique<JobStream>([weak = std::weak_ptr(state_), job] {
    auto state = weak.lock();
    if (!state || job->over) return;
    state->finish(job);
    // From within one of its own callbacks the connection is still being read: closed afterwards.
    state->loop.post([connection = job->connection] {
      if (connection) connection->close();
    });
  });
}

void AsyncClient::use_tls(TlsContext tls) {
  state_->options.tls = std::move(tls);
  for (const Kept& one : state_->kept) one.connection->close();
  state_->kept.clear();
}

}  // namespace stead::http
