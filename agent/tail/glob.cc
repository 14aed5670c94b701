#include "agent/tail/glob.h"

#include <cstddef>

namespace sidelight {
namespace {

constexpr std::size_t kMaxAlternatives = 1024;

// Index of the '}' that closes the '{' at `open`, or npos.
std::size_t closing_brace(const std::string& s, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < s.size(); ++i) {
    if (s[i] == '{') ++depth;
    if (s[i] == '}' && --depth == 0) return i;
  }
  return std::string::npos;
}

// Matches the bracket expression at the start of `p` against c. Returns its length, 0 when it is no valid
// expression.
std::size_t match_bracket(std::string_view p, char c, bool& matched) {
  std::size_t i = 1;
  bool negate = false;
  if (i < p.size() && (p[i] == '!' || p[i] == '^')) {
    negate = true;
    ++i;
  }
  bool hit = false;
  for (bool first = true; i < p.size() && (first || p[i] != ']'); first = false) {
    if (i + 2 < p.size() && p[i + 1] == '-' && p[i + 2] != ']') {
      hit = hit || (p[i] <= c && c <= p[i + 2]);
      i += 3;
    } else {
      hit = hit || p[i] == c;
      ++i;
    }
  }
  if (i >= p.size()) return 0;
  matched = hit != negate;
  return i + 1;
}

std::string_view take_segment(std::string_view& path) {
  const auto slash = path.find('/');
  const auto segment = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return segment;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  std::vector<std::string> done;
  std::vector<std::string> todo{pattern};
  while (!todo.empty()) {
    if (done.size() + todo.size() > kMaxAlternatives) return {pattern};
    const std::string s = std::move(todo.back());
    todo.pop_back();
    const auto open = s.find('{');
    const auto close = open == std::string::npos ? std::string::npos : closing_brace(s, open);
    if (close == std::string::npos) {
      done.push_back(s);
      continue;
    }
    std::vector<std::string> made;
    int depth = 0;
    std::size_t from = open + 1;
    for (std::size_t i = open; i <= close; ++i) {
      if (s[i] == '{') ++depth;
      if ((s[i] == ',' && depth == 1) || i == close) {
        made.push_back(s.substr(0, open) + s.substr(from, i - from) + s.substr(close + 1));
        from = i + 1;
      }
      if (s[i] == '}') --depth;
    }
    todo.insert(todo.end(), made.rbegin(), made.rend());
  }
  return done;
}

bool match_segment(std::string_view pattern, std::string_view name) {
  if (!name.empty() && name[0] == '.' && (pattern.empty() || pattern[0] != '.')) return false;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    bool matched = false;
    std::size_t step = 0;
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        star = p++;
        star_name = n;
        continue;
      }
      if (pattern[p] == '?') {
        matched = true;
        step = 1;
      } else if (pattern[p] == '[') {
        step = match_bracket(pattern.substr(p), name[n], matched);
      } else if (pattern[p] == '\\' && p + 1 < pattern.size()) {
        matched = pattern[p + 1] == name[n];
        step = 2;
      }
      if (step == 0) {
        matched = pattern[p] == name[n];
        step = 1;
      }
    }
    if (matched) {
      p += step;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;  // let the last star take one more
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool match_path(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    std::string_view rest = pattern;
    const auto segment = take_segment(rest);
    if (segment == "**") {
      if (rest.empty()) return true;
      for (std::string_view from = path;;) {
        if (match_path(rest, from)) return true;
        if (from.empty()) return false;
        take_segment(from);
      }
    }
    if (path.empty()) return false;
    const auto name = take_segment(path);
    if (!match_segment(segment, name)) return false;
    pattern = rest;
  }
  return path.empty();
}

bool has_wildcard(std::string_view segment) {
  return segment.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace sidelight
