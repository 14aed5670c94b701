// What concerns more than one key, and what is worked out from the environment. Runs after all keys were
// read.
#pragma once

#include "config/expand.h"
#include "config/reader.h"
#include "config/settings.h"

namespace sidelight {

// Fills what the file left open (names of inputs, proxy, directory of the dead letters, host fields) and
// notes what does not go together.
void complete_settings(const Environment& environment, Settings& settings, Findings& findings);

}  // namespace sidelight
