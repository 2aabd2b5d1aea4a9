#include "http/compressed_answer.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "http/message_parser.h"

namespace stead::http {
namespace {

// One turn's share: a millisecond or two.
constexpr size_t kTurnBytes = 128 * 1024;
// What may wait for the client before more is compressed.
constexpr size_t kQueuedBytesMax = 256 * 1024;
constexpr int kGzipWindowBits = 15 + 16;  // with gzip's header
constexpr int kMemoryLevel = 8;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

class CompressedAnswer : public std::enable_shared_from_this<CompressedAnswer> {
 public:
  CompressedAnswer(ExchangePtr exchange, std::vector<Bytes> body)
      : exchange_(std::move(exchange)), body_(std::move(body)) {
    int made = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY);
    STEAD_CHECK(made == Z_OK);
  }
  ~CompressedAnswer() { deflateEnd(&stream_); }
  CompressedAnswer(const CompressedAnswer&) = delete;
  CompressedAnswer& operator=(const CompressedAnswer&) = delete;

  void begin() {
    exchange_->on_close([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->closed_ = true;
    });
    // The exchange's session keeps us while nothing else does.
    exchange_->on_drain([self = shared_from_this()] {
      if (std::exchange(self->waiting_, false)) self->turn();
    });
    turn();
  }

 private:
  void turn() {
    if (closed_) return;
    std::string out;
    for (size_t taken = 0; taken < kTurnBytes && next_ < body_.size();) {
      std::string_view rest = std::string_view(*body_[next_]).substr(at_);
      std::string_view piece = rest.substr(0, kTurnBytes - taken);
      compress(piece, Z_NO_FLUSH, out);
      taken += piece.size();
      at_ += piece.size();
      if (piece.size() < rest.size()) break;
      body_[next_++].reset();
      at_ = 0;
    }
    bool last = next_ == body_.size();
    if (last) compress({}, Z_FINISH, out);
    exchange_->write(std::make_shared<const std::string>(std::move(out)));
    if (last) return exchange_->finish();
    if (exchange_->queued_bytes() > kQueuedBytesMax) {
      waiting_ = true;
      return;
    }
    exchange_->post([self = shared_from_this()] { self->turn(); });
  }

  void compress(std::string_view piece, int flush, std::string& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    char buffer[16 * 1024];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof(buffer);
      int done = deflate(&stream_, flush);
      STEAD_CHECK(done == Z_OK || done == Z_STREAM_END || done == Z_BUF_ERROR);
      out.append(buffer, sizeof(buffer) - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  const ExchangePtr exchange_;
  std::vector<Bytes> body_;
  size_t next_ = 0;  // of body_
  size_t at_ = 0;    // in body_[next_]
  z_stream stream_{};
  bool waiting_ = false;
  bool closed_ = false;
};

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    std::string_view coding = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    size_t semicolon = std::min(coding.find(';'), coding.size());
    if (!equal_ignoring_case(trimmed(coding.substr(0, semicolon)), "gzip")) continue;
    std::string_view weight = trimmed(coding.substr(std::min(semicolon + 1, coding.size())));
    return !weight.starts_with("q=0") || weight.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

void respond_compressed(const ExchangePtr& exchange, Response response) {
  size_t size = 0;
  for (const Bytes& piece : response.body) size += piece->size();
  const Request& request = exchange->request();
  bool fits = response.status == 200 && size >= kCompressedBytesMin && request.method != "HEAD";
  if (!fits || !accepts_gzip(request.header("Accept-Encoding"))) return exchange->respond(std::move(response));
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  exchange->start(response.status, std::move(response.headers));
  std::make_shared<CompressedAnswer>(exchange, std::move(response.body))->begin();
}

}  // namespace stead::http
