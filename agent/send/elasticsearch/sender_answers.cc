// What comes back, and what becomes of the documents. What goes out is in sender.cc.
#include <algorithm>
#include <array>
#include <utility>

#include "agent/send/elasticsearch/sender.h"

namespace sidelight {
namespace {

constexpr unsigned kRejectionsBeforeSplit = 3;
constexpr std::chrono::seconds kSmallerFor{30};
constexpr unsigned kAllRefusedIsDown = 3;
constexpr unsigned kTriesBesideOthers = 6;

double seconds(Nanos n) {
  return std::chrono::duration<double>(n).count();
}

}  // namespace

void Sender::on_result(FlightIt it, HttpResult result) {
  Flight flight = std::move(*it);
  flights_.erase(it);
  ctx_.budget.release(flight.charged);
  flight.body = std::string();
  compressor_.give_back(std::move(flight.gzip));
  last_activity_ = ctx_.clock.now();
  if (aborting_) {
    flight.work.held->batch->attempted = true;
    ready_.push_back(std::move(flight.work));
    return;
  }
  ctx_.probe.request(seconds(last_activity_ - flight.started), flight.wire_bytes,
                     result ? static_cast<int>(result->status) : 0);
  Held* held = flight.work.held;
  flight.was_held = std::exchange(flight.work.for_destination, false);
  if (flight.was_held) --held_works_;
  if (result) {
    on_answer(flight, *result);
  } else {
    on_transport_error(flight, result.error());
  }
  if (!unburied_.empty() && bury_again_ <= ctx_.clock.now()) bury_waiting(ctx_.clock.now());
  finish_if_done(held);
  if (!waiting_.empty()) set_aside(held);
  ctx_.probe.concurrency_limit(limit_.value());
  report_flights();
}

void Sender::on_bootstrap(std::size_t host, MonoTime started, std::size_t wire_bytes, HttpResult result) {
  bootstrap_in_flight_ = false;
  if (aborting_) return;
  const MonoTime now = ctx_.clock.now();
  // A 404 where there is no template yet is no failure, and is not to look like one.
  const auto told = [&](int status) { ctx_.probe.request(seconds(now - started), wire_bytes, status); };
  if (!result) {
    told(0);
    hosts_.on_failure(host, now);
    down(judge_transport(result.error()).cause, hosts_.display(host) + ": " + result.error().message);
    return;
  }
  const auto trouble = bootstrap_.on_answer(*result);
  const auto retry_after = retry_after_of(*result, ctx_.clock.wall());
  if (trouble && trouble->verdict.host_fault) {
    hosts_.on_failure(host, now, retry_after);
  } else {
    hosts_.on_answer(host, started);
  }
  if (trouble) {
    told(static_cast<int>(result->status));
    if (trouble->verdict.renew_credentials) credentials_.renew();
    if (!trouble->verdict.host_fault) close_gate(now, retry_after);
    down(trouble->verdict.cause, hosts_.display(host) + ": " + trouble->detail);
  } else if (bootstrap_.blocked()) {
    down(cause::kNotADataStream, options_.data_stream + " is not a data stream");
  } else {
    refusals_ = 0;
    gate_closed_at_ = 0;
    if (bootstrap_.done()) up();
  }
}

void Sender::on_answer(Flight& flight, HttpResponse& response) {
  const MonoTime now = ctx_.clock.now();
  ErrorAnswer error;
  if (response.status < 200 || response.status > 299) error = read_error_answer(response.body);
  RequestVerdict verdict = judge_answer(response.status, error.type, error.reason);
  const auto retry_after = retry_after_of(response, ctx_.clock.wall());
  using Action = RequestVerdict::Action;
  // What one host refuses while another works is that host's trouble: it must not stop the others.
  if (verdict.action == Action::hold && hosts_.has_other(flight.host)) verdict.host_fault = true;
  // A host in doubt that begins with a refusal has not shown yet that it works.
  const bool still_in_doubt = (verdict.action == Action::split || verdict.action == Action::bisect) &&
                              hosts_.in_doubt(flight.host) && hosts_.has_other(flight.host);
  if (verdict.host_fault || still_in_doubt) {
    hosts_.on_failure(flight.host, now, retry_after);
  } else if (verdict.action != Action::read_items) {
    hosts_.on_answer(flight.host, flight.started);
  }
  if (verdict.overload) limit_.on_overload(flight.started, now);
  if (verdict.may_have_arrived || response.sent_more_than_once) flight.work.held->batch->attempted = true;
  if (verdict.renew_credentials) credentials_.renew();
  switch (verdict.action) {
    case Action::read_items:
      on_items(flight, response);
      break;
    case Action::split:
      if (error.reason.empty()) error.reason = "413: the destination takes no request of this size";
      on_refused(flight, {true, "too_large", error.type.empty() ? "http_413" : error.type, error.reason});
      break;
    case Action::bisect:
      on_refused(flight, {false, "other", error.type.empty() ? "http_400" : error.type, error.reason});
      break;
    case Action::hold:
      hold_whole(flight, verdict, describe(response, error), retry_after);
      break;
  }
}

void Sender::on_items(Flight& flight, HttpResponse& response) {
  const auto read = reader_.read(response.body, flight.work.size(), answer_);
  if (!read) {
    flight.work.held->batch->attempted = true;
    RequestVerdict verdict;
    verdict.cause = cause::kBadAnswer;
    verdict.retried_as = "unavailable";
    verdict.host_fault = true;
    hosts_.on_failure(flight.host, ctx_.clock.now(), retry_after_of(response, ctx_.clock.wall()));
    hold_whole(flight, verdict, read.error().message, std::nullopt);
    return;
  }
  hosts_.on_answer(flight.host, flight.started);
  check_index(flight);
  if (answer_.all_created) {
    on_all_created(flight);
  } else {
    judge_items(flight, retry_after_of(response, ctx_.clock.wall()));
  }
}

void Sender::on_all_created(Flight& flight) {
  Work& work = flight.work;
  Batch& batch = *work.held->batch;
  const std::size_t n = work.size();
  const std::uint64_t bytes = body_bytes(work);
  if (work.whole && work.held->unsettled == n) {
    batch.settle_all(ctx_.ledger);
    work.held->unsettled = 0;
  } else {
    for (std::size_t i = 0; i < n; ++i) settle(work.held, work.doc(i));
  }
  ctx_.probe.shipped(n, bytes);
  limit_.on_success();
  accepted_something(flight);
  if (work.part) part_done(work.bisect, work.held);
}

void Sender::judge_items(Flight& flight, std::optional<std::chrono::seconds> retry_after) {
  using Action = ItemVerdict::Action;
  Work& work = flight.work;
  Batch& batch = *work.held->batch;
  std::uint64_t delivered = 0;
  std::uint64_t bytes = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t buried = 0;
  std::vector<std::uint32_t> again;
  std::vector<std::uint32_t> hold;
  std::string_view hold_cause;
  std::string hold_detail;
  std::size_t unavailable = 0;  // of `again`
  std::string again_detail;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const std::uint32_t d = work.doc(i);
    const Doc& doc = batch.docs[d];
    const int status = answer_.status[i];
    const BulkItemError* error = status < 300 ? nullptr : answer_.error_of(i);
    const ItemVerdict v =
        judge_item(status, error ? error->type : "", error ? error->reason : "", error ? error->causes : "");
    switch (v.action) {
      case Action::delivered:
        ++delivered;
        bytes += doc.body_end - doc.body_begin;
        settle(work.held, d);
        break;
      case Action::already_there:
        ++(doc.may_exist || batch.attempted ? duplicates : conflicts);
        settle(work.held, d);
        break;
      case Action::retry:
        if (status >= 500) ++unavailable;
        if (again.empty()) {
          again_detail = "HTTP " + std::to_string(status);
          if (error) again_detail += ": " + error->type + ": " + error->full_reason();
        }
        again.push_back(d);
        break;
      case Action::hold:
        if (hold.empty()) {
          hold_cause = v.cause;
          hold_detail = "HTTP " + std::to_string(status) + " for a document";
          if (error) hold_detail += ": " + error->type + ": " + error->full_reason();
        }
        hold.push_back(d);
        break;
      case Action::dead_letter:
        if (unburied_bytes_ >= kMostUnburied) {  // asked for again rather than remembered
          if (hold.empty()) {
            hold_cause = cause::kDeadLettersFull;
            hold_detail = "the dead letters cannot be written";
          }
          hold.push_back(d);
          break;
        }
        ++buried;
        bury(work.held, d, v.reason, error ? error->type : "", error ? error->full_reason() : "");
        break;
    }
  }
  if (delivered > 0) ctx_.probe.shipped(delivered, bytes);
  if (duplicates > 0) ctx_.probe.duplicates(duplicates);
  if (conflicts > 0) {
    ctx_.probe.id_conflicts(conflicts);
    ctx_.log.warn("send.id_conflict",
                  std::to_string(conflicts) + " documents of " +
                      batch.spans[batch.docs[work.doc(0)].span].source->path +
                      " were refused as already there although they were never sent before");
  }
  if (unavailable > 0) batch.attempted = true;
  if (again.empty()) {
    limit_.on_success();
  } else {
    limit_.on_overload(flight.started, ctx_.clock.now());
    if (unavailable > 0) ctx_.probe.retried(unavailable, "unavailable");
    if (again.size() > unavailable) ctx_.probe.retried(again.size() - unavailable, "rejected");
    if (again.size() == work.size() && ++all_refused_ >= kAllRefusedIsDown) {
      down(unavailable > 0 ? cause::kUnavailable : cause::kOverloaded,
           hosts_.display(flight.host) + ": all of a request's documents, " + again_detail);
    }
  }
  if (!hold.empty()) ctx_.probe.retried(hold.size(), "unavailable");
  if (!again.empty() && waits_beside_others(work, again.size())) {
    if (hold.empty()) {
      hold_cause = unavailable > 0 ? cause::kUnavailable : cause::kOverloaded;
      hold_detail = std::move(again_detail) + " for a document, again and again";
    }
    hold.insert(hold.end(), again.begin(), again.end());
    std::sort(hold.begin(), hold.end());
    again.clear();
  }
  const bool nothing_taken = delivered + duplicates + conflicts + buried == 0;
  const bool refused_all = hold.size() == work.size();
  if (!again.empty()) wait_again(work, std::move(again), retry_after);
  if (!hold.empty()) {
    // That documents which others were taken past are refused once more tells nothing about the destination.
    const bool known = flight.was_held && newest_accepted() > work.held_since;
    if (nothing_taken && !(refused_all && known) && hold_cause != cause::kDeadLettersFull)
      close_gate(ctx_.clock.now(), retry_after);
    hold_items(flight, std::move(hold), hold_cause, std::move(hold_detail), retry_after);
  }
  if (!nothing_taken) accepted_something(flight);
  if (work.part) part_done(work.bisect, work.held);
}

