// Control groups, version 2 (Linux: Documentation/admin-guide/cgroup-v2.rst), and their pressure stall
// information (Documentation/accounting/psi.rst). What is not there is absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"

namespace sidelight {

struct CgroupReading {
  struct Pressure {
    std::string resource;  // cpu, memory, io
    std::string kind;      // some, full
    double seconds = 0;
  };
  std::optional<double> cpu_user_seconds;
  std::optional<double> cpu_system_seconds;
  std::optional<double> cpu_limit_cores;  // absent: unlimited
  std::optional<double> cpu_periods;
  std::optional<double> cpu_throttled_periods;
  std::optional<double> cpu_throttled_seconds;
  std::optional<double> memory_bytes;
  std::optional<double> memory_working_set_bytes;
  std::optional<double> memory_limit_bytes;  // absent: unlimited
  std::optional<double> oom_kills;
  std::optional<double> tasks;
  std::vector<Pressure> pressure;
  std::vector<std::string> missing;  // files that should be there and cannot be read
};

// The directory of the pod's cgroup: that of this process or, where a Kubernetes pod's is visible above it,
// the pod's. Works with and without a cgroup namespace. The error says why there is none.
Expected<std::string> find_cgroup(FileSystem& fs);
CgroupReading read_cgroup(FileSystem& fs, const std::string& dir);

// The same from texts: /proc/self/mountinfo and /proc/self/cgroup.
Expected<std::string> locate_cgroup(std::string_view mountinfo, std::string_view own_cgroup);
// The value behind `key` in lines of "key value".
std::optional<double> flat_value(std::string_view text, std::string_view key);
// "total=" of the line that begins with `kind`, in seconds.
std::optional<double> pressure_seconds(std::string_view text, std::string_view kind);

}  // namespace sidelight
