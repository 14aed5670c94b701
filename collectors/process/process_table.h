// Processes by the name of their command, so that what they used is not forgotten when they end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"

namespace sidelight {

struct ProcessSample {
  std::uint64_t id = 0;
  std::uint64_t start_ticks = 0;
  std::string name;
  double cpu_seconds = 0;
  double resident_bytes = 0;
  std::optional<double> open_fds;  // absent: of another user
};

// One thread.
class ProcessTable {
 public:
  static constexpr std::size_t kMaxNames = 10;
  static constexpr Nanos kForget = std::chrono::hours(1);
  static constexpr const char* kOthers = "overflow";

  struct Total {
    double cpu_seconds = 0;  // of processes that have ended too: it never falls
    double resident_bytes = 0;
    std::optional<double> open_fds;  // absent when that of one of them is
    bool alive = false;              // there is such a process now
  };

  // All processes that there are now. The first kMaxNames names have a total of their own, those beyond share
  // kOthers; a name without a process for kForget makes room.
  void update(const std::vector<ProcessSample>& processes, MonoTime now);
  const std::map<std::string, Total>& totals() const { return totals_; }

 private:
  using Id = std::pair<std::uint64_t, std::uint64_t>;  // id and start

  Total& total_of(const std::string& name, MonoTime now);

  std::map<std::string, Total> totals_;
  std::map<std::string, MonoTime> last_seen_;
  std::map<Id, double> cpu_;  // of the processes of the last update
};

}  // namespace sidelight
