// What the reader of log files last said about each of them, for the status page.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sidelight {

struct TailedFileReport {
  std::string path;
  std::string input;
  std::uint64_t size = 0;
  std::uint64_t read = 0;       // bytes from its beginning
  std::uint64_t delivered = 0;  // bytes from its beginning that are settled
  double behind_seconds = 0;    // age of the oldest bytes that are not delivered; 0: none
};

// Thread-safe.
class TailedFiles {
 public:
  static constexpr std::size_t kMost = 50;

  void set(std::vector<TailedFileReport> files, std::size_t all) {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
    all_ = all;
  }
  // Those that are furthest behind first, at most kMost; `all` is how many there are.
  std::vector<TailedFileReport> get(std::size_t& all) const {
    const std::lock_guard lock(mutex_);
    all = all_;
    return files_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<TailedFileReport> files_;
  std::size_t all_ = 0;
};

}  // namespace sidelight
