// Settings of the nginx collector.
#pragma once

#include <string>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"

namespace sidelight {

struct NginxOptions {
  TargetOptions target;
  std::string url;  // of a location with `stub_status`
  HttpAccess access;
};

}  // namespace sidelight
