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

// The outputs' dead letters go where `state_dir` says.
void place_dead_letters(Settings& settings);

}  // namespace sidelight
