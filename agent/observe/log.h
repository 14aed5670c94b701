// The program's own log: one line a message, text or JSON, to stderr or to a file.
#pragma once

#include <memory>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/observe/options.h"

namespace sidelight {

// Text: `2026-11-22T22:31:33.123Z WARN tail.unreadable: message`. JSON: an ECS document a line, the key as
// event.action. Messages stay on one line in valid UTF-8, at most 8 KiB of them, and passwords in URLs are
// blanked; the caller keeps other secrets out. A key may write 10 messages at once, then one every 10
// seconds; at most 1,000 keys are told apart, later ones share one allowance. A file is rotated at 10 MiB,
// keeping three old ones. If it cannot be opened the log goes to stderr and says why. An error while writing
// (disk full) loses the message, never stops the program. `clock` outlives the logger. Thread-safe.
std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock);

}  // namespace sidelight
