#include "http/message_parser.h"

#include <gtest/gtest.h>

namespace stead::http {
namespace {

using State = MessageParser::State;

std::unique_ptr<ResponseParser> answer_of(std::string_view bytes) {
  auto parser = make_response_parser(1000, 1000);
  parser->consume(bytes);
  parser->end_of_input();
  return parser;
}

TEST(ResponseParser, AnEndWithoutAHeadIsAFailure) {
  EXPECT_EQ(answer_of("")->state(), State::kFailed);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nX: y\r\n")->state(), State::kFailed);
  EXPECT_EQ(answer_of("e\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")->state(), State::kFailed);
}

TEST(ResponseParser, TheEndCompletesABodyWithoutLength) {
  auto parser = answer_of("HTTP/1.1 200 OK\r\n\r\nall");
  EXPECT_EQ(parser->state(), State::kComplete);
  EXPECT_EQ(parser->body, "all");
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall")->state(), State::kFailed);
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n")->state(), State::kFailed);
}

// However the bytes arrive.
TEST(RequestParser, AnEmptyChunkedBodyInPieces) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  constexpr std::string_view kEnd = "0\r\n\r\n";
  for (size_t first = 0; first <= kEnd.size(); ++first) {
    auto parser = make_request_parser(1000, 1000);
    std::string pending = std::string(kHead) + std::string(kEnd.substr(0, first));
    pending.erase(0, parser->consume(pending));
    for (char c : kEnd.substr(first)) {
      EXPECT_EQ(parser->state(), State::kBody) << first;
      pending += c;
      pending.erase(0, parser->consume(pending));
    }
    EXPECT_EQ(parser->state(), State::kComplete) << first;
    EXPECT_EQ(pending, "");
  }
}

TEST(RequestParser, ChunksInPieces) {
  auto parser = make_request_parser(1000, 1000);
  std::string pending;
  for (char c : std::string_view("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "2\r\nok\r\n1;x=y\r\n!\r\n0\r\nTrailer: t\r\n\r\n")) {
    pending += c;
    pending.erase(0, parser->consume(pending));
  }
  EXPECT_EQ(parser->state(), State::kComplete);
  EXPECT_EQ(parser->request.body, "ok!");
}

}  // namespace
}  // namespace stead::http
