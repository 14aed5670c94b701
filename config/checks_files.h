// Checks of the files that the program writes: no two of them are one, and none is in the way of its state.
#pragma once

#include "config/reader.h"
#include "config/settings.h"

namespace sidelight {

void check_files(const Settings& settings, Findings& findings);

}  // namespace sidelight
