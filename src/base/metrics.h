#pragma once

// What this process counts about itself, which the API server's /metrics shows in Prometheus' text form. One registry
// for the process, as the log is one: rooms that count name their series here when they first do, by Kubernetes' names
// where it has the metric. Any thread. Series live as long as the process, so labels must come from bounded sets.
//
// Small, for a process of few megabytes: a series is its labels as text and its numbers.

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stead::metrics {

// A counter or gauge.
class Number {
 public:
  void add(double by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds` ascend and live as long as the process.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);
  // What append_text() shows: observations up to each bound, and all.
  std::vector<uint64_t> cumulative() const;
  double sum() const { return sum_.value(); }
  std::span<const double> bounds() const { return bounds_; }

 private:
  const std::span<const double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;  // one more than bounds
  Number sum_;
};

// Name and value; values are quoted as the text form wants.
using Label = std::pair<std::string_view, std::string_view>;
std::string labels_text(std::span<const Label> labels);

// The series of that name and those labels, made by the first who asks. `name` and `help` are literals; a name keeps
// its type and help. The references stay.
Number& counter(const char* name, const char* help, std::initializer_list<Label> labels);
Number& gauge(const char* name, const char* help, std::initializer_list<Label> labels);
Histogram& histogram(const char* name, const char* help, std::initializer_list<Label> labels,
                     std::span<const double> bounds);

// Numbers that are counted only when they are asked for.
struct Family {
  const char* name;
  const char* help;
  const char* type;                                     // "counter", "gauge"
  std::vector<std::pair<std::string, double>> samples;  // by labels_text()
  std::optional<int64_t> time_ms = {};                  // when that was, since the epoch; unset: now
};
std::string text_of(std::span<const Family> families);

// All of the registry, then `more`.
std::string text(std::span<const Family> more);

}  // namespace stead::metrics
