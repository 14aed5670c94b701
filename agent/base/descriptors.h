// How many descriptors a process has open, as /proc tells.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "agent/base/filesystem.h"

namespace sidelight {

// `fd_dir` is /proc/PID/fd, whose size is the number since Linux 6.2 (proc(5)); none before. Told to
// everybody, also to those who may not list the directory.
std::optional<std::size_t> descriptors_told(FileSystem& fs, const std::string& fd_dir);
// The number as told, or else by counting, which costs a microsecond for each.
Expected<std::size_t> count_descriptors(FileSystem& fs, const std::string& fd_dir);

}  // namespace sidelight
