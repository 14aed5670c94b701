// What the three ways to Logstash have in common: which documents are not settled yet, and a loop to be
// driven.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/base/stream_client.h"
#include "agent/send/logstash/options.h"
#include "agent/send/output.h"

namespace sidelight {

// The names under which troubles show in sidelight_output_down_cause's `cause` and in the log. A fixed set.
namespace logstash_cause {
inline constexpr std::string_view kResolve = "resolve";
inline constexpr std::string_view kConnect = "connect";
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kConnectionLost = "connection_lost";
inline constexpr std::string_view kBadAnswer = "bad_answer";
inline constexpr std::string_view kOverloaded = "overloaded";
inline constexpr std::string_view kTooLarge = "too_large";
inline constexpr std::string_view kUnauthorized = "unauthorized";
inline constexpr std::string_view kUnavailable = "unavailable";
inline constexpr std::string_view kState = "state_unwritable";
}  // namespace logstash_cause

// Told with a connection without TLS on which the other side said nothing before it ended it.
inline constexpr std::string_view kPerhapsTls = "; if it speaks TLS on this port, configure tls";

// No thread of its own and no waiting but in step(), so that tests drive it with a stepped clock and a
// scripted other side. One thread, but for wake().
class LogstashSender {
 public:
  virtual ~LogstashSender() = default;  // drops what is in flight; unsettled documents stay so
  virtual void accept(BatchPtr batch) = 0;
  // Starts what may start, waits up to max_wait (less when something is due earlier) and handles what came.
  virtual void step(std::chrono::milliseconds max_wait) = 0;
  // From now on no back-off is waited out for long.
  virtual void start_draining() = 0;
  // Drops what is in flight.
  virtual void abort() = 0;
  // Every document that was accepted is settled.
  virtual bool idle() const = 0;
  virtual std::size_t recycled_bytes() const = 0;
  // Makes a step() in progress, or the next one, return early. From any thread.
  virtual void wake() = 0;
};

// Protocols lumberjack and tcp. The options and the references outlive it.
std::unique_ptr<LogstashSender> make_stream_sender(const LogstashOptions& options, OutputContext context,
                                                   StreamClient& client, std::uint64_t seed);

// Protocol http.
std::unique_ptr<LogstashSender> make_http_sender(const LogstashOptions& options, OutputContext context,
                                                 FileSystem& fs, HttpClient& client, std::uint64_t seed);

}  // namespace sidelight
