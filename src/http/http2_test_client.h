#pragma once

// For tests: the client's side of HTTP/2, as bytes in and out (Http2TestPeer) and over a blocking TLS connection that
// waits at most ten seconds (Http2TestClient).

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>

#include "http/channel.h"
#include "http/http.h"

namespace stead::http {

class Http2TestPeer {
 public:
  struct Stream {
    int status = 0;
    Headers headers;
    std::string body;
    bool closed = false;
    uint32_t error = 0;
    std::string upload;
    size_t uploaded = 0;
    std::string header(std::string_view name) const {
      for (const auto& [key, value] : headers) {
        if (key == name) return value;
      }
      return {};
    }
  };

  explicit Http2TestPeer(int32_t window = 65535) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* self) {
          static_cast<Http2TestPeer*>(self)->take_header(frame->hd.stream_id,
                                                         {reinterpret_cast<const char*>(name), name_size},
                                                         {reinterpret_cast<const char*>(value), value_size});
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self) {
          static_cast<Http2TestPeer*>(self)->streams[id].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, int32_t id, uint32_t error, void* self) {
          static_cast<Http2TestPeer*>(self)->streams[id].closed = true;
          static_cast<Http2TestPeer*>(self)->streams[id].error = error;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          if (frame->hd.type == NGHTTP2_GOAWAY) {
            static_cast<Http2TestPeer*>(self)->goaway = static_cast<int>(frame->goaway.error_code);
          }
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_max_outbound_ack(option, 1'000'000);
    nghttp2_session_client_new2(&session, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(window)}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 1);
  }
  ~Http2TestPeer() { nghttp2_session_del(session); }
  Http2TestPeer(const Http2TestPeer&) = delete;
  Http2TestPeer& operator=(const Http2TestPeer&) = delete;

  // `headers` follow the pseudo header fields. `ends`: no more than `body` comes.
  int32_t request(const std::string& method, const std::string& path, const Headers& headers = {},
                  std::string body = {}) {
    Headers all = {{":method", method}, {":scheme", "https"}, {":authority", "server"}, {":path", path}};
    all.insert(all.end(), headers.begin(), headers.end());
    std::vector<nghttp2_nv> fields;
    for (const auto& [name, value] : all) {
      fields.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                        NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.read_callback = [](nghttp2_session*, int32_t id, uint8_t* to, size_t size, uint32_t* flags,
                                nghttp2_data_source*, void* self) -> ssize_t {
      Stream& stream = static_cast<Http2TestPeer*>(self)->streams[id];
      size_t taken = stream.upload.copy(reinterpret_cast<char*>(to), size, stream.uploaded);
      stream.uploaded += taken;
      if (stream.uploaded == stream.upload.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(taken);
    };
    int32_t id = nghttp2_submit_request(session, nullptr, fields.data(), fields.size(),
                                        body.empty() ? nullptr : &provider, nullptr);
    streams[id].upload = std::move(body);
    return id;
  }

  std::string output() {
    std::string bytes;
    const uint8_t* data = nullptr;
    for (ssize_t size; (size = nghttp2_session_mem_send(session, &data)) > 0;) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    }
    return bytes;
  }
  bool input(std::string_view bytes) {
    return nghttp2_session_mem_recv(session, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) >= 0;
  }

  nghttp2_session* session = nullptr;
  std::map<int32_t, Stream> streams;
  int goaway = -1;  // the code of the last GOAWAY

 private:
  void take_header(int32_t id, std::string name, std::string value) {
    if (name == ":status") {
      streams[id].status = std::atoi(value.c_str());
    } else {
      streams[id].headers.emplace_back(std::move(name), std::move(value));
    }
  }
};

class Http2TestClient {
 public:
  explicit Http2TestClient(uint16_t port, int32_t window = 65535)
      : peer(window), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    TlsContext context = *make_client_tls("", "", "");
    channel_ = Channel(fd_, make_client_connection(context, fd_, "127.0.0.1", true));
    Io state = Io::kWantRead;
    while ((state = channel_.handshake()) != Io::kDone && wait(state)) {
    }
    EXPECT_EQ(state, Io::kDone);
    EXPECT_TRUE(negotiated_http2(channel_.tls()));
  }
  ~Http2TestClient() { ::close(fd_); }
  Http2TestClient(const Http2TestClient&) = delete;
  Http2TestClient& operator=(const Http2TestClient&) = delete;

  void send() { send(peer.output()); }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      IoResult result = channel_.write(bytes.data(), bytes.size());
      if (result.state == Io::kDone) bytes.remove_prefix(result.bytes);
      if (result.state != Io::kDone && !wait(result.state)) return;
    }
  }

  // Exchanges bytes until `done` says so; false if the connection ends, or ten seconds pass, before.
  bool run_until(const std::function<bool()>& done) {
    send();
    while (!done()) {
      char buffer[16384];
      IoResult result = channel_.read(buffer, sizeof(buffer));
      if (result.state == Io::kDone) {
        if (!peer.input({buffer, result.bytes})) return false;
        send();
      } else if (!wait(result.state)) {
        return done();
      }
    }
    return true;
  }
  Http2TestPeer::Stream& answer(int32_t id) {
    EXPECT_TRUE(run_until([&] { return peer.streams[id].closed; })) << "stream " << id << " did not end";
    return peer.streams[id];
  }
  Http2TestPeer::Stream& fetch(const std::string& method, const std::string& path, const Headers& headers = {},
                               std::string body = {}) {
    return answer(peer.request(method, path, headers, std::move(body)));
  }
  // Whether the server ends the connection within ten seconds.
  bool ends() {
    run_until([] { return false; });
    return !timed_out_;
  }

  Http2TestPeer peer;

 private:
  bool wait(Io state) {
    if (state != Io::kWantRead && state != Io::kWantWrite) return false;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd_, &set);
    timeval limit{10, 0};
    bool reading = state == Io::kWantRead;
    timed_out_ = ::select(fd_ + 1, reading ? &set : nullptr, reading ? nullptr : &set, nullptr, &limit) == 0;
    return !timed_out_;
  }

  int fd_;
  Channel channel_;
  bool timed_out_ = false;
};

}  // namespace stead::http
