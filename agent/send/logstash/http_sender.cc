#include "agent/send/logstash/http_sender.h"

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {

namespace cause = logstash_cause;

constexpr std::size_t kRequestBytes = 4u << 20;  // of documents, before compression
constexpr std::chrono::seconds kQuietBeforeTrim{5};
constexpr std::chrono::seconds kGrowEvery{30};
constexpr std::size_t kMaxAnswer = 1u << 20;
constexpr std::size_t kAnswerShown = 200;

double seconds(Nanos n) {
  return std::chrono::duration<double>(n).count();
}

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::string describe(const HttpResponse& response) {
  std::string shown;
  for (const char c : response.body.substr(0, kAnswerShown)) shown += c >= ' ' && c < 127 ? c : ' ';
  return "HTTP " + std::to_string(response.status) + (shown.empty() ? "" : ": " + shown);
}

}  // namespace

HttpSender::HttpSender(const LogstashOptions& options, OutputContext context, FileSystem& fs,
                       HttpClient& client, std::uint64_t seed)
    : options_(options),
      ctx_(context),
      client_(client),
      backoff_(options.backoff_initial, options.backoff_max, seed),
      credentials_(options.username, options.password, options.password_file, fs, context.clock),
      compressor_(context.budget, std::max(1, options.compression_level)),
      held_(context),
      most_flights_(options.pipelining * (options.load_balance ? options.hosts.size() : 1)),
      window_(options.window),
      last_activity_(context.clock.now()) {
  for (const std::string& url : options.hosts) hosts_.push_back({.url = without_slash(url)});
  if (!hosts_.empty()) next_host_ = backoff_.random(hosts_.size());
  ctx_.probe.concurrency_limit(static_cast<double>(most_flights_));
}

HttpSender::~HttpSender() {
  HttpSender::abort();
}

void HttpSender::abort() {
  aborting_ = true;
  client_.cancel_all();
  aborting_ = false;
}

void HttpSender::accept(BatchPtr batch) {
  if (const auto range = held_.accept(std::move(batch))) queue_.push_back(*range);
}

void HttpSender::start_draining() {
  draining_ = true;
  backoff_.set_draining(true);
  const MonoTime latest = ctx_.clock.now() + kDrainWait;
  for (Host& h : hosts_) h.retry_at = std::min(h.retry_at, latest);
  gate_opens_ = std::min(gate_opens_, latest);
  std::multimap<MonoTime, DocRange> sooner;
  for (const auto& [when, range] : waiting_) sooner.emplace(std::min(when, latest), range);
  waiting_ = std::move(sooner);
}

void HttpSender::step(std::chrono::milliseconds max_wait) {
  const MonoTime now = ctx_.clock.now();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    queue_.push_back(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
  while (start_one(now)) {
  }
  report_flights();
  trim_when_quiet(now);
  client_.run_once(wait_from(ctx_.clock.now(), max_wait));
}

bool HttpSender::start_one(MonoTime now) {
  if (queue_.empty() || now < gate_opens_) return false;
  // After a refusal one request tries whether the destination is mended.
  if (flights_.size() >= (refusals_ > 0 ? 1 : most_flights_)) return false;
  DocRange& front = queue_.front();
  if (const auto durable = held_.make_durable(*front.held); !durable) {
    close_gate(now, std::nullopt);
    down(cause::kState, "nothing is sent while the checkpoint cannot be written: " + durable.error().message);
    return false;
  }
  const auto authorization = credentials_.header();
  if (!authorization) {
    close_gate(now, std::nullopt);
    down(cause::kUnauthorized, authorization.error().message);
    return false;
  }
  Host* const host = pick(now);
  if (host == nullptr) return false;
  const DocRange part = HeldBatches::cut(front, window_, kRequestBytes);
  if (front.first == front.last) queue_.pop_front();
  send(part, *host, *authorization);
  return true;
}

// A host that works; else one whose time has come, which gets one request then.
HttpSender::Host* HttpSender::pick(MonoTime now) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t index = (next_host_ + i) % hosts_.size();
    Host& h = hosts_[index];
    if (h.failures > 0 && (h.on_trial || h.retry_at > now)) continue;
    h.on_trial = h.failures > 0;
    next_host_ = options_.load_balance ? index + 1 : index;
    return &h;
  }
  return nullptr;
}

