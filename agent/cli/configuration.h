// Loads a configuration for a subcommand and tells the person at the terminal what is wrong with it.
#pragma once

#include <optional>
#include <string>

#include "agent/base/filesystem.h"
#include "config/settings.h"

namespace sidelight {

// Prints errors and warnings to stderr.
std::optional<Settings> load_or_explain(FileSystem& fs, const std::string& file);

std::optional<std::string> environment_variable(const std::string& name);

}  // namespace sidelight
