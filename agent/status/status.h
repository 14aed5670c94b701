// The status page at / and the API behind it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/observe/http_server.h"
#include "agent/observe/tailed_files.h"
#include "agent/status/history.h"
#include "agent/status/page_access.h"
#include "collectors/framework/runner.h"

namespace sidelight {

// What the page shows beside /metrics, from which it takes all numbers. All functions are thread-safe and
// quick.
struct StatusSources {
  std::string version;
  WallNanos started = 0;
  const Clock& clock;
  const History& history;
  const TailedFiles& files;
  std::function<std::vector<TargetStatus>()> targets;
};

// JSON; docs/status-page.md describes it.
std::string status_json(const StatusSources& sources);

// Adds "/" and "/api/v1/status". What `sources` and `access` refer to outlives the server.
void add_status_routes(HttpRoutes& routes, StatusSources sources, PageAccess access);

}  // namespace sidelight
