#pragma once

// Logging: one line per event on stderr, `LEVEL time component: message`. The arguments are formatted with fmt
// only when the level is on. Secrets are never logged. Thread-safe. The sink is spdlog's, hidden in log.cc.

#include <fmt/core.h>

#include <string_view>

namespace stead::log {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view component, std::string_view message);

template <class... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning)) write(Level::kWarning, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError)) write(Level::kError, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace stead::log
