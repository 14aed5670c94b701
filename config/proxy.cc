#include "config/proxy.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "config/names.h"

namespace sidelight {
namespace {

std::string lower(std::string_view s) {
  std::string out;
  for (const char c : s) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Value and name of the variable, the lower-case name first.
std::pair<std::string, std::string> variable(const Environment& environment, const std::string& upper_name) {
  for (const std::string& name : {lower(upper_name), upper_name}) {
    if (auto value = environment(name); value && !value->empty()) return {*std::move(value), name};
  }
  return {};
}

// "example.org" and ".example.org" match the domain and everything below it; "*" matches all.
bool is_exempt(const std::string& host, std::string_view no_proxy) {
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    std::string entry = lower(no_proxy.substr(0, comma));
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
    std::erase(entry, ' ');
    if (entry == "*") return true;
    if (entry.starts_with('.')) entry.erase(0, 1);
    if (entry.empty()) continue;
    if (host == entry || host.ends_with("." + entry)) return true;
  }
  return false;
}

}  // namespace

ProxyChoice proxy_from_environment(const std::vector<std::string>& urls, const Environment& environment) {
  const std::string exempt = variable(environment, "NO_PROXY").first;
  ProxyChoice choice;
  bool first = true;
  for (const std::string& url : urls) {
    std::pair<std::string, std::string> found;
    if (!is_exempt(lower(url_host(url)), exempt)) {
      found = variable(environment, url.starts_with("https:") ? "HTTPS_PROXY" : "HTTP_PROXY");
      if (found.first.empty()) found = variable(environment, "ALL_PROXY");
      // "proxy:3128" is how many write it.
      if (!found.first.empty() && found.first.find("://") == std::string::npos)
        found.first.insert(0, "http://");
    }
    if (!first && found.first != choice.proxy) return {.proxy = {}, .variable = {}, .mixed = true};
    choice.proxy = found.first;
    choice.variable = found.second;
    first = false;
  }
  return choice;
}

}  // namespace sidelight
