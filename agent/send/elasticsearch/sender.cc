// What goes out, and when. What comes back is in sender_answers.cc.
#include "agent/send/elasticsearch/sender.h"

#include <algorithm>
#include <utility>

namespace sidelight {
namespace {

constexpr std::chrono::seconds kIndexCheckInterval{1};
constexpr std::chrono::seconds kQuietBeforeTrim{5};
constexpr std::chrono::seconds kGrowEvery{30};
constexpr std::size_t kGrownEnough = 16u << 20;

}  // namespace

Sender::Sender(const ElasticsearchOptions& options, OutputContext context, FileSystem& fs, HttpClient& client,
               std::uint64_t seed)
    : options_(options),
      ctx_(context),
      client_(client),
      backoff_(options.backoff_initial, options.backoff_max, seed),
      builder_(options),
      hosts_(options.hosts, backoff_),
      credentials_(options, fs, context.clock),
      limit_(options.max_concurrency),
      compressor_(context.budget, options.gzip_level),
      bootstrap_(options, context.log, context.clock),
      dead_letters_(options.dead_letters, fs, context.clock, context.log, context.probe,
                    [&barrier = context.barrier] { return barrier.replay_starts(); }),
      last_activity_(context.clock.now()) {
  accepted_by_.resize(std::max<std::size_t>(1, hosts_.size()));
  ctx_.probe.concurrency_limit(limit_.value());
}

Sender::~Sender() {
  abort();
}

void Sender::abort() {
  aborting_ = true;
  client_.cancel_all();
  aborting_ = false;
}

void Sender::accept(BatchPtr batch) {
  Held& held = held_.emplace_back();
  held.batch = std::move(batch);
  held.body_bytes = held.batch->body.size();
  held.unsettled = static_cast<std::size_t>(std::count_if(held.batch->docs.begin(), held.batch->docs.end(),
                                                          [](const Doc& d) { return !d.settled; }));
  if (held.unsettled == 0) {
    finish_if_done(&held);
    return;
  }
  Work work;
  work.held = &held;
  work.whole = true;
  ready_.push_back(std::move(work));
}

void Sender::start_draining() {
  draining_ = true;
  backoff_.set_draining(true);
  const MonoTime now = ctx_.clock.now();
  const MonoTime latest = now + kDrainWait;
  hosts_.hurry(now);
  gate_opens_ = std::min(gate_opens_, latest);
  bury_again_ = std::min(bury_again_, latest);
  std::multimap<MonoTime, Work> sooner;
  for (auto& [when, work] : waiting_) sooner.emplace(std::min(when, latest), std::move(work));
  waiting_ = std::move(sooner);
}

void Sender::step(std::chrono::milliseconds max_wait) {
  const MonoTime now = ctx_.clock.now();
  dead_letters_.tend();
  if (!unburied_.empty() && bury_again_ <= now) bury_waiting(now);
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Work work = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (work.for_destination) {
      ready_.push_back(std::move(work));  // whose outcome is the least certain goes last
    } else {
      ready_.push_front(std::move(work));
    }
  }
  run_bootstrap(now);
  start_ready();
  trim_when_quiet(now);
  client_.run_once(wait_from(ctx_.clock.now(), max_wait));
}

// How long nothing of ours falls due.
std::chrono::milliseconds Sender::wait_from(MonoTime now, std::chrono::milliseconds max_wait) const {
  MonoTime due = now + max_wait;
  if (!waiting_.empty()) due = std::min(due, waiting_.begin()->first);
  if (!unburied_.empty()) due = std::min(due, bury_again_);
  const bool bootstrap_waits = !bootstrap_.done() && !bootstrap_in_flight_;
  if (bootstrap_waits || (!ready_.empty() && flights_.size() < limit_.requests())) {
    // What keeps us from starting: the gate, the hosts, the bootstrap's own patience; or something else, told
    // by an answer.
    MonoTime chance = std::max(gate_opens_, hosts_.next_chance());
    if (bootstrap_waits) chance = std::max(chance, bootstrap_.next_at());
    if (chance > now) due = std::min(due, chance);
  }
  if (due <= now) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(due - now);
}

bool Sender::may_start(MonoTime now) const {
  if (!bootstrap_.done() || bootstrap_.blocked() || now < gate_opens_) return false;
  if (refusals_ > 0) return flights_.empty();  // one request tries whether the destination is mended
  return flights_.size() < limit_.requests();
}

void Sender::start_ready() {
  while (!ready_.empty()) {
    const MonoTime now = ctx_.clock.now();
    if (!may_start(now)) return;
    Work work = std::move(ready_.front());
    ready_.pop_front();
    if (!make_durable(work, now)) {
      const Nanos delay = backoff_.wait(work.attempts++, std::nullopt);
      wait_for(std::move(work), delay);
      continue;
    }
    if (split_to_fit(work)) continue;
    const auto authorized = authorization();
    const auto host = authorized ? hosts_.pick(now, work.refused_by) : std::nullopt;
    if (!host) {
      ready_.push_front(std::move(work));
      return;
    }
    send(std::move(work), *host, *authorized);
  }
}

