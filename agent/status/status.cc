#include "agent/status/status.h"

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/status/page.h"

namespace sidelight {
namespace {

using Json = nlohmann::json;

double seconds(WallNanos ns) {
  return static_cast<double>(ns) / 1e9;
}

Json target_json(const TargetStatus& t, MonoTime now) {
  Json out = {{"collector", t.collector},
              {"target", t.target},
              {"interval_seconds", static_cast<double>(t.interval.count()) / 1000}};
  const TargetView& v = t.view;
  out["up"] = v.up ? Json(*v.up) : Json();
  out["stale"] = v.stale;
  out["error"] = v.error;
  out["duration_seconds"] = v.duration ? Json(*v.duration) : Json();
  out["age_seconds"] =
      v.last_success_mono ? Json(std::chrono::duration<double>(now - *v.last_success_mono).count()) : Json();
  out["warnings"] = v.values ? Json(v.values->warnings) : Json::array();
  out["advice"] = Json::array();
  if (v.values) {
    for (const Advice& a : v.values->advice)
      out["advice"].push_back({{"subject", a.subject}, {"reason", a.reason}, {"action", a.action}});
  }
  return out;
}

Json history_json(const History& history) {
  Json series = Json::array();
  for (const History::Series& s : history.series()) {
    Json points = Json::array();
    for (const double p : s.points) points.push_back(std::isnan(p) ? Json() : Json(p));
    series.push_back({{"id", s.id}, {"points", std::move(points)}});
  }
  return {{"interval_seconds", std::chrono::duration<double>(History::kInterval).count()},
          {"series", std::move(series)}};
}

HttpReply page_reply(std::string body, const char* type) {
  // One page without anything from elsewhere: nothing else may be loaded, sent or framed.
  return {200,
          std::move(body),
          type,
          {{"Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
            "img-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
           {"X-Content-Type-Options", "nosniff"},
           {"Referrer-Policy", "no-referrer"},
           {"Cache-Control", "no-store"}}};
}

}  // namespace

std::string status_json(const StatusSources& sources) {
  const MonoTime now = sources.clock.now();
  Json out = {{"version", sources.version},
              {"started_seconds", seconds(sources.started)},
              {"now_seconds", seconds(sources.clock.wall())}};
  out["targets"] = Json::array();
  for (const TargetStatus& t : sources.targets()) out["targets"].push_back(target_json(t, now));
  std::size_t all = 0;
  out["files"] = Json::array();
  for (const TailedFileReport& f : sources.files.get(all)) {
    out["files"].push_back({{"path", f.path},
                            {"input", f.input},
                            {"size_bytes", f.size},
                            {"read_bytes", f.read},
                            {"delivered_bytes", f.delivered},
                            {"behind_seconds", f.behind_seconds}});
  }
  out["files_all"] = all;
  out["history"] = history_json(sources.history);
  // Paths and messages of servers may be any bytes.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_status_routes(HttpRoutes& routes, StatusSources sources, PageAccess access) {
  const auto guard = std::make_shared<const PageAccess>(std::move(access));
  routes["/"] = [guard](const HttpCall& call) {
    HttpReply refused = guard->check(call);
    return refused.status == 200 ? page_reply(std::string(kStatusPage), "text/html; charset=utf-8") : refused;
  };
  routes["/api/v1/status"] =
      [guard, s = std::make_shared<const StatusSources>(std::move(sources))](const HttpCall& call) {
        HttpReply refused = guard->check(call);
        return refused.status == 200 ? page_reply(status_json(*s), "application/json") : refused;
      };
}

}  // namespace sidelight
