// Sample families in the Prometheus text format 0.0.4.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_page.h"
#include "collectors/framework/samples.h"

namespace sidelight {

// Series sorted by their labels; label values repaired to valid UTF-8 and cut at 200 bytes. Families without
// series are left out.
std::vector<std::shared_ptr<const RenderedFamily>> render_families(const std::vector<SampleFamily>& families);

}  // namespace sidelight
