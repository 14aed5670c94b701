#include "agent/observe/input_labels.h"

namespace sidelight {

std::vector<InputLabel> InputLabels::admit(const std::vector<std::string>& names) {
  std::vector<InputLabel> labels;
  labels.reserve(names.size());
  std::set<std::string> taken{std::string(kOverflowLabel)};
  for (const std::string& name : names) {
    const std::string base = label_text(name);
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
