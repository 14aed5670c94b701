#include "agent/tail/rotated_names.h"

#include <cstddef>

namespace sidelight {
namespace {

// "20261122", "1", "2026-11-22T10_00.3": starts with a digit, then digits and date punctuation.
bool is_stamp(std::string_view s) {
  if (s.empty() || s[0] < '0' || s[0] > '9') return false;
  return s.find_first_not_of("0123456789-_.:TZ") == std::string_view::npos;
}

constexpr std::size_t kDateDigits = 6;  // fewer are a number, not a date

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

// A family's name in two parts of a name that belongs to it.
struct Family {
  std::string_view stem;
  std::string_view extension;
};

Family family_of(std::string_view name) {
  if (is_gzip_name(name)) name.remove_suffix(3);
  for (const std::string_view suffix : {".old", ".bak"})
    if (name.size() > suffix.size() && name.ends_with(suffix)) name.remove_suffix(suffix.size());
  // The longest stamp at the end, as in app.log.2026-11-22_03; the first separator that leaves a stamp behind
  // it.
  for (std::size_t i = 1; i + 1 < name.size(); ++i)
    if (is_separator(name[i]) && is_stamp(name.substr(i + 1))) return {name.substr(0, i), {}};
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return {name, {}};
  const auto stem = name.substr(0, dot);
  for (std::size_t i = 1; i + 1 < stem.size(); ++i) {
    const auto stamp = stem.substr(i + 1);
    if (is_separator(stem[i]) && is_stamp(stamp) && stamp.size() >= kDateDigits)
      return {stem.substr(0, i), name.substr(dot)};
  }
  return {name, {}};
}

}  // namespace

bool is_gzip_name(std::string_view name) {
  return name.ends_with(".gz");
}

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

std::string_view rotation_prefix(std::string_view live) {
  const auto dot = live.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? live : live.substr(0, dot);
}

std::vector<std::string> possible_originals(std::string_view name) {
  std::vector<std::string> out;
  if (is_gzip_name(name)) {
    name.remove_suffix(3);
    out.emplace_back(name);
  }
  for (const std::string_view suffix : {".old", ".bak"})
    if (name.ends_with(suffix)) out.emplace_back(name.substr(0, name.size() - suffix.size()));
  const auto dot = name.rfind('.');
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    if (!is_separator(name[i])) continue;
    if (is_stamp(name.substr(i + 1))) out.emplace_back(name.substr(0, i));
    if (dot != std::string_view::npos && dot > i + 1 && is_stamp(name.substr(i + 1, dot - i - 1)))
      out.push_back(std::string(name.substr(0, i)) + std::string(name.substr(dot)));
  }
  return out;
}

std::string family_name(std::string_view name) {
  const Family family = family_of(name);
  return std::string(family.stem) + std::string(family.extension);
}

bool has_rotation_mark(std::string_view name) {
  const Family family = family_of(name);
  return family.stem.size() + family.extension.size() != name.size();
}

}  // namespace sidelight
