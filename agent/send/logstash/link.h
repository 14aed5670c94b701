// One connection to one host: the windows that are on their way over it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/stream_client.h"
#include "agent/send/logstash/held_batches.h"
#include "agent/send/logstash/lumberjack_frames.h"
#include "agent/send/logstash/options.h"

namespace sidelight {

// What the links of one sender share. One thread.
struct LinkContext {
  const LogstashOptions& options;
  const OutputContext& output;
  StreamClient& client;
  HeldBatches& held;
  WindowWriter& writer;
};

// One thread; its events come from within StreamClient::run_once().
class Link final : public StreamEvents {
 public:
  Link(LinkContext context, const StreamTarget& target);
  ~Link() override;  // closes the connection
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Whether another window may be sent now.
  bool has_room() const;
  // Sends the range as one window. The batch is durable.
  void send(DocRange range);
  // What time brings: no sign of life for too long; for TCP, whether the other side's system has everything.
  void tend(MonoTime now);
  // When tend() may find something; MonoTime::max() when nothing is on its way.
  MonoTime due() const;

  // Set once the connection is of no more use. The windows are still there.
  const std::optional<StreamError>& ended() const { return ended_; }
  bool refused_our_protocol() const { return bad_answer_; }
  std::size_t in_flight() const { return windows_.size(); }
  std::size_t wire_bytes() const;
  std::uint64_t acknowledged() const { return acknowledged_; }  // documents, since it was made
  MonoTime opened_at() const { return opened_at_; }
  // Since when a window waits although nothing was acknowledged since; only when something is on its way.
  MonoTime last_acknowledged() const { return last_acknowledged_; }
  // Takes what was not acknowledged, in order.
  std::vector<DocRange> take_back();
  // Frees what is kept for reuse.
  void trim();

  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_sent(std::size_t n, bool done) override;
  void on_closed(const StreamError& error) override;

 private:
  struct Window {
    DocRange range;
    std::uint32_t count = 0;         // documents in it
    std::uint32_t acknowledged = 0;  // of these
    std::size_t wire_bytes = 0;
    bool sent = false;
    MonoTime started{};
  };
  bool acknowledges() const { return ctx_.options.protocol == LogstashProtocol::lumberjack; }
  Expected<void> encode(const Window& window);
  void on_acknowledged(std::uint32_t number);
  void acknowledge_front(std::uint32_t number);
  void fail_with(const StreamError& error, bool bad_answer);
  void release_wire();

  LinkContext ctx_;
  StreamClient::Id id_ = 0;
  AckReader reader_;
  std::deque<Window> windows_;
  std::string wire_;  // of the last window, until it is sent
  std::size_t charged_ = 0;
  bool open_ = false;
  bool heard_ = false;  // anything from the other side
  bool writing_ = false;
  bool bad_answer_ = false;
  std::optional<StreamError> ended_;
  std::uint64_t acknowledged_ = 0;
  MonoTime opened_at_{};
  MonoTime last_sign_{};
  MonoTime last_acknowledged_{};
};

}  // namespace sidelight
