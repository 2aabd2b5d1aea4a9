// Drives a fuzzer's entry point without libFuzzer: seeds, and what a deterministic mutator makes of them.
//
//   json_fuzz_short SEEDS [--runs N] [--seconds N] [--random SEED]   ends after either; a failure leaves its input
//   json_fuzz_short FILE                                             runs one input
//
// STEAD_FUZZ_SECONDS takes the place of both limits where it is set.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// A fuzzer may know better how its inputs change.
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                                                unsigned seed);

namespace {

constexpr size_t kInputBytesMax = 8192;
constexpr unsigned kSecondsOfOneInput = 20;

const std::string* current = nullptr;
char failure_name[512];
char told[1200];

// Only what POSIX allows in a handler.
void on_failure(int number) {
  int fd = open(failure_name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0 && current != nullptr) {
    [[maybe_unused]] ssize_t written = write(fd, current->data(), current->size());
    close(fd);
  }
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, told, strlen(told));
  signal(number, SIG_DFL);
  raise(number);
}

void run(const std::string& input) {
  current = &input;
  alarm(kSecondsOfOneInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  std::string mutated(const std::vector<std::string>& seeds) {
    std::string text = seeds[below(seeds.size())];
    const bool custom = LLVMFuzzerCustomMutator != nullptr;
    for (size_t turn = 1 + below(6); turn > 0; --turn) {
      if (custom) {
        change_custom(text);
      } else {
        change(text, seeds[below(seeds.size())]);
      }
    }
    if (text.size() > kInputBytesMax) text.resize(kInputBytesMax);
    return text;
  }

  void change(std::string& text) { change(text, text); }

 private:
  void change_custom(std::string& text) {
    size_t size = std::min(text.size(), kInputBytesMax);
    text.resize(kInputBytesMax);
    size = LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(text.data()), size, text.size(),
                                   static_cast<unsigned>(random_()));
    text.resize(size);
  }

  void change(std::string& text, std::string other) {
    size_t at = below(text.size() + 1);
    switch (below(8)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 1:
        text.insert(at, 1, static_cast<char>(random_()));
        return;
      case 2:
        text.erase(at, 1 + below(8));
        return;
      case 3:  // a piece of its own once more
        text.insert(below(text.size() + 1), text.substr(at, 1 + below(32)));
        return;
      case 4:  // a piece of another seed
        text.insert(at, other.substr(below(other.size() + 1), 1 + below(64)));
        return;
      case 5:  // grafted on
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
        return;
      case 6: {
        static constexpr char kBytes[] = {0, 1, 9, 10, 32, 34, 37, 45, 46, 48, 92, 127, -128, -1};
        if (at < text.size()) text[at] = kBytes[below(sizeof(kBytes))];
        return;
      }
      default: {
        static constexpr const char* kWords[] = {"0",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "1e308",
                                                 "null",
                                                 "[",
                                                 "{\"",
                                                 "\"}",
                                                 "%00",
                                                 "//",
                                                 "\\u0000",
                                                 "\r\n",
                                                 "~1",
                                                 "-",
                                                 "*",
                                                 "&a",
                                                 "true",
                                                 "...",
                                                 "\xff\xff\xff\xff",
                                                 "0x1p-1"};
        text.insert(at, kWords[below(std::size(kWords))]);
        return;
      }
    }
  }

  std::mt19937_64 random_;
};

Mutator* mutator = nullptr;

}  // namespace

// libFuzzer's plain change, for those that have their own.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  mutator->change(text);
  size = std::min(text.size(), max_size);
  std::copy_n(text.data(), size, reinterpret_cast<char*>(data));
  return size;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::filesystem::path where = argv[1];
  // Some seconds' worth, and the same inputs on every machine.
  uint64_t runs = 50'000;
  uint64_t seconds = 5;
  uint64_t seed = 1;
  if (const char* text = getenv("STEAD_FUZZ_SECONDS"); text != nullptr && *text != '\0') {
    runs = UINT64_MAX;
    seconds = strtoull(text, nullptr, 10);
  }
  for (int i = 2; i + 1 < argc; i += 2) {
    std::string name = argv[i];
    uint64_t value = strtoull(argv[i + 1], nullptr, 10);
    (name == "--runs" ? runs : name == "--seconds" ? seconds : seed) = value;
  }
  snprintf(failure_name, sizeof(failure_name), "%s-failure", std::filesystem::path(argv[0]).filename().c_str());
  snprintf(told, sizeof(told), "failed; once more: %s %s\n", argv[0], failure_name);
  for (int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGALRM}) signal(number, on_failure);
  if (std::filesystem::is_regular_file(where)) {
    run(read_file(where));
    return 0;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(where)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& file : files) seeds.push_back(read_file(file));
  if (seeds.empty()) {
    fprintf(stderr, "no seeds in %s\n", where.c_str());
    return 2;
  }
  for (const std::string& each : seeds) run(each);
  Mutator made(seed);
  mutator = &made;
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t done = 0;
  for (; done < runs && std::chrono::steady_clock::now() < end; ++done) run(made.mutated(seeds));
  printf("%zu seeds and %llu inputs made of them\n", seeds.size(), static_cast<unsigned long long>(done));
}
