// Which value the label `input` has for each log input.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/label_text.h"

namespace sidelight {

inline constexpr std::size_t kMaxInputLabels = 200;
inline constexpr std::string_view kOverflowLabel = "overflow";
// Series of a family with the label `input`, the overflow included, for each combination of its other labels.
inline constexpr std::size_t kMaxInputSeries = kMaxInputLabels + 1;

struct InputLabel {
  std::string text;
  bool overflow = false;
};

// Names once admitted stay admitted, whatever reloads come after; beyond kMaxInputLabels different ones an
// input shares the overflow. Caller synchronises.
class InputLabels {
 public:
  // One label for each input, in order; all different ("name", "name#2"), but for the overflow.
  std::vector<InputLabel> admit(const std::vector<std::string>& names);

 private:
  std::set<std::string> admitted_;
};

}  // namespace sidelight
