// Settings of the process collector.
#pragma once

#include <string>

#include "collectors/framework/collector.h"

namespace sidelight {

struct ProcessOptions {
  TargetOptions target{
      .name = "pod", .interval = std::chrono::seconds(10), .timeout = std::chrono::seconds(4)};
  std::string cgroup;  // directory of the pod's cgroup v2; empty: found
};

}  // namespace sidelight
