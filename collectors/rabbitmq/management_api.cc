#include "collectors/rabbitmq/management_api.h"

#include <utility>

#include "collectors/rabbitmq/name_filter.h"

namespace sidelight::rabbitmq {
namespace {

// 500 queues take a quarter of a megabyte.
constexpr std::size_t kMaxAnswer = 8u << 20;

std::string first_words(const std::string& body) {
  std::string reason = read_reason(body);
  if (reason.empty()) reason = body.substr(0, body.find_first_of("\r\n"));
  reason.resize(std::min<std::size_t>(reason.size(), 200));
  std::erase_if(reason, [](unsigned char c) { return c < 0x20; });
  return reason;
}

}  // namespace

ManagementApi::ManagementApi(FileSystem& fs, std::string url, HttpAccess access)
    : url_(std::move(url)), username_(access.username), fetch_(fs, std::move(access)) {
  while (url_.ends_with('/')) url_.pop_back();
}

std::string ManagementApi::place() const {
  const std::size_t scheme = url_.find("://");
  return url_.substr(0, url_.find('/', scheme == std::string::npos ? 0 : scheme + 3));
}

Expected<ManagementApi::Answer> ManagementApi::get(const std::string& path, const Deadline& deadline) {
  auto answer = fetch_.request(url_ + path, deadline, kMaxAnswer);
  if (!answer) return std::unexpected(answer.error());
  const std::string reason = first_words(answer->body);
  if (answer->status == 401 || answer->status == 403) {
    const std::string user = username_.empty() ? "the user" : "user " + username_;
    if (reason.starts_with("Not m"))  // "Not monitor user", "Not management user"
      return fail(place() + ": " + user +
                  " may not look at the whole broker: it needs the tag `monitoring` " +
                  "(rabbitmqctl set_user_tags " + (username_.empty() ? "USER" : username_) + " monitoring)");
    return fail(place() + " refused " + user + ": " + (reason.empty() ? "no reason given" : reason) +
                "; are username and password right?");
  }
  if (answer->status != 200 && answer->status != 400 && answer->status != 404)
    return fail(place() + " answered " + std::to_string(answer->status) +
                (reason.empty() ? std::string() : ": " + reason));
  return Answer{answer->status, std::move(answer->body)};
}

Expected<std::optional<std::string>> ManagementApi::find(const std::string& path, const Deadline& deadline) {
  auto answer = get(path, deadline);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404) return std::optional<std::string>();
  if (answer->status != 200)
    return fail(place() + " answered " + std::to_string(answer->status) + ": " + first_words(answer->body));
  return std::optional(std::move(answer->body));
}

Expected<std::string> ManagementApi::need(const std::string& path, const Deadline& deadline) {
  auto body = find(path, deadline);
  if (!body) return std::unexpected(body.error());
  if (!*body)
    return fail(place() +
                " answered 404: is `url` that of the management API, and rabbitmq_management enabled?");
  return std::move(**body);
}

Expected<Overview> ManagementApi::overview(const Deadline& deadline) {
  auto body = need(std::string("/api/overview?columns=") + kOverviewColumns, deadline);
  if (!body) return std::unexpected(body.error());
  return read_overview(*body);
}

Expected<std::vector<NodeFacts>> ManagementApi::nodes(const Deadline& deadline) {
  auto body = need(std::string("/api/nodes?columns=") + kNodeColumns, deadline);
  if (!body) return std::unexpected(body.error());
  return read_nodes(*body);
}

Expected<QueuePage> ManagementApi::queues(const std::string& vhost, const std::string& regex,
                                          std::size_t page, const Deadline& deadline) {
  const std::string path = "/api/queues" + (vhost.empty() ? std::string() : "/" + url_encoded(vhost)) +
                           "?page=" + std::to_string(page) + "&page_size=" + std::to_string(kPageSize) +
                           "&use_regex=true&name=" + url_encoded(regex) +
                           "&enable_queue_totals=true&columns=" + kQueueColumns;
  auto answer = get(path, deadline);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404)
    return fail(vhost.empty() ? place() + " answered 404 to a list of queues"
                              : place() + " has no vhost \"" + vhost + "\"");
  if (answer->status == 400) {
    // The queues became fewer since the page before.
    if (answer->body.find("page_out_of_range") != std::string::npos) return QueuePage{};
    return fail(place() + " does not take the patterns of `queues`: " + first_words(answer->body) +
                " (it reads regular expressions as PCRE)");
  }
  return read_queue_page(answer->body);
}

Expected<std::optional<Exchange>> ManagementApi::exchange(const ExchangeName& name,
                                                          const Deadline& deadline) {
  const std::string path = "/api/exchanges/" + url_encoded(name.first) + "/" + url_encoded(name.second);
  auto body = find(path + "?columns=type", deadline);
  if (!body) return std::unexpected(body.error());
  if (!*body) return std::optional<Exchange>();
  auto type = read_exchange_type(**body);
  if (!type) return std::unexpected(type.error());
  body = find(path + "/bindings/source?columns=" + kBindingColumns, deadline);
  if (!body) return std::unexpected(body.error());
  if (!*body) return std::optional<Exchange>();
  auto bindings = read_bindings(**body);
  if (!bindings) return std::unexpected(bindings.error());
  return Exchange{std::move(*type), std::move(*bindings)};
}

Expected<std::optional<std::size_t>> ManagementApi::subscriptions(const QueueName& name,
                                                                  const Deadline& deadline) {
  auto body = find("/api/queues/" + url_encoded(name.first) + "/" + url_encoded(name.second) +
                       "?columns=name,consumer_details.consumer_tag",
                   deadline);
  if (!body) return std::unexpected(body.error());
  if (!*body) return std::optional<std::size_t>();
  auto count = read_consumer_count(**body);
  if (!count) return std::unexpected(count.error());
  return std::optional(*count);
}

Expected<std::optional<std::map<QueueName, double>>> ManagementApi::stream_lags(const Deadline& deadline) {
  using Lags = std::map<QueueName, double>;
  auto body = find("/api/stream/consumers?columns=queue.name,queue.vhost,offset_lag", deadline);
  if (!body) return std::unexpected(body.error());
  if (!*body) return std::optional<Lags>();
  auto lags = read_stream_lags(**body);
  if (!lags) return std::unexpected(lags.error());
  return std::optional(std::move(*lags));
}

}  // namespace sidelight::rabbitmq
