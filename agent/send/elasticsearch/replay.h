// Sends dead letters again, once whatever was wrong is mended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/base/log.h"
#include "agent/send/elasticsearch/options.h"

namespace sidelight {

struct ReplaySummary {
  std::uint64_t delivered = 0;      // and removed from the folder; those already there included
  std::uint64_t refused = 0;        // by the destination again: kept
  std::uint64_t unreadable = 0;     // torn or foreign lines: kept
  std::string first_unreadable;     // FILE:LINE
  std::uint64_t files = 0;          // looked at
  bool open_file_left_out = false;  // the running program did not let go of the file that it writes
  std::string last_refusal;         // what the destination said last, for the person at the terminal
};

struct ReplayProgress {
  std::string file;
  std::uint64_t done = 0;  // letters of all files so far
  std::uint64_t refused = 0;
};

// Replays options.dead_letters.dir in the order of its files, with the ids that the documents had, and takes
// each delivered one out of its file (rewritten atomically, removed when empty). Works beside a running
// program: it takes closed files only and asks the program to close the one it writes. A second replay at the
// same time fails. Before the first document it makes sure of the index template, as the program does; waits
// as long as the destination asks it to, and says so in `log`. Stops with an error when the destination
// cannot be reached or refuses whole requests; what was delivered by then is taken out all the same.
Expected<ReplaySummary> replay_dead_letters(FileSystem& fs, HttpClient& client, const Clock& clock,
                                            Logger& log, const ElasticsearchOptions& options,
                                            const std::function<void(const ReplayProgress&)>& progress);

}  // namespace sidelight
