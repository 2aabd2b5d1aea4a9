#pragma once

// Blocking work beside the loop: `work` runs on the pool, `done` gets its result back on the loop. What `work`
// captures must outlive the pool's run; `done` should hold its owner weakly.

#include <memory>
#include <utility>

#include "loop/loop.h"

namespace stead::node {

template <class Work, class Done>
void in_background(loop::WorkerPool& pool, loop::Loop& loop, Work work, Done done) {
  pool.run([&loop, work = std::move(work), done = std::move(done)]() mutable {
    auto result = std::make_shared<decltype(work())>(work());
    loop.post([result, done = std::move(done)]() mutable { done(std::move(*result)); });
  });
}

}  // namespace stead::node
