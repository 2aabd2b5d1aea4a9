#pragma once

// A container's log directory for tests, removed at the end.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace stead::node {

class TestLogDirectory {
 public:
  TestLogDirectory() {
    std::string name = testing::TempDir() + "/stead-logs-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestLogDirectory() { std::filesystem::remove_all(path_); }
  TestLogDirectory(const TestLogDirectory&) = delete;
  TestLogDirectory& operator=(const TestLogDirectory&) = delete;

  const std::string& path() const { return path_; }
  // Lines of stdout, each given as tag and text.
  void append(const std::string& file, const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "2026-01-02T03:04:05.6Z stdout " + line + "\n";
    append_raw(file, text);
  }
  void append_raw(const std::string& file, const std::string& text) {
    std::ofstream(path_ + "/" + file, std::ios::app) << text;
  }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(path_ + "/" + from, path_ + "/" + to);
  }

 private:
  std::string path_;
};

}  // namespace stead::node
