#include "agent/send/file/file_sink.h"

#include <algorithm>
#include <cerrno>

namespace sidelight {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

std::string rotated(const std::string& path, std::size_t n) {
  return path + "." + std::to_string(n);
}

// Where the last line ends: past the last newline at or before `size`.
Expected<std::uint64_t> end_of_lines(const File& file, std::uint64_t size) {
  std::string block(kBlock, '\0');
  for (std::uint64_t end = size; end > 0;) {
    const std::uint64_t begin = end > kBlock ? end - kBlock : 0;
    const auto n = file.read_at(block.data(), static_cast<std::size_t>(end - begin), begin);
    if (!n) return std::unexpected(n.error());
    const auto newline = std::string_view(block.data(), *n).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    end = begin;
  }
  return 0;
}

}  // namespace

std::vector<std::string> output_files(const FileOutputOptions& options, FileSystem& fs) {
  std::vector<std::string> out;
  if (fs.stat(options.path)) out.push_back(options.path);
  for (std::size_t n = 1; n <= options.keep; ++n) {
    if (fs.stat(rotated(options.path, n))) out.push_back(rotated(options.path, n));
  }
  return out;
}

Expected<void> FileSink::open() {
  if (file_ && is_still_there()) return {};
  file_.reset();
  const std::string dir = dir_name(options_.path);
  if (auto made = fs_.make_dirs(dir); !made) return made;
  if (const auto there = fs_.stat(options_.path); there && !there->is_regular())
    return fail(options_.path + " is no regular file; `output.stdout` writes to standard output");
  auto file = fs_.open(options_.path, OpenMode::append);
  if (!file) return fail("cannot open " + options_.path + ": " + file.error().message, file.error().code);
  file_ = std::move(*file);
  auto ready = cut_torn_tail();
  if (ready) ready = fs_.sync_dir(dir);
  if (!ready) file_.reset();
  return ready;
}

// Somebody else may have renamed, deleted or emptied it: what is written on then would be seen by nobody.
bool FileSink::is_still_there() const {
  const auto there = fs_.stat(options_.path);
  const auto ours = file_->stat();
  return there && ours && there->dev == ours->dev && there->inode == ours->inode && ours->size >= size_;
}

Expected<void> FileSink::cut_torn_tail() {
  const auto stat = file_->stat();
  if (!stat) return std::unexpected(stat.error());
  size_ = 0;
  if (stat->size > 0) {
    const auto reader = fs_.open(options_.path, OpenMode::read);
    if (!reader) return std::unexpected(reader.error());
    const auto end = end_of_lines(**reader, stat->size);
    if (!end) return std::unexpected(end.error());
    size_ = *end;
  }
  torn_ = false;
  return size_ == stat->size ? Expected<void>() : file_->truncate(size_);
}

std::uint64_t FileSink::room() const {
  if (size_ >= options_.max_bytes) return size_ == 0 ? 1 : 0;
  return options_.max_bytes - size_;
}

Expected<void> FileSink::write(std::string_view lines) {
  if (torn_) {
    if (auto cut = file_->truncate(size_); !cut) return cut;
    torn_ = false;
  }
  auto written = file_->write(lines);
  if (written) written = file_->sync();
  if (!written) {
    torn_ = !file_->truncate(size_).has_value();  // gives the space back to whoever else needs it
    return fail("cannot write " + options_.path + ": " + written.error().message, written.error().code);
  }
  size_ += lines.size();
  return {};
}

Expected<void> FileSink::rotate() {
  if (torn_) {
    if (auto cut = file_->truncate(size_); !cut) return cut;
    torn_ = false;
  }
  const auto move = [this](const std::string& from, const std::string& to) -> Expected<void> {
    if (!fs_.stat(from)) return {};
    return fs_.rename(from, to);
  };
  for (std::size_t n = options_.keep; n > 1; --n) {
    if (auto moved = move(rotated(options_.path, n - 1), rotated(options_.path, n)); !moved) return moved;
  }
  const auto gone =
      options_.keep == 0 ? fs_.remove(options_.path) : move(options_.path, rotated(options_.path, 1));
  if (!gone) return gone;
  file_.reset();
  size_ = 0;
  return fs_.sync_dir(dir_name(options_.path));
}

}  // namespace sidelight
