#include "collectors/memcached/collector.h"

#include <algorithm>
#include <utility>

#include "agent/base/host_port.h"
#include "agent/base/secret.h"
#include "collectors/cache/cache_metrics.h"
#include "collectors/framework/blocking_stream.h"
#include "collectors/memcached/stats.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxAnswer = 64u << 10;
constexpr std::size_t kShownBytes = 100;

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, std::min(text.find_first_of("\r\n"), kShownBytes)));
  std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

class MemcachedCollector final : public Collector {
 public:
  MemcachedCollector(const MemcachedOptions& options, const CollectorContext& context)
      : options_(options), context_(context), stream_(kMaxAnswer) {}

  Expected<void> collect(CollectRun& run) override {
    auto done = ask(run);
    stream_.close();
    if (!done) return fail(node_ + ": " + done.error().message);
    return done;
  }

 private:
  Expected<void> ask(CollectRun& run) {
    if (auto open = connect(run.deadline); !open) return open;
    const MonoTime begin = context_.clock.now();
    const auto version = exchange("version\r\n", run.deadline);
    if (!version) return std::unexpected(version.error());
    if (!version->starts_with("VERSION ")) return unexpected_answer("version", *version);
    const std::chrono::duration<double> latency = context_.clock.now() - begin;
    const auto answer = exchange("stats\r\n", run.deadline);
    if (!answer) return std::unexpected(answer.error());
    auto stats = parse_memcached_stats(*answer);
    if (!stats) return unexpected_answer("stats", *answer);
    stats->reading.latency_seconds = latency.count();
    show(*stats, run);
    return {};
  }

  Expected<void> connect(const Deadline& deadline) {
    auto address = parse_host_port(options_.address, kMemcachedPort);
    if (!address) return std::unexpected(address.error());
    const bool v6 = address->host.find(':') != std::string::npos;
    node_ = (v6 ? "[" + address->host + "]" : address->host) + ":" + std::to_string(address->port);
    std::string password = options_.password;
    if (!options_.password_file.empty()) {
      auto secret = read_secret(context_.fs, options_.password_file);
      if (!secret) return std::unexpected(secret.error());
      password = std::move(*secret);
    }
    StreamTarget target;
    target.host = std::move(address->host);
    target.port = address->port;
    target.tls = options_.tls;
    if (auto open = stream_.connect(std::move(target), deadline); !open) return open;
    return options_.username.empty() ? Expected<void>() : log_in(password, deadline);
  }

  // doc/protocol.txt, "Authentication": a `set` of any key, which stores nothing.
  Expected<void> log_in(const std::string& password, const Deadline& deadline) {
    const std::string user = options_.username + " " + password;
    const auto answer =
        exchange("set auth 0 0 " + std::to_string(user.size()) + "\r\n" + user + "\r\n", deadline);
    if (!answer) return std::unexpected(answer.error());
    if (answer->starts_with("STORED")) return {};
    return fail("wrong user or password, or the server has no authentication file (-Y)");
  }

  Expected<std::string> exchange(std::string_view request, const Deadline& deadline) {
    if (auto sent = stream_.write(request, deadline); !sent) return std::unexpected(sent.error());
    std::string answer;
    while (!is_whole_answer(answer)) {
      auto bytes = stream_.read(deadline);
      if (!bytes) return bytes;
      answer += *bytes;
      if (answer.size() > kMaxAnswer)
        return fail("it sent more than " + std::to_string(kMaxAnswer) + " bytes");
    }
    return answer;
  }

  static Expected<void> unexpected_answer(const char* command, const std::string& answer) {
    if (answer.starts_with("CLIENT_ERROR unauthenticated"))
      return fail("it wants a user: give username and password_file");
    return fail("the answer to " + std::string(command) + " is not one of memcached: " + first_line(answer));
  }

  // In a container the process id is the same in each life.
  std::string process_of(const MemcachedStats& stats) {
    if (stats.uptime_seconds < last_uptime_) ++lives_;
    last_uptime_ = stats.uptime_seconds;
    return std::to_string(lives_) + "/" + std::to_string(stats.process_id.value_or(0));
  }

  void show(const MemcachedStats& stats, CollectRun& run) {
    const std::string process = process_of(stats);
    std::optional<double> ratio;
    if (stats.reading.hits && stats.reading.misses) {
      ratio_.add(run.now, process, *stats.reading.hits, *stats.reading.misses);
      ratio = ratio_.value();
    }
    show_cache(stats.reading, ratio, node_, run.out);
  }

  const MemcachedOptions options_;
  CollectorContext context_;
  BlockingStream stream_;
  std::string node_ = options_.address;
  HitRatio ratio_;
  std::optional<double> last_uptime_;
  unsigned lives_ = 0;
};

}  // namespace

std::unique_ptr<Collector> make_memcached_collector(const MemcachedOptions& options,
                                                    const CollectorContext& context) {
  return std::make_unique<MemcachedCollector>(options, context);
}

}  // namespace sidelight
