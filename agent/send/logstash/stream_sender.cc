#include "agent/send/logstash/stream_sender.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/base/host_port.h"

namespace sidelight {
namespace {

namespace cause = logstash_cause;

constexpr std::size_t kWindowBytes = 2u << 20;  // of documents, before compression
constexpr std::chrono::seconds kQuietBeforeTrim{5};
// A server may end a connection on which nothing happens. One that ends sooner than this was ended for
// another reason.
constexpr std::chrono::seconds kIdleEnough{5};
constexpr unsigned kPoisonAttempts = 3;

std::string_view cause_of(const Link& link) {
  if (link.refused_our_protocol()) return cause::kBadAnswer;
  switch (link.ended()->kind) {
    case StreamError::Kind::resolve:
      return cause::kResolve;
    case StreamError::Kind::connect:
      return cause::kConnect;
    case StreamError::Kind::tls:
      return cause::kTls;
    case StreamError::Kind::timeout:
      return cause::kTimeout;
    case StreamError::Kind::closed:
    case StreamError::Kind::other:
      return cause::kConnectionLost;
  }
  return cause::kConnectionLost;
}

}  // namespace

StreamSender::StreamSender(const LogstashOptions& options, OutputContext context, StreamClient& client,
                           std::uint64_t seed)
    : options_(options),
      ctx_(context),
      client_(client),
      backoff_(options.backoff_initial, options.backoff_max, seed),
      writer_(options.compression_level, options.beat, SIDELIGHT_VERSION),
      held_(context),
      window_(options.window),
      last_activity_(context.clock.now()) {
  for (const std::string& text : options.hosts) {
    const auto address = parse_host_port(text, kLogstashPort);
    if (!address) continue;  // the configuration was checked
    Host& host = hosts_.emplace_back();
    host.name = text;
    host.target = {address->host, address->port, options.tls, options.connect_timeout};
  }
  // A hundred pods with one list must not all begin with its first entry.
  if (!hosts_.empty()) next_host_ = backoff_.random(hosts_.size());
  const std::size_t links = options.load_balance ? hosts_.size() : 1;
  ctx_.probe.concurrency_limit(static_cast<double>(options.pipelining * links));
}

StreamSender::~StreamSender() = default;

void StreamSender::accept(BatchPtr batch) {
  if (const auto range = held_.accept(std::move(batch))) queue_.push_back(*range);
}

void StreamSender::start_draining() {
  draining_ = true;
  backoff_.set_draining(true);
  const MonoTime latest = ctx_.clock.now() + kDrainWait;
  for (Host& h : hosts_) h.retry_at = std::min(h.retry_at, latest);
  durable_again_ = std::min(durable_again_, latest);
}

void StreamSender::abort() {
  for (Host& h : hosts_) {
    if (h.link) take_back(h, "connection");
    h.link.reset();
  }
}

void StreamSender::step(std::chrono::milliseconds max_wait) {
  const MonoTime now = ctx_.clock.now();
  look_at_links(now);
  retire_old_links(now);
  connect(now);
  give_work(now);
  report_flights();
  trim_when_quiet(now);
  client_.run_once(wait_from(ctx_.clock.now(), max_wait));
  look_at_links(ctx_.clock.now());
}

void StreamSender::look_at_links(MonoTime now) {
  for (Host& h : hosts_) {
    if (!h.link) continue;
    h.link->tend(now);
    if (h.link->acknowledged() != h.told) on_progress(h);
    if (h.link->ended()) {
      on_ended(h, now);
    } else {
      complain_of_waiting(h, now);
    }
  }
}

void StreamSender::on_progress(Host& host) {
  host.told = host.link->acknowledged();
  host.failures = 0;
  window_ = std::min(options_.window, 2 * window_);
  up();
}

void StreamSender::on_ended(Host& host, MonoTime now) {
  const Link& link = *host.link;
  const StreamError error = *link.ended();
  const bool in_peace = error.kind == StreamError::Kind::closed && link.in_flight() == 0 &&
                        (link.acknowledged() > 0 || now - link.opened_at() > kIdleEnough);
  if (!in_peace) {
    const std::string_view why = cause_of(link);
    shrink_window(host);
    ctx_.log.warn("send.transport", host.name + ": " + error.message);
    // A connection that served well may have been ended by the other side just as we used it again: then a
    // new one is made at once, and only if that fails as well there is something to tell.
    const bool lapsed = error.kind == StreamError::Kind::closed && link.acknowledged() > 0;
    host.retry_at = lapsed ? now : now + backoff_.wait(host.failures, std::nullopt);
    ++host.failures;
    take_back(host, why == cause::kTimeout ? "timeout" : "connection");
    const bool others = std::any_of(hosts_.begin(), hosts_.end(), [&](const Host& h) {
      return &h != &host && (h.link ? h.failures == 0 : h.retry_at <= now && h.failures == 0);
    });
    if (!others && !lapsed) down(why, host.name + ": " + error.message);
  }
  host.link.reset();
  host.told = 0;
}

void StreamSender::take_back(Host& host, std::string_view reason) {
  std::vector<DocRange> ranges = host.link->take_back();
  std::uint64_t documents = 0;
  for (const DocRange& r : ranges) documents += HeldBatches::count(r);
  if (documents == 0) return;
  ctx_.probe.retried(documents, reason);
  // A single document on which connections end again and again must not be the only one that is ever tried.
  const DocRange first = ranges.front();
  if (first.attempts >= kPoisonAttempts && HeldBatches::count(first) == 1) {
    ctx_.log.warn("send.held", "a document of " +
                                   first.batch().spans[first.batch().docs[first.first].span].source->path +
                                   " was sent " + std::to_string(first.attempts) +
                                   " times without an acknowledgement; others go before it now");
    ranges.erase(ranges.begin());
    queue_.push_back(first);
  }
  queue_.insert(queue_.begin(), ranges.begin(), ranges.end());
}

// What is too much for the other side's patience or memory may go in smaller parts.
void StreamSender::shrink_window(const Host& host) {
  if (host.link->in_flight() == 0 || host.link->acknowledged() > 0) return;
  window_ = std::max<std::size_t>(1, window_ / 2);
}

bool StreamSender::is_retiring(const Link& link, MonoTime now) const {
  return options_.connection_age.count() > 0 && now - link.opened_at() >= options_.connection_age;
}

void StreamSender::retire_old_links(MonoTime now) {
  for (Host& h : hosts_) {
    if (!h.link || h.link->in_flight() > 0 || !is_retiring(*h.link, now)) continue;
    h.link.reset();
    h.told = 0;
  }
}

void StreamSender::connect(MonoTime now) {
  if (queue_.empty()) return;
  if (options_.load_balance) {
    for (Host& h : hosts_) {
      if (!h.link && h.retry_at <= now) open(h);
    }
    return;
  }
  if (std::any_of(hosts_.begin(), hosts_.end(), [](const Host& h) { return h.link != nullptr; })) return;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    Host& h = hosts_[(next_host_ + i) % hosts_.size()];
    if (h.failures > 0 && h.retry_at > now) continue;
    next_host_ = (next_host_ + i) % hosts_.size();
    return open(h);
  }
}

