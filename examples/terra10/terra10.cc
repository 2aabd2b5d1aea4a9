// The two programs of the terra10 example, in one: `transporter` takes orders on port 8090 and writes a line per
// order to /tmp/transporter.log; `monitor` shows that file, which it finds under /var/log, on port 8092. Statically
// linked, one connection at a time, ends at once on SIGTERM.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace {

constexpr size_t kRequestBytesMax = 8192;

void end_now(int) { _exit(0); }

std::string decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::map<std::string, std::string> query_of(const std::string& request) {
  std::map<std::string, std::string> query;
  size_t start = request.find('?');
  size_t end = request.find(' ', request.find(' ') + 1);
  if (start == std::string::npos || start > end) return query;
  std::istringstream parts(request.substr(start + 1, end - start - 1));
  for (std::string part; std::getline(parts, part, '&');) {
    size_t equal = part.find('=');
    if (equal != std::string::npos) query[part.substr(0, equal)] = decode(part.substr(equal + 1));
  }
  return query;
}

std::string transport(const std::string& host, const std::string& request) {
  auto query = query_of(request);
  if (query["name"].empty()) return "";
  std::ofstream log("/tmp/transporter.log", std::ios::app);
  log << "transporter " << host << " has transporteed " << query["name"] << " is transported from " << query["from"]
      << " to " << query["to"] << "\n";
  std::printf("transported %s\n", query["name"].c_str());
  std::fflush(stdout);
  return "Hello, on " + host + ", " + query["name"] + " will be transported from " + query["from"] + " to " +
         query["to"] + " using the Terra10 transporter service\n";
}

std::string show_log() {
  std::ifstream log("/var/log/transporter.log");
  std::ostringstream content;
  content << log.rdbuf();
  return content.str();
}

std::string read_request(int connection) {
  std::string request;
  char buffer[1024];
  while (request.size() < kRequestBytesMax && request.find("\r\n\r\n") == std::string::npos) {
    ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    request.append(buffer, static_cast<size_t>(count));
  }
  return request;
}

}  // namespace

int main(int argc, char** argv) {
  bool monitor = argc > 1 && std::strcmp(argv[1], "monitor") == 0;
  std::signal(SIGTERM, end_now);
  std::signal(SIGINT, end_now);
  std::signal(SIGPIPE, SIG_IGN);
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(monitor ? 8092 : 8090);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 64) != 0) {
    std::perror("terra10: listen");
    return 1;
  }
  std::printf("terra10 %s on %s is ready\n", monitor ? "monitor" : "transporter", host);
  std::fflush(stdout);
  for (;;) {
    int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    timeval patience{5, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string request = read_request(connection);
    std::string body = monitor ? show_log() : transport(host, request);
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body;
    send(connection, answer.data(), answer.size(), 0);
    close(connection);
  }
}