// A replay after a crash must make the same documents with the same ids, so what decides them is on disk
// first.
bool Sender::make_durable(Work& work, MonoTime /*now*/) {
  if (work.held->durable) return true;
  const auto synced = ctx_.barrier.sync_to(work.held->batch->durable_seq);
  if (!synced) {
    down(cause::kState, "nothing is sent while the checkpoint cannot be written: " + synced.error().message);
    return false;
  }
  work.held->durable = true;
  return true;
}

std::optional<std::string> Sender::authorization() {
  auto header = credentials_.header();
  if (header) return std::move(*header);
  down(cause::kCredentials, header.error().message);
  close_gate(ctx_.clock.now(), std::nullopt);
  return std::nullopt;
}

// True when the work was larger than the destination takes, as learnt from its refusals, and its halves wait
// instead.
bool Sender::split_to_fit(Work& work) {
  if (most_body_ == 0 || work.size() < 2) return false;
  if (const MonoTime now = ctx_.clock.now(); now >= most_body_until_) {
    // The limit may have been raised, or the load may be less.
    most_body_ = most_body_grows_ && most_body_ < kGrownEnough ? 2 * most_body_ : 0;
    most_body_until_ = now + kGrowEvery;
  }
  if (most_body_ == 0 || body_bytes(work) <= most_body_) return false;
  halve(std::move(work));
  return true;
}

void Sender::send(Work work, std::size_t host, const std::string& authorization) {
  const MonoTime now = ctx_.clock.now();
  Flight& flight = flights_.emplace_back();
  const auto it = std::prev(flights_.end());
  flight.work = std::move(work);
  flight.host = host;
  flight.number = ++sent_;
  flight.started = now;
  last_activity_ = now;
  trimmed_ = false;
  std::string_view body = flight.work.held->batch->body;
  if (!flight.work.whole) {
    copy_documents(*flight.work.held->batch, flight.work.docs, flight.body);
    flight.charged = flight.body.capacity();
    ctx_.budget.charge(flight.charged);
    body = flight.body;
  }
  bool gzipped = false;
  if (options_.gzip) {
    if (auto packed = compressor_.compress(body)) {
      flight.gzip = std::move(*packed);
      body = flight.gzip.view();
      gzipped = true;
    } else {
      ctx_.log.warn("send.gzip", "sending without compression: " + packed.error().message);
    }
  }
  flight.wire_bytes = body.size();
  flight.with_index =
      !options_.data_stream.empty() && (!index_ever_checked_ || now - index_checked_ >= kIndexCheckInterval);
  client_.start(builder_.bulk(hosts_.url(host), authorization, body, gzipped, flight.with_index),
                [this, it](HttpResult result) { on_result(it, std::move(result)); });
  report_flights();
}

void Sender::run_bootstrap(MonoTime now) {
  if (bootstrap_.done() || bootstrap_in_flight_ || now < gate_opens_) return;
  const auto question = bootstrap_.next(now);
  if (!question) return;
  const auto authorized = authorization();
  const auto host = authorized ? hosts_.pick(now) : std::nullopt;
  if (!host) return;
  HttpRequest request = builder_.make(hosts_.url(*host), question->method, question->path, *authorized);
  const auto body = std::make_shared<std::string>(question->body);
  if (!body->empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = *body;
  request.timeout = std::min<std::chrono::milliseconds>(request.timeout, std::chrono::seconds(30));
  bootstrap_in_flight_ = true;
  client_.start(std::move(request), [this, body, h = *host, now](HttpResult result) {
    on_bootstrap(h, now, body->size(), std::move(result));
  });
}

void Sender::wait_for(Work work, Nanos delay) {
  waiting_.emplace(ctx_.clock.now() + delay, std::move(work));
}

void Sender::close_gate(MonoTime now, std::optional<std::chrono::seconds> retry_after) {
  if (now < gate_opens_) {  // refused together with others: one refusal
    if (retry_after) gate_opens_ = std::max(gate_opens_, now + backoff_.wait(0, retry_after));
  } else {
    gate_opens_ = now + backoff_.wait(refusals_, retry_after);
    ++refusals_;
  }
  if (retry_after) gate_closed_at_ = sent_;
}

void Sender::trim_when_quiet(MonoTime now) {
  if (trimmed_ || !held_.empty() || now - last_activity_ < kQuietBeforeTrim) return;
  compressor_.trim();
  reader_.trim();
  answer_ = BulkAnswer();
  trimmed_ = true;
}

void Sender::report_flights() {
  std::size_t bytes = 0;
  for (const Flight& f : flights_) bytes += f.wire_bytes;
  ctx_.probe.in_flight(flights_.size(), bytes);
}

}  // namespace sidelight
