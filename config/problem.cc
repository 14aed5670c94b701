#include "config/problem.h"

#include <cstddef>
#include <string_view>

namespace sidelight {
namespace {

// Keys and values come from a file that anyone may have written: no control bytes reach a terminal or a log.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
      continue;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 0xF];
  }
  return out;
}

std::string count(std::size_t n, std::string_view noun) {
  return std::to_string(n).append(" ").append(noun).append(n == 1 ? "" : "s");
}

}  // namespace

std::string render_problem(const ConfigProblem& problem) {
  std::string out = one_line(problem.file);
  if (problem.line > 0) out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  out += ": ";
  if (!problem.key_path.empty()) out += one_line(problem.key_path) + ": ";
  return out + one_line(problem.message);
}

std::string render_problems(const std::vector<ConfigProblem>& errors,
                            const std::vector<ConfigProblem>& warnings) {
  std::string out;
  for (const ConfigProblem& p : errors) out += render_problem(p) + "\n";
  for (const ConfigProblem& p : warnings) {
    ConfigProblem marked = p;
    marked.message.insert(0, "warning: ");
    out += render_problem(marked) + "\n";
  }
  if (errors.empty() && warnings.empty()) return out;
  if (!errors.empty()) out += count(errors.size(), "error");
  if (!warnings.empty()) out += (errors.empty() ? "" : ", ") + count(warnings.size(), "warning");
  return out + "\n";
}

}  // namespace sidelight
