#include "agent/base/label_text.h"

#include <cstddef>

namespace sidelight {
namespace {

constexpr std::size_t kMaxLabelBytes = 200;

bool is_continuation(unsigned char c) {
  return (c & 0xC0U) == 0x80U;
}

// The length of the well-formed UTF-8 sequence at the beginning of `s` (RFC 3629, section 4), 0 if there is
// none.
std::size_t sequence_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t n = first >= 0xC2 && first < 0xE0
                            ? 2
                            : (first >= 0xE0 && first < 0xF0 ? 3 : (first >= 0xF0 && first < 0xF5 ? 4 : 0));
  if (n == 0 || s.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if (!is_continuation(at(i))) return 0;
  const unsigned char second = at(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || outside ? 0 : n;
}

}  // namespace

std::string label_text(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  while (!text.empty()) {
    const std::size_t n = sequence_length(text);
    const std::string_view piece = n == 0 ? kReplacement : text.substr(0, n);
    if (out.size() + piece.size() > kMaxLabelBytes) break;
    out += piece;
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

}  // namespace sidelight
