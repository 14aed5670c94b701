// nginx, by its stub_status page. (What the page does not tell, status codes and latencies, comes from the
// access log: the preset `gateway` of log_metrics.)
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/base/metric_info.h"
#include "collectors/framework/collector.h"
#include "collectors/nginx/options.h"

namespace sidelight {

// `context` outlives it.
std::unique_ptr<Collector> make_nginx_collector(const NginxOptions& options, const CollectorContext& context);
std::vector<DeclaredMetric> nginx_metrics();

struct StubStatus {
  double active = 0;
  double reading = 0;
  double writing = 0;
  double waiting = 0;
  double accepted = 0;
  double handled = 0;
  double requests = 0;
};
// The page of ngx_http_stub_status_module. Nothing when the text is anything else.
std::optional<StubStatus> parse_stub_status(std::string_view page);

}  // namespace sidelight
