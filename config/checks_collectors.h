// What concerns the collectors as a whole: names, and what goes together.
#pragma once

#include "config/reader.h"
#include "config/settings.h"

namespace sidelight {

// Names the targets that have none, and notes what does not go together.
void complete_collectors(Settings& settings, Findings& findings);

}  // namespace sidelight
