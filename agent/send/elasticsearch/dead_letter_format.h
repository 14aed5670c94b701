// One dead letter as a line of JSON, and back. Format: docs/dead-letters.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/error.h"

namespace sidelight {

// Views live as long as the batch that they point into.
struct DeadLetter {
  std::uint32_t doc = 0;    // index in its batch
  std::string id;           // KEY-BEGIN-END
  bool may_exist = false;   // a replay may have written it before
  std::string_view reason;  // mapping | parsing | too_large | other
  std::string error_type;
  std::string error_reason;
  std::string destination;  // data stream, index or its pattern
  std::string_view path;
  std::string_view key;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t input = 0;
  std::string_view action;    // the bulk action line, JSON without its newline
  std::string_view document;  // JSON without its newline
  std::string_view original;  // any bytes
};

// Appends the line, newline included. Valid JSON and UTF-8 whatever the letter holds.
void write_dead_letter(const DeadLetter& letter, WallNanos wall, std::string& out);

// What a replay needs of a line.
struct StoredLetter {
  std::string id;
  std::string action;    // JSON, one line, byte for byte as it was sent
  std::string document;  // the same
};
// `line` without its newline. Fails for a torn or foreign line.
Expected<StoredLetter> read_dead_letter(std::string_view line);
// The id alone, cheaply; empty for a torn or foreign line.
std::string_view dead_letter_id(std::string_view line);

// "dead-letters-0000000012.ndjson" -> 12, with ".open" behind it too.
struct DeadLetterName {
  std::uint64_t number = 0;
  bool open = false;
};
std::optional<DeadLetterName> parse_dead_letter_name(std::string_view name);
std::string dead_letter_name(std::uint64_t number);

// In the folder, beside the files:
inline constexpr std::string_view kOpenSuffix = ".open";            // of the file being written
inline constexpr std::string_view kWriterLock = "writer.lock";      // held by the program that writes
inline constexpr std::string_view kReplayLock = "replay.lock";      // held by a replay
inline constexpr std::string_view kCloseRequest = "close.request";  // a replay wants the open file

}  // namespace sidelight