// Whether documents that are refused again and again while their neighbours are taken (by a shard without a
// primary, a node that is full) wait for that to be mended.
bool Sender::waits_beside_others(const Work& work, std::size_t refused) {
  return (refused < work.size() || work.beside_others) && work.attempts + 1 >= kTriesBesideOthers;
}

// Overload: these alone, later.
void Sender::wait_again(const Work& work, std::vector<std::uint32_t> docs,
                        std::optional<std::chrono::seconds> retry_after) {
  Work later;
  later.held = work.held;
  const bool all = docs.size() == work.size();
  later.docs = std::move(docs);
  later.attempts = work.attempts + 1;
  later.beside_others = work.beside_others || !all;
  if (all && too_much_at_once(later)) {
    halve(std::move(later));
    close_gate(ctx_.clock.now(), retry_after);
    return;
  }
  wait_for(std::move(later), backoff_.wait(work.attempts, retry_after));
}

// What the destination is to blame for, or what nobody knows: these wait, their neighbours do not.
void Sender::hold_items(Flight& flight, std::vector<std::uint32_t> docs, std::string_view cause,
                        std::string detail, std::optional<std::chrono::seconds> retry_after) {
  const Work& work = flight.work;
  const Batch& batch = *work.held->batch;
  const bool told = docs.size() < work.size() || flight.was_held;  // else down() says it all
  held_cause_ = cause;
  held_detail_ = hosts_.display(flight.host) + ": " + std::move(detail);
  if (told) {
    ctx_.log.warn("send.held", std::to_string(docs.size()) + " of " + std::to_string(work.size()) +
                                   " documents wait and are tried again (" + held_cause_ +
                                   "), one of them from " +
                                   batch.spans[batch.docs[docs[0]].span].source->path + "; " + held_detail_);
  }
  Work later;
  later.held = work.held;
  later.docs = std::move(docs);
  later.attempts = work.attempts + 1;
  later.for_destination = true;
  later.beside_others = work.beside_others || told;
  // Kept over repeated refusals: these must not count as the destination refusing, long after it took others.
  later.held_since = flight.was_held ? work.held_since : sent_;
  ++held_works_;
  down(held_cause_, held_detail_);
  wait_for(std::move(later), backoff_.wait(work.attempts, retry_after));
}

