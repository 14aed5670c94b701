// What adds families to the page /metrics beside the program's own registry.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace sidelight {

// A family in the text exposition format, rendered when it was made, so that a scrape only joins strings.
// Immutable.
struct RenderedFamily {
  std::string name;
  std::string header;  // the # HELP and # TYPE lines
  std::string lines;   // its samples
};

// Thread-safe. families() is called at every scrape: it must be quick and never wait for a target. Families
// of one name from several sources, or several times from one, are joined under the first header; the caller
// sees to it that no series is there twice.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  virtual void families(std::vector<std::shared_ptr<const RenderedFamily>>& out) = 0;
};

}  // namespace sidelight
