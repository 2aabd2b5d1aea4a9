#include "network/dns/forwarder.h"

#include <arpa/inet.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <unordered_set>

#include "base/random.h"
#include "loop/asio_loop.h"
#include "network/dns/message.h"
#include "network/dns/service_records.h"

namespace stead::network::dns {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kInFlightMax = 512;
constexpr std::chrono::milliseconds kTryTimeout{1500};

// One question on its way: resolver by resolver over UDP, then, if need be, over TCP.
class Flight : public std::enable_shared_from_this<Flight> {
 public:
  Flight(loop::AsioLoop& loop, std::string query, bool over_tcp_too, std::function<void(std::string)> done)
      : loop_(loop),
        query_(std::move(query)),
        over_tcp_too_(over_tcp_too),
        done_(std::move(done)),
        udp_(loop.context()),
        tcp_(loop.context()) {}

  ~Flight() { loop_.cancel(timer_); }

  void begin(std::vector<asio::ip::udp::endpoint> resolvers) {
    resolvers_ = std::move(resolvers);
    try_next();
  }

  void abandon() {
    done_ = nullptr;
    close();
  }

 private:
  void close() {
    error_code ignored;
    udp_.close(ignored);
    tcp_.close(ignored);
    loop_.cancel(timer_);
  }

  void finish(std::string reply) {
    auto self = shared_from_this();
    close();
    if (auto done = std::exchange(done_, nullptr)) done(std::move(reply));
  }

  void try_next() {
    close();
    if (!done_) return;
    if (next_ == resolvers_.size()) return finish({});
    resolver_ = resolvers_[next_++];
    outgoing_ = query_;
    uint64_t id = system_random().next_u64();
    outgoing_[0] = static_cast<char>(id & 0xff);
    outgoing_[1] = static_cast<char>(id >> 8 & 0xff);
    timer_ = loop_.call_after(kTryTimeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->try_next();
    });
    error_code code;
    udp_.open(resolver_.protocol(), code);
    if (!code) udp_.non_blocking(true, code);
    if (!code) udp_.connect(resolver_, code);
    if (!code) udp_.send(asio::buffer(outgoing_), 0, code);
    // Not from here: the caller is still busy with the question.
    if (code) return loop_.post([self = shared_from_this()] { self->try_next(); });
    wait();
  }

  void wait() {
    udp_.async_wait(asio::ip::udp::socket::wait_read,
                    [self = shared_from_this(), turn = next_](const error_code& code) {
                      if (!code && self->done_ && turn == self->next_) self->receive();
                    });
  }

  void receive() {
    for (;;) {
      incoming_.resize(kMessageBytesMax);
      error_code code;
      size_t size = udp_.receive(asio::buffer(incoming_), 0, code);
      if (code == asio::error::would_block) return wait();
      if (code) return try_next();  // refused: nobody listens there
      incoming_.resize(size);
      if (matches()) break;  // others are forged or late
    }
    if (is_truncated(incoming_) && over_tcp_too_) return ask_over_tcp();
    accept();
  }

  bool matches() const {
    return incoming_.size() >= kHeaderBytes && incoming_.compare(0, 2, outgoing_, 0, 2) == 0 &&
           answers_question(incoming_, outgoing_);
  }

  // A resolver that fails is no answer while there is another.
  void accept() {
    if (rcode_of(incoming_) == Rcode::kServerFailure && next_ < resolvers_.size()) return try_next();
    incoming_.replace(0, 2, query_, 0, 2);
    finish(std::move(incoming_));
  }

  void ask_over_tcp() {
    uint16_t size = htons(static_cast<uint16_t>(outgoing_.size()));
    framed_.assign(reinterpret_cast<char*>(&size), 2);
    framed_ += outgoing_;
    auto step = [self = shared_from_this(), turn = next_](auto next) {
      return [self, turn, next](const error_code& code, auto...) {
        if (!self->done_ || turn != self->next_) return;
        if (code) return self->try_next();
        next(*self);
      };
    };
    auto read_body = [](Flight& flight) {
      if (!flight.matches()) return flight.try_next();
      flight.accept();
    };
    auto read_size = [step, read_body](Flight& flight) {
      auto high = static_cast<unsigned char>(flight.incoming_[0]);
      auto low = static_cast<unsigned char>(flight.incoming_[1]);
      flight.incoming_.resize(static_cast<size_t>(high) << 8 | low);
      asio::async_read(flight.tcp_, asio::buffer(flight.incoming_), step(read_body));
    };
    auto sent = [step, read_size](Flight& flight) {
      flight.incoming_.resize(2);
      asio::async_read(flight.tcp_, asio::buffer(flight.incoming_), step(read_size));
    };
    auto connected = [step, sent](Flight& flight) {
      asio::async_write(flight.tcp_, asio::buffer(flight.framed_), step(sent));
    };
    tcp_.async_connect({resolver_.address(), resolver_.port()}, step(connected));
  }

