#include "http/compressed_answer.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <future>

#include "http/server.h"
#include "http/test_client.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

std::string inflated(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK) {
    char buffer[4096];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof(buffer) - stream.avail_out);
  }
  EXPECT_EQ(state, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

// Lines that differ: compressible, but not to nothing.
std::string text_of(size_t size) {
  std::string text;
  for (size_t line = 0; text.size() < size; ++line) text += "line " + std::to_string(line * 2654435761u) + "\n";
  text.resize(size);
  return text;
}

class CompressedAnswerTest : public testing::Test {
 protected:
  void serve(const std::string& text, size_t piece) {
    auto made = make_server(loop_, {}, [text, piece](const ExchangePtr& exchange) {
      Response response = Response::text(200, "");
      response.body.clear();
      for (size_t at = 0; at < text.size(); at += piece) {
        response.body.push_back(std::make_shared<const std::string>(text.substr(at, piece)));
      }
      respond_compressed(exchange, std::move(response));
    });
    ASSERT_TRUE(made.ok());
    server_ = std::move(*made);
    loop_.start_thread("test");
  }
  ClientResponse get(const std::string& accept_encoding) {
    TestClient client(server_->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + accept_encoding + "\r\n\r\n");
    return client.read_response();
  }
  static std::string header(const ClientResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (equal_ignoring_case(key, name)) return value;
    }
    return "";
  }
  ~CompressedAnswerTest() override {
    std::promise<void> done;
    loop_.post([&] {
      server_.reset();
      done.set_value();
    });
    done.get_future().wait();
    loop_.stop();
    loop_.join();
  }
  loop::AsioLoop loop_;
  std::unique_ptr<Server> server_;
};

TEST_F(CompressedAnswerTest, LargeOnesComeBackWhole) {
  std::string text = text_of(4'000'000);
  serve(text, 1000);
  ClientResponse response = get("br, gzip;q=0.5");
  EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
  EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
  EXPECT_LT(response.body.size(), text.size() / 2);
  EXPECT_EQ(inflated(response.body), text);
}

TEST_F(CompressedAnswerTest, OnePieceOfMegabytes) {
  std::string text = text_of(3'000'001);
  serve(text, text.size());
  EXPECT_EQ(inflated(get("gzip").body), text);
}

TEST_F(CompressedAnswerTest, OthersAreLeftAsTheyAre) {
  std::string text = text_of(kCompressedBytesMin);
  serve(text, 4096);
  EXPECT_EQ(get("identity").body, text);
  EXPECT_EQ(get("gzip;q=0").body, text);
  EXPECT_EQ(header(get("gzip"), "Content-Encoding"), "gzip");
}

TEST_F(CompressedAnswerTest, SmallOnesAreLeftAsTheyAre) {
  std::string text = text_of(kCompressedBytesMin - 1);
  serve(text, 4096);
  ClientResponse response = get("gzip");
  EXPECT_EQ(response.body, text);
  EXPECT_EQ(header(response, "Content-Encoding"), "");
}

// Takes the answer slowly, so that it waits for its client, and leaves in the middle.
TEST_F(CompressedAnswerTest, AClientMayGoAway) {
  std::string random;
  random.resize(16'000'000);
  uint64_t state = 1;
  for (char& c : random) c = static_cast<char>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  serve(random, 100'000);
  {
    TestClient client(server_->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  }
  EXPECT_EQ(inflated(get("gzip").body), random);
}

TEST(AcceptsGzip, Table) {
  for (const char* text : {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.001", "gzip; q=1", " br , gzip "}) {
    EXPECT_TRUE(accepts_gzip(text)) << text;
  }
  for (const char* text : {"", "identity", "gzip;q=0", "gzip; q=0.0", "xgzip", "deflate"}) {
    EXPECT_FALSE(accepts_gzip(text)) << text;
  }
}

}  // namespace
}  // namespace stead::http
