// What a large list costs to send: 10,000 pieces of 1 KiB over TLS and keep-alive. Reports megabytes per second of
// the server thread's CPU time (the client has a thread of its own), so that the figure is per core and does not
// depend on what else the machine does.

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>

#include "base/check.h"
#include "http/client.h"
#include "http/server.h"
#include "http/x509.h"
#include "loop/asio_loop.h"

namespace {

using namespace stead;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  const size_t pieces = 10'000;
  auto ca = http::make_ca("bench", system_clock().wall_now(), std::chrono::hours(1));
  http::LeafRequest leaf;
  leaf.common_name = "bench";
  leaf.ip_addresses = {"127.0.0.1"};
  leaf.server = true;
  auto pair = http::issue(*ca, leaf, system_clock().wall_now());
  STEAD_CHECK(pair.ok());

  std::vector<http::Bytes> body;
  for (size_t i = 0; i < pieces; ++i) {
    body.push_back(std::make_shared<const std::string>(1024, static_cast<char>('a' + i % 26)));
  }
  loop::AsioLoop loop;
  http::ServerOptions options;
  options.tls = {pair->certificate_pem, pair->key_pem, ""};
  auto server = http::make_server(loop, options, [&](http::ExchangePtr exchange) {
    http::Response response;
    response.body = body;
    exchange->respond(std::move(response));
  });
  STEAD_CHECK(server.ok());
  std::promise<clockid_t> clock_promise;
  loop.post([&] {
    clockid_t clock{};
    pthread_getcpuclockid(pthread_self(), &clock);
    clock_promise.set_value(clock);
  });
  loop.start_thread("server");
  clockid_t server_clock = clock_promise.get_future().get();

  http::ClientOptions client;
  client.port = (*server)->port();
  client.ca_pem = ca->certificate_pem;
  size_t received = 0;
  double cpu_before = seconds_of(server_clock);
  double wall_before = seconds_of(CLOCK_MONOTONIC);
  for (int round = 0; round < rounds; ++round) {
    auto response = http::fetch(client, "GET", "/", {}, "", [&](std::string_view chunk) {
      received += chunk.size();
      return true;
    });
    STEAD_CHECK(response.ok());
  }
  double cpu = seconds_of(server_clock) - cpu_before;
  double wall = seconds_of(CLOCK_MONOTONIC) - wall_before;
  STEAD_CHECK(received == static_cast<size_t>(rounds) * pieces * 1024);
  double megabytes = static_cast<double>(received) / 1e6;
  std::printf("http_list_bench: %.0f MB/s per core of server CPU, %.0f MB/s by the clock (%d lists of %zu pieces)\n",
              megabytes / cpu, megabytes / wall, rounds, pieces);
  std::promise<void> ended;
  loop.post([&] {
    server->reset();
    ended.set_value();
  });
  ended.get_future().wait();
}