  loop::AsioLoop& loop_;
  const std::string query_;
  const bool over_tcp_too_;
  std::function<void(std::string)> done_;
  std::vector<asio::ip::udp::endpoint> resolvers_;
  size_t next_ = 0;
  asio::ip::udp::endpoint resolver_;
  asio::ip::udp::socket udp_;
  asio::ip::tcp::socket tcp_;
  std::string outgoing_;
  std::string framed_;
  std::string incoming_;
  loop::TimerId timer_ = loop::TimerId::kNone;
};

class AsioForwarder final : public Forwarder {
 public:
  AsioForwarder(loop::AsioLoop& loop, std::vector<asio::ip::udp::endpoint> resolvers)
      : loop_(loop), resolvers_(std::move(resolvers)) {}

  ~AsioForwarder() override {
    for (const auto& flight : flights_) flight->abandon();
  }

  bool has_resolvers() const override { return !resolvers_.empty(); }

  void forward(std::string query, bool over_tcp_too, Done done) override {
    if (resolvers_.empty() || flights_.size() >= kInFlightMax || query.size() < kHeaderBytes) {
      return loop_.post([done = std::move(done)] { done({}); });
    }
    auto slot = std::make_shared<std::weak_ptr<Flight>>();
    auto flight = std::make_shared<Flight>(loop_, std::move(query), over_tcp_too,
                                           [this, slot, done = std::move(done)](std::string reply) {
                                             flights_.erase(slot->lock());
                                             done(std::move(reply));
                                           });
    *slot = flight;
    flights_.insert(flight);
    flight->begin(resolvers_);
  }

 private:
  loop::AsioLoop& loop_;
  const std::vector<asio::ip::udp::endpoint> resolvers_;
  std::unordered_set<std::shared_ptr<Flight>> flights_;
};

std::optional<asio::ip::udp::endpoint> parse_resolver(const std::string& text) {
  std::string host = text;
  uint16_t port = 53;
  size_t colon = text.rfind(':');
  bool has_port = text.starts_with('[') || (colon != std::string::npos && text.find(':') == colon);
  if (has_port) {
    auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  }
  error_code code;
  auto address = asio::ip::make_address(host, code);
  if (code) return std::nullopt;
  return asio::ip::udp::endpoint(address, port);
}

}  // namespace

std::vector<std::string> resolvers_of(std::string_view resolv_conf, const std::vector<std::string>& own_addresses) {
  constexpr size_t kResolversMax = 3;
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string> resolvers;
  while (!resolv_conf.empty() && resolvers.size() < kResolversMax) {
    size_t end = resolv_conf.find('\n');
    std::string_view line = resolv_conf.substr(0, end);
    resolv_conf = end == std::string_view::npos ? std::string_view() : resolv_conf.substr(end + 1);
    constexpr std::string_view kKeyword = "nameserver";
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    size_t begin = line.find_first_not_of(kBlanks);
    if (begin == 0 || begin == std::string_view::npos) continue;
    std::string address(line.substr(begin, line.find_first_of(kBlanks, begin) - begin));
    bool own = std::find(own_addresses.begin(), own_addresses.end(), address) != own_addresses.end();
    // Link-local addresses come with a zone: "fe80::1%eth0".
    if (!own && address_bytes(address.substr(0, address.find('%')))) resolvers.push_back(std::move(address));
  }
  return resolvers;
}

Result<std::unique_ptr<Forwarder>> make_forwarder(loop::AsioLoop& loop, const std::vector<std::string>& resolvers) {
  std::vector<asio::ip::udp::endpoint> endpoints;
  for (const std::string& resolver : resolvers) {
    auto endpoint = parse_resolver(resolver);
    if (!endpoint) return make_error(Reason::kBadRequest, "upstreams: \"" + resolver + "\" is not an address");
    endpoints.push_back(*endpoint);
  }
  return std::unique_ptr<Forwarder>(std::make_unique<AsioForwarder>(loop, std::move(endpoints)));
}

}  // namespace stead::network::dns
