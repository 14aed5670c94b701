// /proc/PID/stat (proc(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sidelight {

struct ProcStat {
  std::string name;                 // the command's, at most 15 bytes, of any kind
  std::uint64_t cpu_ticks = 0;      // user and system
  std::uint64_t start_ticks = 0;    // since boot: tells a process from a later one with the same id
  std::uint64_t virtual_bytes = 0;  // 0: a thread of the kernel
  std::uint64_t resident_pages = 0;
};
// Nothing when the text is anything else.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

}  // namespace sidelight
