#pragma once

// ByteStream over a connection of a server, or of one of its calls to another server.

#include "http/byte_stream.h"
#include "http/connection.h"
#include "http/server_state.h"

namespace stead::http {

class ConnectionStream final : public ByteStream,
                               public Upgraded,
                               public std::enable_shared_from_this<ConnectionStream> {
 public:
  // Kept alive by the server until closed. `received` has been read already.
  static std::shared_ptr<ConnectionStream> make(const std::shared_ptr<ServerState>& server, ConnectionPtr connection,
                                                std::string received);

  void begin(Events events) override;
  void write(std::string bytes) override;
  size_t queued_bytes() const override { return out_.size() - out_at_; }
  void pause(bool paused) override;
  void end() override;
  void close() override;

 private:
  ConnectionStream(std::shared_ptr<ServerState> server, ConnectionPtr connection, std::string received)
      : server_(std::move(server)), connection_(std::move(connection)), received_(std::move(received)) {}
  void pump();
  void pump_later();
  bool flush();
  void receive();
  void over();
  void wait(Io want);

  const std::shared_ptr<ServerState> server_;
  const ConnectionPtr connection_;
  std::string received_;
  Events events_;
  std::string out_;  // from out_at_ on
  size_t out_at_ = 0;
  loop::TimerId timer_ = loop::TimerId::kNone;
  bool begun_ = false;
  bool paused_ = false;
  bool ending_ = false;
  bool other_ended_ = false;
  bool closed_ = false;
  bool pump_posted_ = false;
};

}  // namespace stead::http
