// Which queues are meant.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace re2 {
class RE2;
}

namespace sidelight {

// One pattern: a glob that the whole name must match (`*` any characters, `?` one), or, between slashes, a
// regular expression that is looked for anywhere in the name. "" when it is good, else what is wrong with it.
std::string check_name_pattern(const std::string& pattern);

// The pattern as a regular expression that is looked for. RE2 and PCRE, which the broker uses, read it alike.
std::string name_pattern_regex(const std::string& pattern);

// Immutable, thread-safe.
class NameFilter {
 public:
  // Patterns have been checked; one that is wrong matches nothing.
  explicit NameFilter(const std::vector<std::string>& patterns);
  bool matches(std::string_view name) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;  // null: matches nothing
};

// Regular expressions for the broker, which together select at least what the patterns and exact names do.
// None is longer than kMaxBrokerRegex, but for a pattern that is so by itself: they travel in a URL.
constexpr std::size_t kMaxBrokerRegex = 2000;
std::vector<std::string> broker_regexes(const std::vector<std::string>& patterns,
                                        const std::vector<std::string>& exact_names);

// As a URL has it in a path or a query: everything but letters, digits and -._~ is encoded.
std::string url_encoded(std::string_view text);

}  // namespace sidelight
