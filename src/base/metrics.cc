#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

namespace stead::metrics {
namespace {

struct Kept {
  const char* help;
  const char* type;
  std::map<std::string, std::unique_ptr<Number>> numbers;  // by labels
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string_view, Kept> families;
};

Registry& registry() {
  static auto& kept = *new Registry();  // outlives whoever counts while the process ends
  return kept;
}

Number& number(const char* name, const char* help, const char* type, std::initializer_list<Label> labels) {
  std::lock_guard lock(registry().mutex);
  auto [family, added] = registry().families.try_emplace(name, Kept{help, type, {}, {}});
  auto& series = family->second.numbers[labels_text(labels)];
  if (!series) series = std::make_unique<Number>();
  return *series;
}

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_head(std::string& page, std::string_view name, const char* help, const char* type) {
  fmt::format_to(std::back_inserter(page), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void append_sample(std::string& page, std::string_view name, std::string_view suffix, std::string_view labels,
                   const std::string& value) {
  page.append(name).append(suffix);
  if (!labels.empty()) page.append("{").append(labels).append("}");
  page.append(" ").append(value).append("\n");
}

void append_histogram(std::string& page, std::string_view name, const std::string& labels, const Histogram& histogram) {
  std::vector<uint64_t> counts = histogram.cumulative();
  for (size_t i = 0; i < counts.size(); ++i) {
    std::string bound = i < histogram.bounds().size() ? number_text(histogram.bounds()[i]) : "+Inf";
    append_sample(page, name, "_bucket", fmt::format("{}{}le=\"{}\"", labels, labels.empty() ? "" : ",", bound),
                  fmt::format("{}", counts[i]));
  }
  append_sample(page, name, "_sum", labels, number_text(histogram.sum()));
  append_sample(page, name, "_count", labels, fmt::format("{}", counts.back()));
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds), counts_(new std::atomic<uint64_t>[bounds.size() + 1]()) {}

void Histogram::observe(double value) {
  size_t bucket = static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.add(value);
}

std::vector<uint64_t> Histogram::cumulative() const {
  std::vector<uint64_t> counts;
  uint64_t all = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) counts.push_back(all += counts_[i].load(std::memory_order_relaxed));
  return counts;
}

std::string labels_text(std::span<const Label> labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text.append(text.empty() ? "" : ",").append(name).append("=\"");
    for (char c : value) {
      if (c == '\\' || c == '"') text.push_back('\\');
      text.append(c == '\n' ? "\\n" : std::string(1, c));
    }
    text.push_back('"');
  }
  return text;
}

Number& counter(const char* name, const char* help, std::initializer_list<Label> labels) {
  return number(name, help, "counter", labels);
}

Number& gauge(const char* name, const char* help, std::initializer_list<Label> labels) {
  return number(name, help, "gauge", labels);
}

Histogram& histogram(const char* name, const char* help, std::initializer_list<Label> labels,
                     std::span<const double> bounds) {
  std::lock_guard lock(registry().mutex);
  auto [family, added] = registry().families.try_emplace(name, Kept{help, "histogram", {}, {}});
  auto& series = family->second.histograms[labels_text(labels)];
  if (!series) series = std::make_unique<Histogram>(bounds);
  return *series;
}

std::string text(std::span<const Family> more) {
  std::string page;
  {
    std::lock_guard lock(registry().mutex);
    for (const auto& [name, family] : registry().families) {
      append_head(page, name, family.help, family.type);
      for (const auto& [labels, value] : family.numbers) {
        append_sample(page, name, "", labels, number_text(value->value()));
      }
      for (const auto& [labels, value] : family.histograms) append_histogram(page, name, labels, *value);
    }
  }
  return page + text_of(more);
}

std::string text_of(std::span<const Family> families) {
  std::string page;
  for (const Family& family : families) {
    append_head(page, family.name, family.help, family.type);
    std::string time = family.time_ms ? fmt::format(" {}", *family.time_ms) : std::string();
    for (const auto& [labels, value] : family.samples) {
      append_sample(page, family.name, "", labels, number_text(value) + time);
    }
  }
  return page;
}

}  // namespace stead::metrics
