// Which names a configuration may give to metrics and labels. Pure functions: empty when the name is good,
// else what is wrong with it.
#pragma once

#include <string>
#include <string_view>

namespace sidelight {

// Letters, digits and _ (colons are for recording rules); not one of the program's own families.
std::string check_json_metric_name(const std::string& name);
// The same and the suffix that the type wants: _total for counters alone.
std::string check_counter_suffix(std::string_view name, bool counter);
// Not one that the scrape, the runner or the format gives a meaning to.
std::string check_json_label_name(std::string_view name);

}  // namespace sidelight
