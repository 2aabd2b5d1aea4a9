#include "http/answer_head.h"

#include <ctime>

namespace stead::http {

std::string_view date_text(WallTime now) {
  thread_local time_t last = -1;
  thread_local std::string text;
  time_t second = std::chrono::system_clock::to_time_t(now);
  if (second != last) {
    last = second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    char buffer[64];
    text.assign(buffer, strftime(buffer, sizeof(buffer), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return text;
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string header_value(std::string_view value) {
  std::string clean(value);
  for (char& c : clean) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return clean;
}

}  // namespace stead::http
