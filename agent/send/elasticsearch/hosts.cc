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

std::optional<std::size_t> Hosts::pick(MonoTime now) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t index = (next_ + i) % hosts_.size();
    Host& h = hosts_[index];
    if (h.failures > 0 && (h.on_trial || h.retry_at > now)) continue;
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

void Hosts::on_answer(std::size_t host) {
  hosts_[host].failures = 0;
  hosts_[host].on_trial = false;
}

void Hosts::on_failure(std::size_t host, MonoTime now) {
  Host& h = hosts_[host];
  // Requests in flight together fail together; that is one failure.
  if (h.failures > 0 && !h.on_trial && h.retry_at > now) return;
  h.retry_at = now + backoff_.wait(h.failures, std::nullopt);
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
