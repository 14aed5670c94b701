// Appends lines to a file, rotated by size: PATH, PATH.1 (the newest rotated one), PATH.2 ...
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/filesystem.h"
#include "agent/send/file/options.h"
#include "agent/send/file/sink.h"

namespace sidelight {

// Opens at first use, and again when the path leads elsewhere or the file was emptied; a torn last line, as a
// crash leaves it, is then cut off.
class FileSink final : public Sink {
 public:
  FileSink(const FileOutputOptions& options, FileSystem& fs) : options_(options), fs_(fs) {}
  Expected<void> open() override;
  Expected<void> write(std::string_view lines) override;
  std::uint64_t room() const override;
  Expected<void> rotate() override;

 private:
  bool is_still_there() const;
  Expected<void> cut_torn_tail();

  const FileOutputOptions& options_;
  FileSystem& fs_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;  // durable, ends behind a newline
  bool torn_ = false;       // bytes behind size_ may be there
};

// PATH, PATH.1 ... as far as they exist, newest first.
std::vector<std::string> output_files(const FileOutputOptions& options, FileSystem& fs);

}  // namespace sidelight
