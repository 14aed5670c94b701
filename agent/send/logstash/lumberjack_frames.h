// Frames of Lumberjack, version 2, as Logstash's beats input speaks it: pure functions of bytes. A client
// sends a window
// ("2W" and the number of documents, big-endian), then as many documents ("2J", a number counted from 1
// within the window, the length, JSON), which may stand inside a compressed frame ("2C", the length, zlib).
// The server answers "2A" and the number up to which it has them: 0 while it is still at work, less than the
// window for a part of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.h"

struct libdeflate_compressor;

namespace sidelight {

// Reads acknowledgements from a stream cut anywhere. Holds at most one frame. One thread.
class AckReader {
 public:
  // Takes bytes off the front of `bytes` until one frame is complete and returns its number; nothing when
  // they do not suffice. An Error when they are no acknowledgement: what came instead, and what it may mean.
  // Then the stream cannot be read further.
  Expected<std::optional<std::uint32_t>> next(std::string_view& bytes);

 private:
  std::array<char, 6> frame_{};
  std::size_t size_ = 0;
};

// Makes the bytes of one window. One thread; keeps its buffers from window to window.
class WindowWriter {
 public:
  // `level` is that of zlib, 0 for no compression. `beat` and `version` become @metadata.beat and .version.
  WindowWriter(int level, const std::string& beat, const std::string& version);
  ~WindowWriter();
  WindowWriter(const WindowWriter&) = delete;
  WindowWriter& operator=(const WindowWriter&) = delete;

  void begin();
  // `document` is a JSON object that is not empty, with or without its newline.
  void add(std::string_view document, std::string_view id);
  std::uint32_t count() const { return count_; }
  // Ends the window; its bytes are appended to `out`.
  Expected<void> finish(std::string& out);
  // Frees what is kept for reuse.
  void trim();

 private:
  struct Free {
    void operator()(libdeflate_compressor* c) const;
  };
  int level_;
  std::string prefix_;  // of each document, up to the id
  std::string frames_;
  std::uint32_t count_ = 0;
  std::unique_ptr<libdeflate_compressor, Free> compressor_;  // made at first use
};

}  // namespace sidelight
