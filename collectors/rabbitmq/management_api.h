// Requests to RabbitMQ's management API. All of them are GETs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/framework/collector.h"
#include "collectors/framework/http_fetch.h"
#include "collectors/rabbitmq/answers.h"
#include "collectors/rabbitmq/dead_letters.h"

namespace sidelight::rabbitmq {

// Blocking, each within its deadline. Errors name the host and what to do about it. One thread at a time.
class ManagementApi {
 public:
  static constexpr std::size_t kPageSize = 500;  // the most that the broker takes

  ManagementApi(FileSystem& fs, std::string url, HttpAccess access);

  Expected<Overview> overview(const Deadline& deadline);
  Expected<std::vector<NodeFacts>> nodes(const Deadline& deadline);
  // Page `page` (from 1) of the queues whose names `regex` is found in, whatever their case. All vhosts when
  // `vhost` is empty. A page beyond the last one has no queues.
  Expected<QueuePage> queues(const std::string& vhost, const std::string& regex, std::size_t page,
                             const Deadline& deadline);
  // Nothing when there is no such exchange.
  Expected<std::optional<Exchange>> exchange(const ExchangeName& name, const Deadline& deadline);
  // Subscriptions to one queue. Nothing when it is gone.
  Expected<std::optional<std::size_t>> subscriptions(const QueueName& name, const Deadline& deadline);
  // Nothing when the plugin that knows is not enabled.
  Expected<std::optional<std::map<QueueName, double>>> stream_lags(const Deadline& deadline);

 private:
  struct Answer {
    long status = 0;
    std::string body;
  };
  // Any answer but a refusal, a redirection or a failure of the server.
  Expected<Answer> get(const std::string& path, const Deadline& deadline);
  // The body of a 200; nothing for a 404.
  Expected<std::optional<std::string>> find(const std::string& path, const Deadline& deadline);
  // The body of a 200.
  Expected<std::string> need(const std::string& path, const Deadline& deadline);
  std::string place() const;

  std::string url_;
  std::string username_;
  HttpFetch fetch_;
};

}  // namespace sidelight::rabbitmq
