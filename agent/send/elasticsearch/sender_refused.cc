// Requests that are refused as a whole for what is in them (400, 413): finding the documents that cause it.
// See bisect.h.
#include <algorithm>
#include <utility>

#include "agent/send/elasticsearch/sender.h"

namespace sidelight {
namespace {

constexpr std::chrono::minutes kBodyLimitKnownFor{10};
constexpr std::chrono::minutes kFickleFor{10};

}  // namespace

void Sender::on_refused(Flight& flight, Refusal refusal) {
  Work& work = flight.work;
  const std::string text = hosts_.display(flight.host) + ": HTTP " + (refusal.by_size ? "413 " : "400 ") +
                           refusal.type + ": " + refusal.text;
  if (work.size() == 1) {
    make_part(work);
    suspect(flight, std::move(refusal));
  } else if (refusal.by_size) {
    learn_limit(flight);
    if (body_bytes(work) > kSmallEnough) {
      make_part(work);
      halve(std::move(work));
      return;
    }
  }
  if (ask_another_host(flight)) return;
  make_part(work);
  if (work.size() > 1) work.company_refused = flight.number;
  const auto bisect = work.bisect;
  bisect->last_error = text;
  if (work.size() == 1) {
    bisect->refused.push_back(work.doc(0));
    part_done(bisect, work.held);
  } else if (newest_accepted() > bisect->began) {
    halve(std::move(work));
  } else {
    sample(work);
  }
}

// Puts down that the only document of the flight was refused.
void Sender::suspect(const Flight& flight, Refusal refusal) {
  Suspect& suspect = flight.work.bisect->suspects[flight.work.doc(0)];
  suspect.last = std::move(refusal);
  ++suspect.tries;
  const std::uint64_t company = flight.work.company_refused;
  if (company != 0 && accepted_by_[flight.host] > company) suspect.set_apart = true;
  suspect.refused.resize(hosts_.size());
  std::uint64_t& refused = suspect.refused[flight.host];
  const bool works_since = refused != 0 && accepted_by_[flight.host] > refused;
  if (works_since) ++suspect.strikes;
  if (works_since || refused == 0) refused = flight.number;
}

// The host may be at fault rather than what it was sent. Whoever takes it says so, see note_acceptance().
bool Sender::ask_another_host(Flight& flight) {
  Work& work = flight.work;
  if (std::exchange(work.refused_by, std::nullopt) || !hosts_.has_other(flight.host)) return false;
  ctx_.probe.retried(work.size(), "other");
  work.refused_by = flight.host;
  ready_.push_front(std::move(work));
  return true;
}

void Sender::learn_limit(const Flight& flight) {
  const std::size_t bytes = body_bytes(flight.work);
  const std::size_t smaller = std::max(kSmallEnough, bytes / 2 + bytes / 8);
  most_body_ = most_body_ == 0 ? smaller : std::min(most_body_, smaller);
  most_body_until_ = ctx_.clock.now() + kBodyLimitKnownFor;
  most_body_grows_ = false;
  ctx_.log.warn("send.split", "the destination refuses requests of " + std::to_string(flight.wire_bytes) +
                                  " bytes (413); sending smaller ones (output batch_bytes)");
}

void Sender::make_part(Work& work) {
  if (work.part) return;
  if (!work.bisect) work.bisect = std::make_shared<Bisect>();
  work.part = true;
  work.bisect->outstanding = 1;
  work.bisect->began = work.bisect->round = sent_;
}

// In place of a part, a few of its documents alone.
void Sender::sample(const Work& work) {
  Bisect& bisect = *work.bisect;
  std::vector<std::uint32_t> docs(work.size());
  for (std::size_t i = 0; i < docs.size(); ++i) docs[i] = work.doc(i);
  std::vector<std::uint32_t> others;
  const auto samples = choose_samples(docs, backoff_.random(docs.size()), others);
  bisect.rest.insert(bisect.rest.end(), others.begin(), others.end());
  bisect.outstanding += static_cast<std::uint32_t>(samples.size()) - 1;
  for (const std::uint32_t d : samples) {
    Work sample = work;
    sample.whole = false;
    sample.docs = {d};
    ready_.push_front(std::move(sample));
  }
}

// Both halves go out next; parts of a bisection stay parts.
void Sender::halve(Work work) {
  std::vector<std::uint32_t> docs = std::move(work.docs);
  if (work.whole) {
    docs.resize(work.held->batch->docs.size());
    for (std::uint32_t i = 0; i < docs.size(); ++i) docs[i] = i;
  }
  const auto middle = docs.begin() + static_cast<std::ptrdiff_t>(docs.size() / 2);
  work.docs.clear();
  Work second = work;
  if (work.part) {
    ++work.bisect->outstanding;
  } else if (work.bisect) {
    second.bisect = std::make_shared<Bisect>(*work.bisect);  // two of their own from now on
  }
  work.whole = second.whole = false;
  second.docs.assign(middle, docs.end());
  work.docs.assign(docs.begin(), middle);
  if (work.for_destination) ++held_works_;
  ready_.push_front(std::move(second));
  ready_.push_front(std::move(work));
}

void Sender::part_done(const std::shared_ptr<Bisect>& bisect, Held* held) {
  if (--bisect->outstanding == 0) conclude(bisect, held);
}

void Sender::bury_convicted(Bisect& bisect, Held* held) {
  const bool fickle = ctx_.clock.now() < fickle_until_;
  const unsigned enough = fickle ? kStrikesOfTheFickle : kStrikes;
  const bool quiet = !fickle && only_suspects_left(bisect);
  std::erase_if(bisect.refused, [&](std::uint32_t doc) {
    const auto suspect = bisect.suspects.find(doc);
    if (suspect->second.strikes < enough && !(quiet && suspect->second.tries >= kTriesWhenQuiet))
      return false;
    Refusal& why = suspect->second.last;
    bury(held, doc, why.reason, std::move(why.type), std::move(why.text));
    bisect.suspects.erase(suspect);
    return true;
  });
}

// Nothing that is unsettled could prove the destination to work, and all of it was set apart by what did.
bool Sender::only_suspects_left(const Bisect& concluding) const {
  const auto set_apart = [](const Bisect& bisect, const std::vector<std::uint32_t>& docs) {
    return std::all_of(docs.begin(), docs.end(), [&](std::uint32_t doc) {
      const auto suspect = bisect.suspects.find(doc);
      return suspect != bisect.suspects.end() && suspect->second.set_apart;
    });
  };
  const auto suspected = [&](const Work& work) {
    return !work.whole && work.bisect && set_apart(*work.bisect, work.docs);
  };
  return concluding.rest.empty() && set_apart(concluding, concluding.refused) &&
         std::all_of(ready_.begin(), ready_.end(), suspected) &&
         std::all_of(waiting_.begin(), waiting_.end(), [&](const auto& w) { return suspected(w.second); }) &&
         std::all_of(flights_.begin(), flights_.end(), [&](const Flight& f) { return suspected(f.work); });
}

// The end of a round.
void Sender::conclude(const std::shared_ptr<Bisect>& bisect, Held* held) {
  bury_convicted(*bisect, held);
  const bool nothing_else = only_suspects_left(*bisect);
  std::vector<std::uint32_t> refused = std::exchange(bisect->refused, {});
  std::vector<std::uint32_t> rest = std::exchange(bisect->rest, {});
  if (refused.empty() && rest.empty()) return;
  std::sort(refused.begin(), refused.end());
  std::sort(rest.begin(), rest.end());
  Work next;
  next.held = held;
  next.bisect = bisect;
  if (newest_accepted() > bisect->round || nothing_else) {  // the destination works, as far as can be known
    bisect->round = sent_;
    next.part = true;
    bisect->outstanding = (rest.empty() ? 0u : 1u) + (refused.empty() ? 0u : 1u);
    if (!rest.empty()) {
      next.docs = std::move(rest);
      ready_.push_front(next);
    }
    if (!refused.empty()) {
      ctx_.probe.retried(refused.size(), "other");
      next.docs = std::move(refused);
      wait_for(std::move(next), backoff_.wait(bisect->rounds++, std::nullopt));
    }
    return;
  }
  ++bisect->rounds;
  next.docs = std::move(refused);
  next.docs.insert(next.docs.end(), rest.begin(), rest.end());
  std::sort(next.docs.begin(), next.docs.end());
  ctx_.probe.retried(next.docs.size(), "unavailable");
  close_gate(ctx_.clock.now(), std::nullopt);
  down(cause::kBadRequest, "everything is refused: " + bisect->last_error);
  ready_.push_back(std::move(next));
}

std::uint64_t Sender::newest_accepted() const {
  return *std::max_element(accepted_by_.begin(), accepted_by_.end());
}

void Sender::note_acceptance(const Flight& flight) {
  const MonoTime now = ctx_.clock.now();
  accepted_by_[flight.host] = std::max(accepted_by_[flight.host], flight.number);
  const Work& work = flight.work;
  if (work.refused_by && *work.refused_by != flight.host) {
    hosts_.on_failure(*work.refused_by, now);
    ctx_.log.warn("send.refusing_host", hosts_.display(*work.refused_by) + " refuses what " +
                                            hosts_.display(flight.host) +
                                            " takes; it is asked again after a while");
  }
  if (!work.bisect) return;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const auto suspect = work.bisect->suspects.find(work.doc(i));
    if (suspect != work.bisect->suspects.end() && suspect->second.refused[flight.host] != 0)
      fickle_until_ = now + kFickleFor;
  }
}

}  // namespace sidelight
