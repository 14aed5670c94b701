// The proxy variables of the environment, as curl and most programs read them: HTTPS_PROXY, HTTP_PROXY,
// ALL_PROXY and NO_PROXY, the lower-case names first.
#pragma once

#include <string>
#include <vector>

#include "config/expand.h"

namespace sidelight {

struct ProxyChoice {
  std::string proxy;     // empty: none
  std::string variable;  // where it came from
  bool mixed =
      false;  // the variables ask for different proxies (or none) for different hosts; `proxy` is empty then
};

// `urls` are good by check_url().
ProxyChoice proxy_from_environment(const std::vector<std::string>& urls, const Environment& environment);

}  // namespace sidelight
