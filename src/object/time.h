#pragma once

// Times as the API writes them.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace stead::object {

std::string format_time(WallTime time);        // "2026-01-02T03:04:05Z"
std::string format_micro_time(WallTime time);  // "2026-01-02T03:04:05.000006Z"
// RFC 3339 with any fraction and offset.
std::optional<WallTime> parse_time(std::string_view text);
// "5s", "3m20s", "2d5h": the AGE column of kubectl (k8s.io/apimachinery duration.HumanDuration).
std::string human_duration(Duration duration);
// Go's time.ParseDuration / Duration.String: "1h2m0.5s".
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);

}  // namespace stead::object
