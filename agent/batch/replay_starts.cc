#include "agent/batch/replay_starts.h"

#include <charconv>

namespace sidelight {

bool ReplayStarts::may_come_again(std::string_view doc_id) const {
  const auto before_end = doc_id.rfind('-');
  if (before_end == std::string_view::npos || before_end == 0) return false;
  const auto before_begin = doc_id.rfind('-', before_end - 1);
  if (before_begin == std::string_view::npos) return false;
  const auto start = by_key_.find(std::string(doc_id.substr(0, before_begin)));
  if (start == by_key_.end()) return false;
  const std::string_view digits = doc_id.substr(before_begin + 1, before_end - before_begin - 1);
  std::uint64_t begin = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), begin, 16);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() && begin >= start->second;
}

}  // namespace sidelight
