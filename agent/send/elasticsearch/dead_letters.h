// Documents that the destination will never take, kept for a person to look at and to send again. Format:
// docs/dead-letters.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/batch/replay_starts.h"
#include "agent/send/elasticsearch/dead_letter_format.h"
#include "agent/send/elasticsearch/options.h"
#include "agent/send/send_probe.h"

namespace sidelight {

// One thread. Nothing is touched on disk before the first letter.
class DeadLetters {
 public:
  // `starts` is asked once, at the first letter with may_exist.
  DeadLetters(const DeadLetterOptions& options, FileSystem& fs, const Clock& clock, Logger& log,
              SendProbe& probe, std::function<ReplayStarts()> starts);
  ~DeadLetters();  // closes the file that is being written

  // Appends all of them and makes them durable; after success each is safely there exactly once, after an
  // error none of them counts as written (and a torn part is cut off before the next attempt). A letter with
  // may_exist that is in the folder already is not written again.
  Expected<void> write(const std::vector<const DeadLetter*>& letters);
  // Answers a replay's wish for the file being written. Cheap; to be called about once a second.
  void tend();

 private:
  struct Known {
    std::unordered_set<std::uint64_t> ids;
  };
  Expected<void> open_folder();
  Expected<void> open_file();
  Expected<void> make_room(std::size_t bytes);
  Expected<void> drop_oldest();
  Expected<void> append(std::string_view lines);
  void close_file();
  void learn_ids();
  std::string open_path() const;
  std::string closed_path(std::uint64_t number) const;

  const DeadLetterOptions& options_;
  FileSystem& fs_;
  const Clock& clock_;
  Logger& log_;
  SendProbe& probe_;
  std::function<ReplayStarts()> starts_;
  std::unique_ptr<File> lock_;
  std::unique_ptr<File> file_;
  std::uint64_t number_ = 0;     // of the file being written
  std::uint64_t file_size_ = 0;  // of it, up to the last durable letter
  bool torn_ = false;            // bytes beyond file_size_ may be in it
  std::optional<Known> known_;   // ids already there that may come again; read when first needed
  MonoTime tended_{};
};

}  // namespace sidelight
