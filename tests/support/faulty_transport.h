#pragma once

// An ApiTransport over another one that fails the way networks and busy servers do. The contract of ApiTransport holds
// (one answer per call, events in order), except that the events of a write may come after its answer.

#include <memory>

#include "base/random.h"
#include "client/transport.h"
#include "loop/loop.h"

namespace stead {

// Chances in a thousand. Shared by any number of transports; may change at any time.
struct ApiFaults {
  uint64_t lose_request = 0;    // never arrives; the caller is told that the server cannot be reached
  uint64_t lose_answer = 0;     // arrives and takes effect; the caller is told the same
  uint64_t repeat_request = 0;  // arrives twice; the caller gets the second answer
  uint64_t conflict = 0;        // before a write arrives, somebody else annotates the object
  uint64_t delay = 0;           // an answer or event comes later, by at most delay_max
  uint64_t break_watch = 0;     // after a delivery the watch ends; every third time it has expired
  Duration delay_max = std::chrono::seconds(2);
  bool hold_events = false;  // no event arrives for now; they come, in order, once this is over

  // All of the above, mildly.
  static ApiFaults some();
};

// All references outlive the transport and what it has put on the loop.
std::unique_ptr<client::ApiTransport> make_faulty_transport(std::unique_ptr<client::ApiTransport> inner,
                                                            loop::Loop& loop, Random& random, const ApiFaults& faults);

}  // namespace stead
