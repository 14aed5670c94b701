#include "collectors/redis/sentinel.h"

#include <charconv>
#include <utility>

#include "collectors/cache/cache_metrics.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxHost = 255;

std::optional<RedisEndpoint> endpoint(const std::string& host, const std::string& port, bool tls) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || host.size() > kMaxHost || error != std::errc() || end != port.data() + port.size() ||
      number == 0)
    return std::nullopt;
  return RedisEndpoint{host, number, tls};
}

// A map as RESP2 has it: names and values in turn.
const std::string* field(const RespValue& map, std::string_view name) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2)
    if (map.items[i].text == name) return &map.items[i + 1].text;
  return nullptr;
}

Expected<RedisTopology> ask_one(const SentinelOptions& options, const RedisEndpoint& sentinel,
                                const TlsOptions& tls, bool nodes_tls, const RedisLogin& login,
                                const Deadline& deadline, RedisConnection& connection) {
  if (auto done = connection.open(sentinel, tls, login, deadline); !done)
    return std::unexpected(done.error());
  auto master = connection.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options.master}, deadline);
  if (!master) return std::unexpected(master.error());
  if (master->type == RespValue::Type::nil)
    return fail(sentinel.node() + ": this Sentinel knows no master \"" + options.master + "\"");
  auto primary = parse_master_address(*master, nodes_tls);
  if (!primary) return fail(sentinel.node() + ": " + primary.error().message);
  RedisTopology out;
  out.primary = std::move(*primary);
  // REPLICAS since Redis 5.
  auto replicas = connection.ask({"SENTINEL", "REPLICAS", options.master}, deadline);
  if (!replicas) return std::unexpected(replicas.error());
  parse_replicas(*replicas, nodes_tls, out);
  return out;
}

}  // namespace

Expected<RedisEndpoint> parse_master_address(const RespValue& reply, bool tls) {
  if (reply.items.size() == 2) {
    if (auto found = endpoint(reply.items[0].text, reply.items[1].text, tls)) return std::move(*found);
  }
  return fail("what it says about the master is no address; is this a Sentinel?");
}

void parse_replicas(const RespValue& reply, bool tls, RedisTopology& out) {
  for (const RespValue& replica : reply.items) {
    const std::string* const host = field(replica, "ip");
    const std::string* const port = field(replica, "port");
    const std::string* const flags = field(replica, "flags");
    if (host == nullptr || port == nullptr || flags == nullptr) continue;
    auto found = endpoint(*host, *port, tls);
    if (!found) continue;
    if (flags->find("_down") != std::string::npos || flags->find("disconnected") != std::string::npos) {
      if (out.warnings.size() < kMaxCacheNodes)
        out.warnings.push_back("Sentinel cannot reach the replica " + found->node());
    } else if (out.replicas.size() + 1 < kMaxCacheNodes) {
      out.replicas.push_back(std::move(*found));
    }
  }
}

Expected<RedisTopology> ask_sentinels(const SentinelOptions& options, const TlsOptions& tls, bool nodes_tls,
                                      FileSystem& fs, const Clock& clock, const Deadline& deadline,
                                      RedisConnection& connection) {
  auto login = read_login(options.user, fs);
  if (!login) return std::unexpected(login.error());
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < options.hosts.size() && !deadline.passed(); ++i) {
    const auto sentinel = parse_redis_host(options.hosts[i], kSentinelPort, nodes_tls);
    if (!sentinel) return std::unexpected(sentinel.error());
    // The others and the servers need time too.
    const auto share = deadline.left() / static_cast<long>(options.hosts.size() - i + 1);
    auto found =
        ask_one(options, *sentinel, tls, nodes_tls, *login, Deadline(clock, clock.now() + share), connection);
    if (found) {
      for (std::string& failure : failures) found->warnings.push_back("Sentinel " + std::move(failure));
      return found;
    }
    failures.push_back(found.error().message);
  }
  std::string all = "no Sentinel answers for \"" + options.master + "\"";
  for (const std::string& failure : failures) all += "; " + failure;
  return fail(std::move(all));
}

}  // namespace sidelight
