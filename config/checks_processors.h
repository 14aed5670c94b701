// What concerns processors, their conditions and routes as a whole.
#pragma once

#include <string>

#include "config/expand.h"
#include "config/reader.h"
#include "config/settings.h"

namespace sidelight {

// Resolves what processors take from the environment, and notes what does not go together.
void complete_processors(const Environment& environment, Settings& settings, Findings& findings);

// Names of outputs are unique, and routes name outputs that are there.
void check_routes(const Settings& settings, Findings& findings);

// Notes what is wrong with the condition at `path`.
void check_condition(const ConditionOptions& condition, const std::string& path, Findings& findings);

}  // namespace sidelight
