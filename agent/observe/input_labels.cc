#include "agent/observe/input_labels.h"

#include <cstdint>

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

std::string label_value(std::string_view text) {
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

std::vector<InputLabel> InputLabels::admit(const std::vector<std::string>& names) {
  std::vector<InputLabel> labels;
  labels.reserve(names.size());
  std::set<std::string> taken{std::string(kOverflowLabel)};
  for (const std::string& name : names) {
    const std::string base = label_value(name);
    std::string text = base;
    for (std::size_t n = 2; taken.contains(text); ++n) text = base + "#" + std::to_string(n);
    if (admitted_.size() < kMaxInputLabels) admitted_.insert(text);
    if (admitted_.contains(text)) {
      taken.insert(text);
      labels.push_back({std::move(text), false});
    } else {
      labels.push_back({std::string(kOverflowLabel), true});
    }
  }
  return labels;
}

}  // namespace sidelight
