// Which host to ask next: round robin over those that work, one trial at a time for those that did not.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/send/elasticsearch/backoff.h"

namespace sidelight {

// One thread.
class Hosts {
 public:
  Hosts(const std::vector<std::string>& urls, Backoff& backoff);

  // A host that may be asked now, or nothing: then look again at next_chance(). Each one given must be told
  // of with on_answer() or on_failure(): a host in doubt gets one request at a time. `but` is given only when
  // there is no other.
  std::optional<std::size_t> pick(MonoTime now, std::optional<std::size_t> but = std::nullopt);
  // Whether a host other than this one works as far as known.
  bool has_other(std::size_t host) const;
  // When pick() may succeed again, MonoTime::max() when only an outcome changes it.
  MonoTime next_chance() const;
  // An answer to a request of `started` says nothing against a wait that was asked for later.
  void on_answer(std::size_t host, MonoTime started);
  // Out of use until a back-off that grows with each failure in a row, and as long as the host itself asked
  // for.
  void on_failure(std::size_t host, MonoTime now,
                  std::optional<std::chrono::seconds> retry_after = std::nullopt);
  // It failed, and has not answered since.
  bool in_doubt(std::size_t host) const { return hosts_[host].failures > 0; }
  // No host is to be waited for longer than kDrainWait.
  void hurry(MonoTime now);

  // "https://es:9200/prefix", without a last slash.
  const std::string& url(std::size_t host) const { return hosts_[host].url; }
  // The same without a user and password, for messages.
  std::string display(std::size_t host) const;
  std::size_t size() const { return hosts_.size(); }

 private:
  std::optional<std::size_t> pick_one(MonoTime now, std::optional<std::size_t> but);
  struct Host {
    std::string url;
    unsigned failures = 0;
    bool on_trial = false;
    MonoTime retry_at{};
    std::optional<MonoTime> asked_to_wait{};  // when it did
  };
  Backoff& backoff_;
  std::vector<Host> hosts_;
  std::size_t next_ = 0;
};

// "https://user:secret@es:9200/x" -> "https://es:9200/x".
std::string without_userinfo(const std::string& url);

}  // namespace sidelight
