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
    if (version.contains("distribution") && version["distribution"] == "opensearch") name = "OpenSearch";
    if (version.contains("number") && version["number"].is_string())
      name += " " + version["number"].get<std::string>();
  }
  return name;
}

// What an answer means to the person who wrote the configuration; empty when it is fine. Any answer to GET /
// but a refusal shows a server: some builds do not serve it.
std::string refusal(const HttpResponse& answer, bool with_credentials) {
  const long status = answer.status;
  if (status == 401 && !with_credentials) return "it wants credentials (401) and none are configured";
  if (status == 401) return "it refuses our credentials (401); compare username, password or API key";
  if (status == 407) return "the proxy wants credentials (407)";
  if (status == 429 || status >= 500) return "it answers HTTP " + std::to_string(status);
  if (status >= 300 && status < 400) {
    return "it sends us elsewhere (HTTP " + std::to_string(status) + "), to \"" +
           std::string(answer.header("location")) + "\"; configure the address that serves the API itself";
  }
  if (status == 400 && answer.body.find("HTTPS port") != std::string::npos) {
    return "it speaks TLS on this port; write https:// in place of http://";
  }
  return {};
}

std::string no_engine(const HttpResponse& answer) {
  return "something answers, but not as Elasticsearch or OpenSearch does (HTTP " +
         std::to_string(answer.status) + ", \"" + read_error_answer(answer.body.substr(0, 80)).reason +
         "\"); compare the address, the port and the path prefix";
}

std::string unreachable(const TransportError& error, const std::string& url) {
  const bool plain = url.starts_with("http://");
  const bool cut = error.kind == TransportError::Kind::reset;
  return error.message +
         (plain && cut ? "; if it speaks TLS on this port, write https:// in place of http://" : "");
}

// One host, and the data stream or index as it sees it.
class HostCheck {
 public:
  HostCheck(const ElasticsearchOptions& options, const Hosts& hosts, HttpClient& client, const Clock& clock,
            const std::string& authorization)
      : options_(options),
        hosts_(hosts),
        builder_(options),
        client_(client),
        clock_(clock),
        authorization_(authorization),
        name_(options.data_stream.empty() ? template_pattern(options) : options.data_stream) {}

  Expected<std::string> run(std::size_t host) {
    const auto root = get(host, "/");
    if (!root) return std::unexpected(root.error());
    const auto target = get(host, "/" + percent_encode(name_) + "?filter_path=*.settings.index.uuid,error");
    if (!target) return std::unexpected(target.error());
    const auto state = state_of_target(*target);
    if (!state) return fail(hosts_.display(host) + ": " + state.error().message);
    return hosts_.display(host) + " is " + server_name(*root) + "; " + *state;
  }

 private:
  Expected<HttpResponse> get(std::size_t host, const std::string& path) {
    auto answer = ask(client_, clock_, builder_.make(hosts_.url(host), "GET", path, authorization_));
    if (!answer) return fail(hosts_.display(host) + ": " + unreachable(answer.error(), hosts_.url(host)));
    if (const auto why = refusal(*answer, !authorization_.empty()); !why.empty())
      return fail(hosts_.display(host) + ": " + why);
    return std::move(*answer);
  }

  Expected<std::string> state_of_target(const HttpResponse& answer) const {
    if (answer.status == 403) return "whether " + name_ + " exists is not for us to see (403)";
    const auto json = nlohmann::json::parse(answer.body, nullptr, false);
    if (!json.is_object()) return fail(no_engine(answer));
    if (answer.status == 404 && json.contains("error"))
      return name_ + " will be made with the first document";
    if (answer.status != 200) return fail(no_engine(answer));
    bool backing = json.empty();
    for (const auto& [index, value] : json.items()) backing = backing || is_backing_index(index);
    if (!options_.data_stream.empty() && !backing) {
      return fail(name_ +
                  " is a plain index, not a data stream: move its documents elsewhere and delete it, or "
                  "configure `index` in place of `data_stream`");
    }
    return name_ + (options_.data_stream.empty() || json.empty() ? " can be written" : " is a data stream");
  }

  const ElasticsearchOptions& options_;
  const Hosts& hosts_;
  RequestBuilder builder_;
  HttpClient& client_;
  const Clock& clock_;
  const std::string& authorization_;
  const std::string name_;
};

}  // namespace

std::vector<Expected<std::string>> probe_elasticsearch(const ElasticsearchOptions& options, FileSystem& fs,
                                                       HttpClient& client, const Clock& clock) {
  Backoff backoff(options.backoff_initial, options.backoff_max, 1);
  const Hosts hosts(options.hosts, backoff);
  if (hosts.size() == 0) return {fail("no hosts are configured")};
  Credentials credentials(options, fs, clock);
  const auto authorization = credentials.header();
  if (!authorization) return {std::unexpected(authorization.error())};
  HostCheck check(options, hosts, client, clock, *authorization);
  std::vector<Expected<std::string>> found;
  for (std::size_t h = 0; h < hosts.size(); ++h) found.push_back(check.run(h));
  return found;
}

}  // namespace sidelight
