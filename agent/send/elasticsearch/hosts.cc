#include "agent/send/elasticsearch/hosts.h"

#include <algorithm>

namespace sidelight {

Hosts::Hosts(const std::vector<std::string>& urls, Backoff& backoff) : backoff_(backoff) {
  for (std::string url : urls) {
    while (!url.empty() && url.back() == '/') url.pop_back();
    hosts_.push_back({.url = std::move(url)});
  }
  // A hundred pods with one list must not all begin with its first entry.
  if (!hosts_.empty()) next_ = backoff.random(hosts_.size());
}

std::optional<std::size_t> Hosts::pick(MonoTime now, std::optional<std::size_t> but) {
  const auto other = pick_one(now, but);
  return other || !but ? other : pick_one(now, std::nullopt);
}

bool Hosts::has_other(std::size_t host) const {
  for (std::size_t i = 0; i < hosts_.size(); ++i)
    if (i != host && hosts_[i].failures == 0) return true;
  return false;
}

std::optional<std::size_t> Hosts::pick_one(MonoTime now, std::optional<std::size_t> but) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t index = (next_ + i) % hosts_.size();
    Host& h = hosts_[index];
    if (index == but || (h.failures > 0 && (h.on_trial || h.retry_at > now))) continue;
    h.on_trial = h.failures > 0;
    next_ = index + 1;
    return index;
  }
  return std::nullopt;
}

MonoTime Hosts::next_chance() const {
  MonoTime soonest = MonoTime::max();
  for (const Host& h : hosts_) {
    if (h.failures == 0) return MonoTime::min();
    if (!h.on_trial) soonest = std::min(soonest, h.retry_at);
  }
  return soonest;
}

void Hosts::on_answer(std::size_t host, MonoTime started) {
  Host& h = hosts_[host];
  h.on_trial = false;
  if (h.asked_to_wait && started <= *h.asked_to_wait) return;
  h.failures = 0;
  h.asked_to_wait.reset();
}

void Hosts::on_failure(std::size_t host, MonoTime now, std::optional<std::chrono::seconds> retry_after) {
  Host& h = hosts_[host];
  if (retry_after) h.asked_to_wait = now;
  // Requests in flight together fail together; that is one failure. But each may ask for a longer wait.
  if (h.failures > 0 && !h.on_trial && h.retry_at > now) {
    if (retry_after) h.retry_at = std::max(h.retry_at, now + backoff_.wait(0, retry_after));
    return;
  }
  h.retry_at = now + backoff_.wait(h.failures, retry_after);
  ++h.failures;
  h.on_trial = false;
}

void Hosts::hurry(MonoTime now) {
  for (Host& h : hosts_) h.retry_at = std::min(h.retry_at, now + kDrainWait);
}

std::string Hosts::display(std::size_t host) const {
  return without_userinfo(hosts_[host].url);
}

std::string without_userinfo(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const auto begin = scheme + 3;
  const auto at = url.rfind('@', url.find('/', begin));
  return at == std::string::npos || at < begin ? url : url.substr(0, begin) + url.substr(at + 1);
}

}  // namespace sidelight
