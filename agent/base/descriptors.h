// How many descriptors a process has open, as /proc tells.
#pragma once

#include <cstddef>
#include <string>

#include "agent/base/filesystem.h"

namespace sidelight {

// `fd_dir` is /proc/PID/fd. Since Linux 6.2 its size is the number (proc(5)); before, its entries are
// counted, which costs a microsecond for each.
Expected<std::size_t> count_descriptors(FileSystem& fs, const std::string& fd_dir);

}  // namespace sidelight
