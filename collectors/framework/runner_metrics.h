// What the runner tells about its targets.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/metric_page.h"
#include "collectors/framework/runner.h"

namespace sidelight {

std::vector<std::shared_ptr<const RenderedFamily>> render_status(const std::vector<TargetStatus>& targets);

}  // namespace sidelight