MonoTime HttpSender::next_chance() const {
  MonoTime soonest = MonoTime::max();
  for (const Host& h : hosts_) {
    if (h.failures == 0) return MonoTime::min();
    if (!h.on_trial) soonest = std::min(soonest, h.retry_at);
  }
  return soonest;
}

std::string HttpSender::array_of(const DocRange& range) {
  std::string body = "[";
  const Batch& batch = range.batch();
  body.reserve(batch.docs[range.last - 1].body_end - batch.docs[range.first].source_begin + 2);
  range.each([&](const Doc& d) {
    if (body.size() > 1) body += ',';
    body += HeldBatches::text(batch, d);
  });
  body += ']';
  return body;
}

void HttpSender::send(DocRange range, Host& host, const std::string& authorization) {
  Flight& flight = flights_.emplace_back();
  const auto it = std::prev(flights_.end());
  flight.range = range;
  flight.host = static_cast<std::size_t>(&host - hosts_.data());
  flight.started = last_activity_ = ctx_.clock.now();
  flight.body = array_of(range);
  trimmed_ = false;
  HttpRequest request;
  request.method = "POST";
  request.url = host.url;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  if (options_.compression_level > 0) {
    if (auto packed = compressor_.compress(flight.body)) {
      flight.gzip = std::move(*packed);
      flight.body = std::string();
      request.headers.emplace_back("Content-Encoding", "gzip");
    } else {
      ctx_.log.warn("send.gzip", "sending without compression: " + packed.error().message);
    }
  }
  flight.charged = flight.body.capacity();
  ctx_.budget.charge(flight.charged);
  request.body = flight.gzip.empty() ? std::string_view(flight.body) : flight.gzip.view();
  flight.wire_bytes = request.body.size();
  if (options_.tls) request.tls = *options_.tls;
  request.proxy = options_.proxy;
  request.connect_timeout = options_.connect_timeout;
  request.timeout = options_.timeout;
  request.max_response_bytes = kMaxAnswer;
  range.held->batch->attempted = true;
  client_.start(std::move(request), [this, it](HttpResult result) { on_result(it, std::move(result)); });
}

void HttpSender::on_result(FlightIt it, HttpResult result) {
  Flight flight = std::move(*it);
  flights_.erase(it);
  ctx_.budget.release(flight.charged);
  compressor_.give_back(std::move(flight.gzip));
  const MonoTime now = last_activity_ = ctx_.clock.now();
  if (aborting_) {
    queue_.push_front(flight.range);
    return;
  }
  ctx_.probe.request(seconds(now - flight.started), flight.wire_bytes,
                     result ? static_cast<int>(result->status) : 0);
  Host& host = hosts_[flight.host];
  const HttpVerdict verdict = result ? judge_http_answer(result->status) : judge_http_failure(result.error());
  if (!verdict.host_fault) {
    host.failures = 0;
  } else if (host.failures == 0 || host.on_trial ||
             host.retry_at <= now) {  // what was in flight together failed once
    host.retry_at = now + backoff_.wait(host.failures++, std::nullopt);
  }
  host.on_trial = false;
  if (verdict.action == HttpVerdict::Action::delivered) return on_delivered(flight);
  // Each kind of trouble is told, however often another one comes.
  const std::string kind = result ? std::to_string(result->status) : "transport";
  const std::string detail = host.url + ": " + (result ? describe(*result) : result.error().message);
  ctx_.log.warn("send.refused." + kind, detail);
  if (verdict.action == HttpVerdict::Action::split) return split(flight, detail);
  std::optional<std::chrono::seconds> retry_after;
  if (result && !result->header("retry-after").empty())
    retry_after = parse_retry_after(result->header("retry-after"), ctx_.clock.wall());
  on_refused(flight, verdict, detail, retry_after);
}

