#include "collectors/nginx/collector.h"

#include <charconv>
#include <utility>

namespace sidelight {
namespace {

constexpr MetricInfo kConnections{.name = "gateway_connections",
                                  .role = MetricRole::beside_a_target,
                                  .labels = "target; state: active, reading, writing, waiting",
                                  .max_series = 4,
                                  .help = "Client connections of nginx; active is the sum of the others."};
constexpr MetricInfo kAccepted{.name = "gateway_connections_accepted_total",
                               .role = MetricRole::beside_a_target,
                               .labels = "target",
                               .help = "Connections that nginx accepted."};
constexpr MetricInfo kHandled{
    .name = "gateway_connections_handled_total",
    .role = MetricRole::beside_a_target,
    .labels = "target",
    .help = "Connections that nginx handled; fewer than accepted when it ran out of worker_connections."};
constexpr MetricInfo kRequests{
    .name = "gateway_server_requests_total",
    .role = MetricRole::beside_a_target,
    .labels = "target",
    .help = "Requests that nginx read, of all its servers, as it counts them itself."};

// Takes words and numbers from the page one after the other.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool word(std::string_view expected) {
    skip();
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  bool number(double& out) {
    skip();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    out = static_cast<double>(value);
    return true;
  }
  bool at_end() {
    skip();
    return text_.empty();
  }

 private:
  void skip() {
    const std::size_t n = text_.find_first_not_of(" \r\n");
    text_.remove_prefix(n == std::string_view::npos ? text_.size() : n);
  }
  std::string_view text_;
};

class NginxCollector final : public Collector {
 public:
  NginxCollector(const NginxOptions& options, const CollectorContext& context)
      : url_(options.url), fetch_(context.fs, options.access) {}

  Expected<void> collect(CollectRun& run) override {
    auto page = fetch_.get(url_, run.deadline, 64 * 1024);
    if (!page) return std::unexpected(page.error());
    const auto status = parse_stub_status(*page);
    if (!status)
      return fail("the answer is no stub_status page; does `url` lead to a location with stub_status?");
    run.out.gauge(kConnections, status->active, {{"state", "active"}});
    run.out.gauge(kConnections, status->reading, {{"state", "reading"}});
    run.out.gauge(kConnections, status->writing, {{"state", "writing"}});
    run.out.gauge(kConnections, status->waiting, {{"state", "waiting"}});
    run.out.counter(kAccepted, status->accepted);
    run.out.counter(kHandled, status->handled);
    run.out.counter(kRequests, status->requests);
    return {};
  }

 private:
  std::string url_;
  HttpFetch fetch_;
};

}  // namespace

std::optional<StubStatus> parse_stub_status(std::string_view page) {
  StubStatus s;
  Scanner in(page);
  const bool good = in.word("Active connections:") && in.number(s.active) &&
                    in.word("server accepts handled requests") && in.number(s.accepted) &&
                    in.number(s.handled) && in.number(s.requests) && in.word("Reading:") &&
                    in.number(s.reading) && in.word("Writing:") && in.number(s.writing) &&
                    in.word("Waiting:") && in.number(s.waiting) && in.at_end();
  if (!good) return std::nullopt;
  return s;
}

std::unique_ptr<Collector> make_nginx_collector(const NginxOptions& options,
                                                const CollectorContext& context) {
  return std::make_unique<NginxCollector>(options, context);
}

std::vector<DeclaredMetric> nginx_metrics() {
  return {{kConnections, MetricKind::gauge},
          {kAccepted, MetricKind::counter},
          {kHandled, MetricKind::counter},
          {kRequests, MetricKind::counter}};
}

}  // namespace sidelight
