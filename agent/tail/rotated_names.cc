#include "agent/tail/rotated_names.h"

#include <cstddef>

namespace sidelight {
namespace {

// "20261122", "1", "2026-11-22T10_00.3": starts with a digit, then digits and date punctuation.
bool is_stamp(std::string_view s) {
  if (s.empty() || s[0] < '0' || s[0] > '9') return false;
  return s.find_first_not_of("0123456789-_.:TZ") == std::string_view::npos;
}

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

}  // namespace

bool is_gzip_name(std::string_view name) { return name.ends_with(".gz"); }

bool is_rotated_name(std::string_view live, std::string_view name) {
  if (live.empty() || name == live) return false;
  if (is_gzip_name(name)) name.remove_suffix(3);
  if (name == live) return true;
  if (name.starts_with(live)) {
    const auto rest = name.substr(live.size());
    if (rest == ".old" || rest == ".bak") return true;
    return rest.size() > 1 && is_separator(rest[0]) && is_stamp(rest.substr(1));
  }
  const auto dot = live.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const auto stem = live.substr(0, dot);
  const auto extension = live.substr(dot);
  if (name.size() <= stem.size() + extension.size() + 1) return false;
  if (!name.starts_with(stem) || !name.ends_with(extension) || !is_separator(name[stem.size()])) return false;
  return is_stamp(name.substr(stem.size() + 1, name.size() - stem.size() - 1 - extension.size()));
}

}  // namespace sidelight
