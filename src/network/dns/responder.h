#pragma once

// From a packet to the packet that answers it: the one place where it is decided what is answered here, what is
// forwarded and what is refused. Loop thread only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "network/dns/forwarder.h"
#include "network/dns/message.h"
#include "network/dns/name_index.h"

namespace stead::network::dns {

class Responder {
 public:
  Responder(NameIndex index, std::unique_ptr<Forwarder> forwarder)
      : index_(std::move(index)), forwarder_(std::move(forwarder)) {}

  // Runs `reply` at most once, now or later; never for packets that deserve no answer.
  void handle(std::string_view packet, bool over_tcp, std::function<void(std::string)> reply);

  ServiceRecords& records() {
    ++serial_;
    return index_.records();
  }
  // Until then questions about the cluster's names are held: "no such name" would be a lie that clients keep, and a
  // failure one that they do not come back from, while the program restarts under them.
  void set_ready();
  // It takes too long: answers SERVFAIL to what is held, and to further questions until set_ready().
  void stop_holding();

 private:
  struct Held {
    std::string packet;
    bool over_tcp;
    std::function<void(std::string)> reply;
  };
  void forward(const Query& query, std::string_view packet, bool over_tcp, std::function<void(std::string)> reply);
  void resolve_alias(Query query, Answer answer, bool over_tcp, std::function<void(std::string)> reply);

  NameIndex index_;
  std::unique_ptr<Forwarder> forwarder_;
  bool ready_ = false;
  bool holding_ = true;
  std::vector<Held> held_;  // bounded
  uint32_t serial_ = 1;
  size_t rotation_ = 0;
};

}  // namespace stead::network::dns
