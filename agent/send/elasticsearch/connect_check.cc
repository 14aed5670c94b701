#include "agent/send/elasticsearch/connect_check.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "agent/send/elasticsearch/bootstrap.h"
#include "agent/send/elasticsearch/bulk_response.h"
#include "agent/send/elasticsearch/credentials.h"
#include "agent/send/elasticsearch/hosts.h"
#include "agent/send/elasticsearch/index_template.h"
#include "agent/send/elasticsearch/request_builder.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kPatience{10};

HttpResult ask(HttpClient& client, const Clock& clock, HttpRequest request) {
  request.timeout = kPatience;
  std::optional<HttpResult> result;
  client.start(std::move(request), [&result](HttpResult r) { result = std::move(r); });
  const MonoTime until = clock.now() + kPatience + std::chrono::seconds(5);
  while (!result && clock.now() < until) client.run_once(std::chrono::milliseconds(100));
  if (!result) client.cancel_all();
  return std::move(*result);
}

std::string server_name(const HttpResponse& root) {
  const auto json = nlohmann::json::parse(root.body, nullptr, false);
  std::string name = root.header("x-elastic-product") == "Elasticsearch" ? "Elasticsearch" : "a server";
  if (json.is_object() && json.contains("version") && json["version"].is_object()) {
    const auto& version = json["version"];
    const std::string distribution = version.value("distribution", "");
    if (distribution == "opensearch") name = "OpenSearch";
    if (version.contains("number") && version["number"].is_string())
      name += " " + version["number"].get<std::string>();
  }
  return name;
}

// What a status means to the person who wrote the configuration; empty when it is fine. Any answer to GET /
// but a refusal shows a server: some builds do not serve it.
std::string refusal(long status) {
  if (status == 401) return "it refuses our credentials (401); compare username, password or API key";
  if (status == 403) return "our credentials are known but may not do this (403)";
  if (status == 429 || status >= 500) return "it answers HTTP " + std::to_string(status);
  return {};
}

}  // namespace

Expected<std::string> probe_elasticsearch(const ElasticsearchOptions& options, FileSystem& fs,
                                          HttpClient& client, const Clock& clock) {
  Backoff backoff(options.backoff_initial, options.backoff_max, 1);
  const Hosts hosts(options.hosts, backoff);
  const RequestBuilder builder(options);
  Credentials credentials(options, fs, clock);
  const auto authorization = credentials.header();
  if (!authorization) return std::unexpected(authorization.error());
  std::string found;
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    const auto root = ask(client, clock, builder.make(hosts.url(h), "GET", "/", *authorization));
    if (!root) return fail(hosts.display(h) + ": " + root.error().message);
    if (const auto why = refusal(root->status); !why.empty() && root->status != 403)
      return fail(hosts.display(h) + ": " + why);
    found += (found.empty() ? "" : "; ") + hosts.display(h) + " is " + server_name(*root);
  }
  if (hosts.size() == 0) return fail("no hosts are configured");
  const std::string name = options.data_stream.empty() ? template_pattern(options) : options.data_stream;
  const auto target = ask(
      client, clock,
      builder.make(hosts.url(0), "GET",
                   "/" + percent_encode(name) + "?filter_path=*.settings.index.uuid,error", *authorization));
  if (!target) return fail(hosts.display(0) + ": " + target.error().message);
  if (const auto why = refusal(target->status); !why.empty() && target->status != 403) {
    return fail(hosts.display(0) + ": asking for " + name + ": " + why);
  }
  if (target->status == 404) return found + "; " + name + " will be made with the first document";
  if (target->status != 200)
    return found + "; whether " + name + " exists is not for us to see (HTTP " +
           std::to_string(target->status) + ")";
  const auto json = nlohmann::json::parse(target->body, nullptr, false);
  if (!json.is_object())
    return fail(hosts.display(0) + ": the answer about " + name + " is no JSON; is this Elasticsearch?");
  bool backing = json.empty();
  for (const auto& [index, value] : json.items()) backing = backing || is_backing_index(index);
  if (!options.data_stream.empty() && !backing) {
    return fail(name +
                " is a plain index, not a data stream: move its documents elsewhere and delete it, or "
                "configure `index` in place of `data_stream`");
  }
  return found + "; " + name +
         (options.data_stream.empty() || json.empty() ? " can be written" : " is a data stream");
}

}  // namespace sidelight
