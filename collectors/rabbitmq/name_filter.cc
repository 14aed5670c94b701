#include "collectors/rabbitmq/name_filter.h"

#include <re2/re2.h>

namespace sidelight {
namespace {

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // names are bytes
  return options;
}

bool is_regex(const std::string& pattern) {
  return pattern.size() >= 2 && pattern.front() == '/' && pattern.back() == '/';
}

void append_literal(std::string& out, char c) {
  if (std::string_view(R"(\^$.|?*+()[]{})").find(c) != std::string_view::npos) out += '\\';
  out += c;
}

std::string exact_regex(const std::string& name) {
  std::string out = "^";
  for (const char c : name) append_literal(out, c);
  return out + "$";
}

bool plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string check_name_pattern(const std::string& pattern) {
  if (pattern.empty() || pattern == "//") return "expected a glob, or a regular expression between slashes";
  const RE2 regex(name_pattern_regex(pattern), quiet());
  if (!regex.ok()) return "not a regular expression: " + regex.error();
  return {};
}

std::string name_pattern_regex(const std::string& pattern) {
  if (is_regex(pattern)) return pattern.substr(1, pattern.size() - 2);
  std::string out = "^";
  for (const char c : pattern) {
    if (c == '*')
      out += ".*";
    else if (c == '?')
      out += '.';
    else
      append_literal(out, c);
  }
  return out + "$";
}

NameFilter::NameFilter(const std::vector<std::string>& patterns) {
  std::string all;
  for (const auto& pattern : patterns) {
    if (!check_name_pattern(pattern).empty()) continue;
    all += (all.empty() ? "(?:" : "|(?:") + name_pattern_regex(pattern) + ")";
  }
  if (!all.empty()) regex_ = std::make_shared<const RE2>(all, quiet());
}

bool NameFilter::matches(std::string_view name) const {
  return regex_ != nullptr && RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *regex_);
}

std::vector<std::string> broker_regexes(const std::vector<std::string>& patterns,
                                        const std::vector<std::string>& exact_names) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& regex) {
    const std::string group = "(?:" + regex + ")";
    if (out.empty() || out.back().size() + 1 + group.size() > kMaxBrokerRegex)
      out.push_back(group);
    else
      out.back() += "|" + group;
  };
  for (const auto& pattern : patterns) add(name_pattern_regex(pattern));
  for (const auto& name : exact_names) add(exact_regex(name));
  return out;
}

std::string url_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain(byte)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace sidelight