void HttpSender::on_delivered(Flight& flight) {
  const std::uint32_t n = HeldBatches::count(flight.range);
  ctx_.probe.shipped(n, held_.settle(flight.range, n));
  refusals_ = 0;
  if (waiting_.empty()) up();
  if (const MonoTime now = ctx_.clock.now(); window_ < options_.window && now >= grow_at_) {
    window_ = std::min(options_.window, 2 * window_);
    grow_at_ = now + kGrowEvery;
  }
}

void HttpSender::on_refused(Flight& flight, const HttpVerdict& verdict, const std::string& detail,
                            std::optional<std::chrono::seconds> retry_after) {
  const MonoTime now = ctx_.clock.now();
  ctx_.probe.retried(HeldBatches::count(flight.range), verdict.retried_as);
  if (verdict.cause == cause::kTimeout) shrink_window();
  if (verdict.renew_credentials) credentials_.renew();
  if (!verdict.host_fault || retry_after) close_gate(now, retry_after);
  if (!verdict.host_fault || next_chance() > now) down(verdict.cause, detail);
  queue_.push_front(flight.range);
}

// What does not fit goes in halves. One document that does not fit alone waits; its neighbours go on.
void HttpSender::split(const Flight& flight, const std::string& detail) {
  const std::size_t n = HeldBatches::count(flight.range);
  ctx_.probe.retried(n, "rejected");
  if (n > 1) {
    window_ = std::min(window_, n);
    shrink_window();
    queue_.push_front(flight.range);
    return;
  }
  DocRange alone = flight.range;
  const Nanos delay = backoff_.wait(alone.attempts++, std::nullopt);
  waiting_.emplace(ctx_.clock.now() + delay, alone);
  ctx_.log.warn(
      "send.held",
      "a document of " + alone.batch().spans[alone.batch().docs[alone.first].span].source->path +
          " is too large for the destination and is tried again; raise max_content_length there, or lower "
          "max_event_bytes here");
  down(cause::kTooLarge, detail);
}

void HttpSender::shrink_window() {
  window_ = std::max<std::size_t>(1, window_ / 2);
  grow_at_ = ctx_.clock.now() + kGrowEvery;
}

void HttpSender::close_gate(MonoTime now, std::optional<std::chrono::seconds> retry_after) {
  if (now < gate_opens_) return;  // refused together with others: one refusal
  gate_opens_ = now + backoff_.wait(refusals_++, retry_after);
}

// How long nothing of ours falls due.
std::chrono::milliseconds HttpSender::wait_from(MonoTime now, std::chrono::milliseconds max_wait) const {
  MonoTime due = now + max_wait;
  if (!waiting_.empty()) due = std::min(due, waiting_.begin()->first);
  if (!queue_.empty() && flights_.size() < most_flights_) {
    const MonoTime chance = std::max(gate_opens_, next_chance());
    if (chance > now) due = std::min(due, chance);
  }
  if (due <= now) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(due - now);
}

void HttpSender::trim_when_quiet(MonoTime now) {
  if (trimmed_ || !held_.empty() || now - last_activity_ < kQuietBeforeTrim) return;
  compressor_.trim();
  trimmed_ = true;
}

void HttpSender::down(std::string_view cause, const std::string& detail) {
  if (!is_up_ && down_cause_ == cause) return;
  is_up_ = false;
  down_cause_ = cause;
  ctx_.probe.output_up(false, cause);
  ctx_.log.warn("send.down", "the Logstash output is held up (" + down_cause_ + "): " + detail);
}

void HttpSender::up() {
  if (is_up_) return;
  is_up_ = true;
  down_cause_.clear();
  ctx_.probe.output_up(true, "");
  ctx_.log.info("send.up", "the Logstash output works");
}

void HttpSender::report_flights() {
  std::size_t bytes = 0;
  for (const Flight& f : flights_) bytes += f.wire_bytes;
  ctx_.probe.in_flight(flights_.size(), bytes);
}

std::unique_ptr<LogstashSender> make_http_sender(const LogstashOptions& options, OutputContext context,
                                                 FileSystem& fs, HttpClient& client, std::uint64_t seed) {
  return std::make_unique<HttpSender>(options, context, fs, client, seed);
}

}  // namespace sidelight
