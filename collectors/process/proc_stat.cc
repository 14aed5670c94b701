#include "collectors/process/proc_stat.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sidelight {

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  // The name stands in brackets and may hold brackets and blanks itself: the last bracket ends it.
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
    return std::nullopt;
  ProcStat out;
  out.name = text.substr(open + 2, close - open - 2);
  std::string_view rest = text.substr(close + 2);
  std::array<std::uint64_t, 25>
      field{};  // by their numbers in proc(5); those that may be negative are not read
  for (std::size_t i = 3; i < field.size(); ++i) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const bool wanted = i == 14 || i == 15 || i == 22 || i == 23 || i == 24;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + end, field[i]);
    if (wanted && (error != std::errc() || end == 0)) return std::nullopt;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out.cpu_ticks = field[14] + field[15];
  out.start_ticks = field[22];
  out.virtual_bytes = field[23];
  out.resident_pages = field[24];
  return out;
}

}  // namespace sidelight