void Sender::on_transport_error(Flight& flight, const TransportError& error) {
  const MonoTime now = ctx_.clock.now();
  const RequestVerdict verdict = judge_transport(error);
  hosts_.on_failure(flight.host, now);
  if (verdict.overload) limit_.on_overload(flight.started, now);
  if (verdict.may_have_arrived) flight.work.held->batch->attempted = true;
  ctx_.log.warn("send.transport", hosts_.display(flight.host) + ": " + error.message);
  hold_whole(flight, verdict, error.message, std::nullopt);
}

void Sender::hold_whole(Flight& flight, const RequestVerdict& verdict, const std::string& detail,
                        std::optional<std::chrono::seconds> retry_after) {
  const MonoTime now = ctx_.clock.now();
  ctx_.probe.retried(flight.work.size(), verdict.retried_as);
  // A host's trouble keeps that host from being asked; the gate is for troubles that every host would have.
  if (!verdict.host_fault) close_gate(now, retry_after);
  if (!verdict.host_fault || hosts_.next_chance() > now) {
    down(verdict.cause, hosts_.display(flight.host) + ": " + detail);
    const bool was_away = verdict.cause == cause::kConnect || verdict.cause == cause::kResolve;
    if (was_away && !std::exchange(looks_again_, true)) bootstrap_.look_again();
  }
  ++flight.work.attempts;
  flight.work.for_destination = flight.was_held;
  if (flight.was_held) ++held_works_;
  if (verdict.retried_as == "rejected" && too_much_at_once(flight.work)) {
    halve(std::move(flight.work));
    return;
  }
  // Behind the others: a request that a proxy takes offence at must not be the only one that is ever tried.
  ready_.push_back(std::move(flight.work));
}

