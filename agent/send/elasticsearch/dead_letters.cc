#include "agent/send/elasticsearch/dead_letters.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "agent/base/hash.h"

namespace sidelight {
namespace {

constexpr std::size_t kFileBytes = 16u << 20;  // a file is closed beyond this
constexpr std::size_t kMostLine = 64u << 20;
constexpr std::size_t kBlock = 256 * 1024;
constexpr std::chrono::seconds kTendInterval{1};

struct Listed {
  std::uint64_t number;
  bool open;
  std::string path;
};

Expected<std::vector<Listed>> list_letters(FileSystem& fs, const std::string& dir) {
  auto entries = fs.list(dir);
  if (!entries) return std::unexpected(entries.error());
  std::vector<Listed> out;
  for (const auto& e : *entries) {
    if (const auto name = parse_dead_letter_name(e.name))
      out.push_back({name->number, name->open, dir + "/" + e.name});
  }
  std::sort(out.begin(), out.end(), [](const Listed& a, const Listed& b) { return a.number < b.number; });
  return out;
}

// Calls `line` for every terminated line. Lines longer than 64 MiB are passed over.
void for_each_line(FileSystem& fs, const std::string& path,
                   const std::function<void(std::string_view)>& line) {
  const auto file = fs.open(path, OpenMode::read);
  if (!file) return;
  std::string pending;
  std::string block(kBlock, '\0');
  for (std::uint64_t at = 0;;) {
    const auto n = (*file)->read_at(block.data(), block.size(), at);
    if (!n || *n == 0) return;
    at += *n;
    std::string_view rest(block.data(), *n);
    for (auto nl = rest.find('\n'); nl != std::string_view::npos; nl = rest.find('\n')) {
      pending.append(rest.substr(0, nl));
      line(pending);
      pending.clear();
      rest.remove_prefix(nl + 1);
    }
    if (pending.size() < kMostLine) pending.append(rest);
  }
}

}  // namespace

DeadLetters::DeadLetters(const DeadLetterOptions& options, FileSystem& fs, const Clock& clock, Logger& log,
                         SendProbe& probe, std::function<ReplayStarts()> starts)
    : options_(options), fs_(fs), clock_(clock), log_(log), probe_(probe), starts_(std::move(starts)) {}

DeadLetters::~DeadLetters() {
  close_file();
}

std::string DeadLetters::closed_path(std::uint64_t number) const {
  return options_.dir + "/" + dead_letter_name(number);
}
std::string DeadLetters::open_path() const {
  return closed_path(number_) + std::string(kOpenSuffix);
}

Expected<void> DeadLetters::write(const std::vector<const DeadLetter*>& letters) {
  if (auto opened = open_folder(); !opened) return opened;
  std::string lines;
  std::vector<std::uint64_t> replayed;
  for (const DeadLetter* l : letters) {
    if (l->may_exist) {
      if (!known_) learn_ids();
      const std::uint64_t id = hash64(l->id);
      if (known_->ids.contains(id)) continue;
      replayed.push_back(id);
    }
    write_dead_letter(*l, clock_.wall(), lines);
  }
  if (lines.empty()) return {};
  if (auto room = make_room(lines.size()); !room) return room;
  if (auto opened = open_file(); !opened) return opened;
  if (auto written = append(lines); !written) return written;
  if (known_) known_->ids.insert(replayed.begin(), replayed.end());
  if (file_size_ >= kFileBytes) close_file();
  return {};
}

// Also after a replay or a person took files away: nothing is remembered but the lock and the file being
// written.
Expected<void> DeadLetters::open_folder() {
  if (lock_) return {};
  if (auto made = fs_.make_dirs(options_.dir); !made) return made;
  auto lock = fs_.lock(options_.dir + "/" + std::string(kWriterLock));
  if (!lock)
    return fail("the folder " + options_.dir + " is in use: " + lock.error().message, lock.error().code);
  auto files = list_letters(fs_, options_.dir);
  if (!files) return std::unexpected(files.error());
  for (const Listed& f : *files) {
    number_ = std::max(number_, f.number);
    if (f.open) {  // left by a process that was killed; a torn last line in it is passed over by every reader
      if (auto closed = fs_.rename(f.path, closed_path(f.number)); !closed) return closed;
    }
  }
  lock_ = std::move(*lock);
  return {};
}

Expected<void> DeadLetters::open_file() {
  if (file_) return {};
  const std::uint64_t before = number_++;
  // Made for us alone to read, then opened for appending: after a torn write is cut off, writing goes on at
  // the end.
  auto file = fs_.open(open_path(), OpenMode::create_new);
  if (file) file = fs_.open(open_path(), OpenMode::append);
  if (!file) {
    auto error = fail("cannot make " + open_path() + ": " + file.error().message, file.error().code);
    number_ = before;
    return error;
  }
  if (auto synced = fs_.sync_dir(options_.dir); !synced) return synced;
  file_ = std::move(*file);
  file_size_ = 0;
  torn_ = false;
  return {};
}

Expected<void> DeadLetters::append(std::string_view lines) {
  if (torn_) {
    if (auto cut = file_->truncate(file_size_); !cut) {
      // The descriptor is of no more use; what is torn is passed over by readers.
      close_file();
      return fail("cannot cut a torn dead letter off: " + cut.error().message, cut.error().code);
    }
    torn_ = false;
  }
  auto written = file_->write(lines);
  if (written) written = file_->sync();
  if (!written) {
    torn_ = true;
    if (file_->truncate(file_size_)) torn_ = false;  // gives the space back at once, too
    return fail("cannot write " + open_path() + ": " + written.error().message, written.error().code);
  }
  file_size_ += lines.size();
  return {};
}

Expected<void> DeadLetters::make_room(std::size_t bytes) {
  for (;;) {
    const auto files = list_letters(fs_, options_.dir);
    if (!files) return std::unexpected(files.error());
    std::uint64_t total = bytes;
    for (const Listed& f : *files) {
      if (const auto stat = fs_.stat(f.path)) total += stat->size;
    }
    // A folder that could hold nothing at all would block for ever: one write is always let in.
    if (total <= options_.max_bytes || total == bytes) return {};
    if (options_.on_full == OnFull::pause) {
      return fail("the dead letters take " + std::to_string(total - bytes) + " of " +
                  std::to_string(options_.max_bytes) + " bytes (" + options_.dir +
                  "); replay or remove some");
    }
    if (auto dropped = drop_oldest(); !dropped) return dropped;
  }
}

Expected<void> DeadLetters::drop_oldest() {
  close_file();
  const auto files = list_letters(fs_, options_.dir);
  if (!files) return std::unexpected(files.error());
  if (files->empty()) return {};
  const std::string& path = files->front().path;
  std::uint64_t letters = 0;
  for_each_line(fs_, path, [&letters](std::string_view line) {
    if (!dead_letter_id(line).empty()) ++letters;
  });
  if (auto removed = fs_.remove(path); !removed) return removed;
  probe_.dead_letters_dropped(letters);
  log_.warn("send.dead_letters_dropped", "dropped the " + std::to_string(letters) + " oldest dead letters (" +
                                             path + "): the folder is full");
  return {};
}

void DeadLetters::close_file() {
  if (!file_) return;
  if (torn_) static_cast<void>(file_->truncate(file_size_));
  file_.reset();
  // A failure leaves the name that says "being written"; the next start renames it.
  if (file_size_ == 0) {
    static_cast<void>(fs_.remove(open_path()));
  } else if (const auto renamed = fs_.rename(open_path(), closed_path(number_)); !renamed) {
    log_.warn("send.dead_letters_close", "cannot rename " + open_path() + ": " + renamed.error().message);
  }
}

void DeadLetters::tend() {
  if (!file_) return;
  const MonoTime now = clock_.now();
  if (now - tended_ < kTendInterval) return;
  tended_ = now;
  const std::string request = options_.dir + "/" + std::string(kCloseRequest);
  if (!fs_.stat(request)) return;
  close_file();
  static_cast<void>(fs_.remove(request));
}

// All of the folder, which has a limit of its own: a letter may be as far behind as its file's oldest
// document that is not settled.
void DeadLetters::learn_ids() {
  known_.emplace();
  const auto files = list_letters(fs_, options_.dir);
  if (!files) return;
  const ReplayStarts starts = starts_();
  for (const Listed& f : *files) {
    for_each_line(fs_, f.path, [&](std::string_view line) {
      const auto id = dead_letter_id(line);
      if (starts.may_come_again(id)) known_->ids.insert(hash64(id));
    });
  }
}

}  // namespace sidelight
