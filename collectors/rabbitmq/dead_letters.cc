#include "collectors/rabbitmq/dead_letters.h"

#include <algorithm>

namespace sidelight::rabbitmq {
namespace {

constexpr int kMostHops = 4;  // from exchange to exchange

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t dot = text.find('.');
    out.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    text.remove_prefix(dot + 1);
  }
}

bool routes(const Exchange& exchange, const Binding& binding, const std::optional<std::string>& key) {
  if (!key) return true;
  if (exchange.type == "direct") return binding.routing_key == *key;
  if (exchange.type == "topic") return topic_matches(binding.routing_key, *key);
  return true;
}

class Router {
 public:
  explicit Router(const std::map<ExchangeName, Exchange>& exchanges) : exchanges_(exchanges) {}

  std::set<QueueName> destinations(const DeadLetterRoute& route) const {
    std::set<QueueName> out;
    const std::string& vhost = route.from.first;
    if (route.exchange.empty()) {
      // The default exchange takes the key for the queue's name; a message's own is that of its queue, for
      // those that were published to it by name: nothing that could be told from here.
      if (route.routing_key) out.emplace(vhost, *route.routing_key);
      return out;
    }
    follow({vhost, route.exchange}, route.routing_key, kMostHops, out);
    return out;
  }

 private:
  void follow(const ExchangeName& name, const std::optional<std::string>& key, int hops,
              std::set<QueueName>& out) const {
    const auto it = exchanges_.find(name);
    if (it == exchanges_.end() || hops == 0) return;
    for (const Binding& binding : it->second.bindings) {
      if (!routes(it->second, binding, key)) continue;
      if (binding.to_exchange)
        follow({name.first, binding.destination}, key, hops - 1, out);
      else
        out.emplace(name.first, binding.destination);
    }
  }

  const std::map<ExchangeName, Exchange>& exchanges_;
};

}  // namespace

bool topic_matches(std::string_view pattern, std::string_view key) {
  const auto p = words(pattern);
  const auto k = words(key);
  // reach[j]: the pattern so far matches the first j words of the key.
  std::vector<char> reach(k.size() + 1, 0);
  reach[0] = 1;
  for (const auto word : p) {
    if (word == "#") {
      for (std::size_t j = 1; j <= k.size(); ++j) reach[j] = static_cast<char>(reach[j] | reach[j - 1]);
      continue;
    }
    for (std::size_t j = k.size(); j > 0; --j)
      reach[j] = static_cast<char>(reach[j - 1] != 0 && (word == "*" || word == k[j - 1]));
    reach[0] = 0;
  }
  return reach[k.size()] != 0;
}

std::set<QueueName> dead_letter_queues(const std::vector<DeadLetterRoute>& routes,
                                       const std::map<ExchangeName, Exchange>& exchanges) {
  const Router router(exchanges);
  std::map<QueueName, std::set<QueueName>> next;
  for (const auto& route : routes) next[route.from] = router.destinations(route);

  const auto leads_back = [&](const QueueName& start) {
    std::set<QueueName> seen;
    std::vector<QueueName> open(next[start].begin(), next[start].end());
    while (!open.empty()) {
      const QueueName queue = open.back();
      open.pop_back();
      if (queue == start) return true;
      if (!seen.insert(queue).second) continue;
      if (const auto it = next.find(queue); it != next.end())
        open.insert(open.end(), it->second.begin(), it->second.end());
    }
    return false;
  };

  std::set<QueueName> out;
  for (const auto& route : routes) {
    if (!route.consumed && (route.ttl || leads_back(route.from))) continue;
    for (const auto& queue : next[route.from]) {
      if (queue != route.from) out.insert(queue);
    }
  }
  return out;
}

}  // namespace sidelight::rabbitmq
