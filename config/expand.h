// ${VAR} and ${VAR:-default} in the values of a configuration.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

// Looks a variable of the environment up by name.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Expanded {
  std::string text;
  bool from_environment = false;  // the text holds something that is not in the file, and so is not printed
};

// ${VAR}: the variable, which must be set; ${VAR:-text}: the variable, or text when it is unset or empty; $${
// : a literal ${ . Every other $ stays. What a variable holds is not expanded again. The error names the
// variable or shows the right form.
Expected<Expanded> expand(std::string_view text, const Environment& environment);

}  // namespace sidelight
