#include "collectors/rabbitmq/queue_history.h"

#include <algorithm>

namespace sidelight {
namespace {

constexpr std::size_t kMostPoints = 64;

double seconds_of(Nanos span) {
  return std::chrono::duration<double>(span).count();
}

}  // namespace

void QueueHistory::observe(const Observation& o) {
  if (!backlog_.empty() && o.at <= backlog_.back().at) return;
  const double depth = o.ready + o.unacked;

  // As CounterWindow thins: the newest point moves while it is close to the one before.
  const Nanos least = kWindow / (kMostPoints - 2);
  if (backlog_.size() >= 2 && backlog_.back().at - backlog_[backlog_.size() - 2].at < least)
    backlog_.pop_back();
  backlog_.push_back({o.at, depth});
  while (backlog_.size() > 2 && o.at - backlog_[1].at >= kWindow) backlog_.pop_front();

  if (depth <= 0)
    backlog_since_.reset();
  else if (!backlog_since_)
    backlog_since_ = o.at;

  if (o.acked) {
    acked_.add(o.at, *o.acked);
    letters_.observe(o.at, depth, *o.acked);
    if (!watched_since_) watched_since_ = o.at;
    if (o.acked != last_.acked) unmoved_since_ = o.at;
  } else {
    acked_.restart();
    watched_since_.reset();
  }
  if (o.published) head_.observe(o.at, *o.published, depth);
  last_ = o;
}

std::optional<double> QueueHistory::growth_per_second() const {
  if (backlog_.size() < 2) return std::nullopt;
  const double span = seconds_of(backlog_.back().at - backlog_.front().at);
  return (backlog_.back().depth - backlog_.front().depth) / span;
}

std::optional<double> QueueHistory::drain_seconds() const {
  const auto rate = acked_.per_second();
  if (!rate || *rate <= 0) return std::nullopt;
  return (last_.ready + last_.unacked) / *rate;
}

std::optional<bool> QueueHistory::stalled() const {
  if (!watched_since_) return std::nullopt;
  if (!backlog_since_) return false;
  const MonoTime since = std::max(*backlog_since_, unmoved_since_);
  if (last_.at - since >= kWindow) return true;
  // What was before the first observation is not known.
  return since > *watched_since_ ? std::optional(false) : std::nullopt;
}

std::optional<double> QueueHistory::head_age_seconds(MonoTime now) const {
  if (!last_.published) return std::nullopt;
  const auto age = head_.age(now, last_.ready);
  if (!age) return std::nullopt;
  return seconds_of(std::max(*age, Nanos(0)));
}

std::optional<double> QueueHistory::arrived() const {
  if (!last_.acked) return std::nullopt;
  return letters_.total();
}

}  // namespace sidelight
