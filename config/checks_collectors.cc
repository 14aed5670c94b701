#include "config/checks_collectors.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "collectors/log_metrics/rules.h"
#include "config/checks_http_json.h"

namespace sidelight {
namespace {

// Host and port of a URL of any scheme; `port` stands in where it names none.
std::string host_and_port(const std::string& url, const std::string& port) {
  const std::size_t scheme = url.find("://");
  std::string rest = scheme == std::string::npos ? url : url.substr(scheme + 3);
  rest.resize(std::min(rest.find_first_of("/?#"), rest.size()));
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
  const std::size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
  return has_port ? rest : rest + ":" + port;
}

std::string web_place(const std::string& url) {
  return host_and_port(url, url.starts_with("https:") ? "443" : "80");
}

// Where the n-th target of a kind stands in the file: a list of one may stand without its dash.
std::string target_path(const std::string& kind, std::size_t i, const Findings& findings) {
  const std::string item = "collectors." + kind + "[" + std::to_string(i) + "]";
  return findings.given(item) ? item : "collectors." + kind;
}

template <class Options, class DefaultName>
void name_targets(const std::string& kind, std::vector<Options>& targets, DefaultName default_name,
                  Findings& findings) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    std::string& name = targets[i].target.name;
    if (name.empty()) name = default_name(targets[i]);
    if (taken.insert(name).second) continue;
    findings.error_at(target_path(kind, i, findings), "its name \"" + name + "\" is taken by another " +
                                                          kind + " target; give it a name of its own");
  }
}

void check_log_metrics(const Settings& settings, Findings& findings) {
  if (settings.log_metrics.empty()) return;
  if (settings.logs.empty()) {
    findings.error_at("log_metrics", "there are no logs to derive metrics from; give logs");
    return;
  }
  std::vector<std::string> inputs;
  for (const LogInput& log : settings.logs) inputs.push_back(log.name);
  bool told_of_presets = false;  // a preset that is there twice has no good rule
  for (const auto& [rule, message] : LogMetricRules::problems(settings.log_metrics, inputs)) {
    if (!rule && std::exchange(told_of_presets, true)) continue;
    const std::string list = "log_metrics.rules";
    const std::string item = rule ? list + "[" + std::to_string(*rule) + "]" : "log_metrics.presets";
    findings.error_at(findings.given(item) ? item : list, message);  // a list of one needs no dash
  }
}

// A password that is given and cannot be had has been told where it is.
void need_password(const std::string& username, const std::string& path, Findings& findings) {
  if (username.empty() || findings.given(path + ".password") || findings.given(path + ".password_file"))
    return;
  findings.error_at(path + ".username", "needs a password; give password_file");
}

// Of servers that let nobody in without one. Other targets of HTTP may have users whose password is empty.
void check_passwords(const CollectorSettings& c, Findings& findings) {
  const auto check = [&](const std::string& kind, const auto& targets, const auto& username) {
    for (std::size_t i = 0; i < targets.size(); ++i)
      need_password(username(targets[i]), target_path(kind, i, findings), findings);
  };
  check("rabbitmq", c.rabbitmq, [](const RabbitmqOptions& o) { return o.access.username; });
  check("elasticsearch", c.elasticsearch, [](const LogStoreOptions& o) { return o.access.username; });
  check("memcached", c.memcached, [](const MemcachedOptions& o) { return o.username; });
}

std::string redis_name(const RedisOptions& o) {
  return o.sentinel ? o.sentinel->master : host_and_port(o.url, "6379");
}

void check_redis(const std::vector<RedisOptions>& targets, Findings& findings) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const RedisOptions& o = targets[i];
    const std::string path = target_path("redis", i, findings);
    if (o.tls && o.url.starts_with("redis:"))
      findings.error_at(path + ".tls", "this url means no TLS; write rediss://");
    if (o.sentinel && o.replicas)
      findings.error_at(path + ".replicas", "Sentinel gives the replicas anyway; leave it out");
    need_password(o.user.username, path, findings);
    if (o.sentinel) need_password(o.sentinel->user.username, path + ".sentinel", findings);
  }
}

std::string rabbitmq_name(const RabbitmqOptions& o) {
  return web_place(o.prometheus_urls.empty() ? o.url : o.prometheus_urls.front());
}

bool any_target(const CollectorSettings& c) {
  return !c.nginx.empty() || !c.rabbitmq.empty() || !c.redis.empty() || !c.postgres.empty() ||
         !c.http_json.empty() || !c.elasticsearch.empty() || !c.logstash.empty() || !c.memcached.empty() ||
         c.process;
}

}  // namespace

void complete_collectors(Settings& settings, Findings& findings) {
  CollectorSettings& c = settings.collectors;
  name_targets("nginx", c.nginx, [](const NginxOptions& o) { return web_place(o.url); }, findings);
  name_targets("rabbitmq", c.rabbitmq, rabbitmq_name, findings);
  name_targets("redis", c.redis, redis_name, findings);
  check_redis(c.redis, findings);
  check_passwords(c, findings);
  name_targets("http_json", c.http_json, [](const HttpJsonOptions& o) { return web_place(o.url); }, findings);
  check_http_json(settings, findings);
  name_targets(
      "elasticsearch", c.elasticsearch, [](const LogStoreOptions& o) { return web_place(o.url); }, findings);
  name_targets(
      "memcached", c.memcached, [](const MemcachedOptions& o) { return host_and_port(o.address, "11211"); },
      findings);
  name_targets("logstash", c.logstash, [](const LogRelayOptions& o) { return web_place(o.url); }, findings);
  name_targets(
      "postgres", c.postgres, [](const PostgresOptions& o) { return host_and_port(o.url, "5432"); },
      findings);
  check_log_metrics(settings, findings);
  if (settings.logs.empty() && !any_target(c) && findings.errors.empty())
    findings.error({1, 1}, {}, "nothing to do: give logs, or targets under collectors");
}

}  // namespace sidelight
