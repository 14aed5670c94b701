// What concerns the metrics of http_json as a whole.
#pragma once

#include <string>

#include "config/reader.h"
#include "config/settings.h"

namespace sidelight {

// Notes metrics whose names, types or labels do not go together, within a target and between targets.
void check_http_json(const Settings& settings, Findings& findings);

}  // namespace sidelight
