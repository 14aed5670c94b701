// Blocking TCP and TLS for collectors: one connection at a time, within the run's deadline.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.h"
#include "agent/base/stream_client.h"
#include "collectors/framework/collector.h"

namespace sidelight {

// One thread at a time. Errors are in words for the target's operator and do not name the host.
class BlockingStream final : private StreamEvents {
 public:
  // More bytes than `max_waiting` that come without being read end the connection.
  explicit BlockingStream(std::size_t max_waiting);
  ~BlockingStream() override;
  BlockingStream(const BlockingStream&) = delete;
  BlockingStream& operator=(const BlockingStream&) = delete;

  // Ends an earlier connection first. target.connect_timeout is set from the deadline.
  Expected<void> connect(StreamTarget target, const Deadline& deadline);
  Expected<void> write(std::string_view bytes, const Deadline& deadline);
  // What has come since the last call; waits for at least one byte.
  Expected<std::string> read(const Deadline& deadline);
  void close();

 private:
  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_sent(std::size_t n, bool done) override;
  void on_closed(const StreamError& error) override;
  // Runs the connection until `done`; an error when it ended or the deadline has passed before.
  Expected<void> run_until(const bool& done, const Deadline& deadline, const char* late);

  std::size_t max_waiting_;
  std::unique_ptr<StreamClient> client_;
  StreamClient::Id id_ = 0;  // 0: none
  bool open_ = false;
  bool sent_ = false;
  bool any_bytes_ = false;
  std::string waiting_;
  std::optional<std::string> ended_;  // why
};

}  // namespace sidelight
