#include "config/expand.h"

#include <algorithm>
#include <cstddef>

namespace sidelight {
namespace {

bool is_name(std::string_view s) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !s.empty() && !digit(s.front()) &&
         std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || digit(c); });
}

// `inside` is what stands between the braces.
Expected<std::string> look_up(std::string_view inside, const Environment& environment, Expanded& out) {
  const std::size_t colon = inside.find(":-");
  const std::string name(inside.substr(0, colon));
  if (!is_name(name)) {
    return fail(
        "${...} must hold the name of an environment variable, as in ${VAR} or ${VAR:-default}; write $${ "
        "for a "
        "literal ${");
  }
  auto value = environment(name);
  if (colon != std::string_view::npos && (!value || value->empty()))
    return std::string(inside.substr(colon + 2));
  if (!value) {
    return fail("the environment variable " + name + " is not set; set it, or give a default: ${" + name +
                ":-default}");
  }
  out.from_environment = true;
  return *std::move(value);
}

}  // namespace

Expected<Expanded> expand(std::string_view text, const Environment& environment) {
  Expanded out;
  while (true) {
    const std::size_t open = text.find("${");
    if (open == std::string_view::npos) break;
    if (open > 0 && text[open - 1] == '$') {
      out.text.append(text.substr(0, open - 1)).append("${");
      text.remove_prefix(open + 2);
      continue;
    }
    out.text.append(text.substr(0, open));
    text.remove_prefix(open + 2);
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return fail("${ without its }; write $${ for a literal ${");
    }
    auto value = look_up(text.substr(0, close), environment, out);
    if (!value) return std::unexpected(value.error());
    out.text += *value;
    text.remove_prefix(close + 1);
  }
  out.text.append(text);
  return out;
}

}  // namespace sidelight
