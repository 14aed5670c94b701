// Connections whose other side is a script, on a clock that only waiting moves; and what a Lumberjack server
// sees of them.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/stream_client.h"
#include "tests/agent/send/support.h"

namespace sidelight::test {

// What happens is queued and told in the next run_once(); without anything queued, waiting passes the clock's
// time.
class ScriptedStreams final : public StreamClient {
 public:
  struct Connection {
    StreamTarget target;
    StreamEvents* events = nullptr;  // null once closed
    MonoTime opened{};
    std::string received;  // all that was sent to the other side
    std::size_t unacknowledged = 0;
    bool closed_by_us = false;
  };
  // What a new connection meets: nothing, or why it cannot be made.
  using Door = std::function<std::optional<StreamError>(const StreamTarget&)>;
  // Called with each finished send().
  using Server = std::function<void(Id)>;

  explicit ScriptedStreams(SteppedClock& clock) : clock_(clock) {}

  Id open(const StreamTarget& target, StreamEvents& events) override {
    const Id id = ++last_;
    Connection& c = connections[id];
    c.target = target;
    c.events = &events;
    c.opened = clock_.now();
    if (auto error = door ? door(target) : std::nullopt) {
      queue([this, id, e = *error] { end(id, e); });
    } else {
      queue([this, id] {
        if (StreamEvents* to = connections[id].events) to->on_open();
      });
    }
    return id;
  }
  void send(Id id, std::string_view bytes) override {
    connections[id].received += bytes;
    if (stuck) return;  // the other side reads nothing: nothing is handed over
    queue([this, id, n = bytes.size()] {
      if (StreamEvents* to = connections[id].events) to->on_sent(n, true);
      if (server && connections[id].events != nullptr) server(id);
    });
  }
  std::size_t unacknowledged(Id id) override { return connections[id].unacknowledged; }
  void close(Id id) override {
    if (connections[id].events != nullptr) connections[id].closed_by_us = true;
    connections[id].events = nullptr;
  }
  void run_once(std::chrono::milliseconds max_wait) override {
    if (queue_.empty()) {
      waits.push_back(max_wait);
      clock_.advance(std::max(max_wait, std::chrono::milliseconds(1)));
      return;
    }
    for (auto now = std::exchange(queue_, {}); const auto& happen : now) happen();
  }
  void wake() override {}

  // The script's doings, told in the next run_once().
  void say(Id id, std::string bytes) {
    queue([this, id, b = std::move(bytes)] {
      if (StreamEvents* to = connections[id].events) to->on_bytes(b);
    });
  }
  void acknowledge(Id id, std::uint32_t number) {
    std::string frame = "2A";
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(number >> shift & 0xffu);
    say(id, frame);
  }
  void cut(Id id) {
    queue([this, id] { end(id, {StreamError::Kind::closed, "the server closed the connection"}); });
  }
  std::size_t open_now() const {
    return static_cast<std::size_t>(std::count_if(connections.begin(), connections.end(),
                                                  [](const auto& c) { return c.second.events != nullptr; }));
  }

  Door door;
  Server server;
  bool stuck = false;
  std::map<Id, Connection> connections;
  std::vector<std::chrono::milliseconds> waits;

 private:
  void queue(std::function<void()> happen) { queue_.push_back(std::move(happen)); }
  void end(Id id, const StreamError& error) {
    if (StreamEvents* to = std::exchange(connections[id].events, nullptr)) to->on_closed(error);
  }

  SteppedClock& clock_;
  std::deque<std::function<void()>> queue_;
  Id last_ = 0;
};

inline std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t v = 0;
  for (const char c : bytes.substr(0, 4)) v = v << 8 | static_cast<unsigned char>(c);
  return v;
}

// The documents of each whole window in `bytes`, read as a server does; throws where a server would give up.
inline std::vector<std::vector<nlohmann::json>> read_windows(std::string_view bytes) {
  const auto take = [](std::string_view& from, std::size_t n) {
    if (from.size() < n) throw std::runtime_error("short frame");
    const auto part = from.substr(0, n);
    from.remove_prefix(n);
    return part;
  };
  std::vector<std::vector<nlohmann::json>> windows;
  while (!bytes.empty()) {
    if (take(bytes, 2) != "2W") throw std::runtime_error("no window");
    const std::uint32_t count = big_endian(take(bytes, 4));
    std::string unpacked;
    std::string_view frames = bytes;
    const bool packed = bytes.starts_with("2C");
    if (packed) {
      take(bytes, 2);
      const auto data = take(bytes, big_endian(take(bytes, 4)));
      uLongf size = 8u << 20;
      unpacked.resize(size);
      if (uncompress(reinterpret_cast<Bytef*>(unpacked.data()), &size,
                     reinterpret_cast<const Bytef*>(data.data()), data.size()) != Z_OK)
        throw std::runtime_error("bad zlib");
      unpacked.resize(size);
      frames = unpacked;
    }
    auto& window = windows.emplace_back();
    for (std::uint32_t i = 1; i <= count; ++i) {
      if (take(frames, 2) != "2J") throw std::runtime_error("no document");
      if (big_endian(take(frames, 4)) != i) throw std::runtime_error("wrong number");
      window.push_back(nlohmann::json::parse(take(frames, big_endian(take(frames, 4)))));
    }
    if (packed && !frames.empty()) throw std::runtime_error("more than the window");
    if (!packed) bytes = frames;
  }
  return windows;
}

}  // namespace sidelight::test
