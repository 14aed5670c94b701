// What would become of lines, without files, state or destinations: for people who write a configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "config/settings.h"

namespace sidelight {

// What became of one event. Views live as long as the call.
struct TrialResult {
  std::uint64_t line = 0;            // of its first byte, from 1; 0: a summary of events that were dropped
  std::string_view text;             // the event as it was read; after redaction where that was
  std::string_view document;         // JSON without a newline; empty: it was dropped
  std::string_view complaint;        // why it did not parse; empty: it did
  std::vector<std::string> outputs;  // names; "output" where there is one without
  std::string dropped_by;            // "processor 2 (sample)"
  std::string why;                   // "by its rule", "sampled" ...
};

// Reads to the end of what `read` gives (up to n bytes a call into its buffer; 0: the end), as the log input
// at `input` would read a file. Key files and the like are read; nothing is written. Memory is bounded by the
// largest event.
Expected<void> run_trial(const Settings& settings, std::size_t input, FileSystem& fs, const Clock& clock,
                         const std::function<Expected<std::size_t>(char*, std::size_t)>& read,
                         const std::function<void(const TrialResult&)>& show);

}  // namespace sidelight