// Whether a request that met nothing but 429 is to be cut: some servers limit the bytes of one request that
// way, and would never take it. Smaller ones are sent for a while then.
bool Sender::too_much_at_once(const Work& work) {
  if (++rejections_ < kRejectionsBeforeSplit) return false;
  const std::size_t bytes = body_bytes(work);
  if (work.size() < 2 || work.part || bytes <= kSmallEnough) return false;
  rejections_ = 0;
  most_body_ = std::max(kSmallEnough, bytes / 2 + bytes / 8);
  most_body_until_ = ctx_.clock.now() + kSmallerFor;
  most_body_grows_ = true;
  ctx_.log.warn("send.split", "the destination rejects requests of " + std::to_string(bytes) +
                                  " bytes again and again (429); sending smaller ones for a while");
  return true;
}

void Sender::accepted_something(const Flight& flight) {
  note_acceptance(flight);
  rejections_ = all_refused_ = 0;
  looks_again_ = false;
  if (flight.number <= gate_closed_at_) return;  // sent before the destination asked us to wait
  refusals_ = 0;
  gate_opens_ = MonoTime::min();
  gate_closed_at_ = 0;
  if (bootstrap_.blocked()) return;
  if (held_works_ > 0) {
    down(held_cause_, held_detail_);  // it takes others
  } else {
    up();
  }
}

void Sender::check_index(const Flight& flight) {
  if (!flight.with_index || answer_.stored_in.empty()) return;
  index_checked_ = ctx_.clock.now();
  index_ever_checked_ = true;
  if (is_backing_index(answer_.stored_in)) return;
  bootstrap_.found_plain_index(answer_.stored_in);
  down(cause::kNotADataStream, options_.data_stream + " is the plain index " + answer_.stored_in);
}

void Sender::down(std::string_view why, const std::string& detail) {
  if (!is_up_ && down_cause_ == why) return;
  is_up_ = false;
  down_cause_ = why;
  ctx_.probe.output_up(false, why);
  ctx_.log.warn("send.down", "the Elasticsearch output is held up (" + std::string(why) + "): " + detail);
}

void Sender::up() {
  if (is_up_ || held_works_ > 0 || !unburied_.empty()) return;
  is_up_ = true;
  down_cause_.clear();
  ctx_.probe.output_up(true, "");
  ctx_.log.info("send.up", "the Elasticsearch output works");
}

}  // namespace sidelight