void StreamSender::open(Host& host) {
  host.told = 0;
  host.link = std::make_unique<Link>(LinkContext{options_, ctx_, client_, held_, writer_}, host.target);
}

StreamSender::Host* StreamSender::with_room() {
  const MonoTime now = ctx_.clock.now();
  Host* best = nullptr;
  for (Host& h : hosts_) {
    if (!h.link || !h.link->has_room() || is_retiring(*h.link, now)) continue;
    if (best == nullptr || h.link->in_flight() < best->link->in_flight()) best = &h;
  }
  return best;
}

void StreamSender::give_work(MonoTime now) {
  while (!queue_.empty() && now >= durable_again_) {
    Host* const host = with_room();
    if (host == nullptr) return;
    DocRange& front = queue_.front();
    if (const auto durable = held_.make_durable(*front.held); !durable) {
      durable_again_ = now + backoff_.wait(durable_failures_++, std::nullopt);
      return down(cause::kState,
                  "nothing is sent while the checkpoint cannot be written: " + durable.error().message);
    }
    durable_failures_ = 0;
    const DocRange part = HeldBatches::cut(front, window_, kWindowBytes);
    if (front.first == front.last) queue_.pop_front();
    if (HeldBatches::count(part) == 0) continue;
    last_activity_ = now;
    trimmed_ = false;
    host->link->send(part);
  }
}

// How long nothing of ours falls due.
std::chrono::milliseconds StreamSender::wait_from(MonoTime now, std::chrono::milliseconds max_wait) const {
  MonoTime due = now + max_wait;
  for (const Host& h : hosts_) {
    if (h.link) {
      due = std::min(due, h.link->due());
    } else if (!queue_.empty() && h.retry_at > now) {
      due = std::min(due, h.retry_at);
    }
  }
  if (!queue_.empty() && durable_again_ > now) due = std::min(due, durable_again_);
  if (due <= now) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(due - now);
}

// Keep-alives hold a connection open however long the pipeline behind it stands still. That is to be seen.
void StreamSender::complain_of_waiting(Host& host, MonoTime now) {
  const Link& link = *host.link;
  if (link.in_flight() == 0 || now - link.last_acknowledged() < 2 * options_.timeout) return;
  down(cause::kOverloaded,
       host.name + ": it is alive, but has acknowledged nothing for " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(2 * options_.timeout).count()) +
           " s");
}

void StreamSender::trim_when_quiet(MonoTime now) {
  if (trimmed_ || !held_.empty() || now - last_activity_ < kQuietBeforeTrim) return;
  writer_.trim();
  for (const Host& h : hosts_) {
    if (h.link) h.link->trim();
  }
  trimmed_ = true;
}

void StreamSender::down(std::string_view cause, const std::string& detail) {
  if (!is_up_ && down_cause_ == cause) return;
  is_up_ = false;
  down_cause_ = cause;
  ctx_.probe.output_up(false, cause);
  ctx_.log.warn("send.down", "the Logstash output is held up (" + down_cause_ + "): " + detail);
}

void StreamSender::up() {
  if (is_up_) return;
  is_up_ = true;
  down_cause_.clear();
  ctx_.probe.output_up(true, "");
  ctx_.log.info("send.up", "the Logstash output works");
}

void StreamSender::report_flights() {
  std::size_t windows = 0;
  std::size_t bytes = 0;
  for (const Host& h : hosts_) {
    if (!h.link) continue;
    windows += h.link->in_flight();
    bytes += h.link->wire_bytes();
  }
  ctx_.probe.in_flight(windows, bytes);
}

std::unique_ptr<LogstashSender> make_stream_sender(const LogstashOptions& options, OutputContext context,
                                                   StreamClient& client, std::uint64_t seed) {
  return std::make_unique<StreamSender>(options, context, client, seed);
}

}  // namespace sidelight
