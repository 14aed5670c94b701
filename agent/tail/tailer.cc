#include "agent/tail/tailer.h"

#include <sys/resource.h>

#include <algorithm>

#include "agent/tail/compression.h"
#include "agent/tail/rotated_names.h"

namespace sidelight {
namespace {

// Descriptors left to sockets, outputs and the checkpoint.
constexpr std::size_t kReservedDescriptors = 64;

std::size_t descriptors_allowed() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  // The soft limit of 1024 is for programs that use select(); we may have what the administrator allows.
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  const auto n = static_cast<std::size_t>(limit.rlim_cur);
  return n > 2 * kReservedDescriptors ? n - kReservedDescriptors : kReservedDescriptors;
}

}  // namespace

Tailer::Tailer(TailerContext context, std::vector<TailOptions> inputs, TailLimits limits, OwnFiles own)
    : ctx_(context),
      inputs_(std::move(inputs)),
      empty_inputs_(inputs_, ctx_.probe, ctx_.log),
      limits_(limits),
      listings_(ctx_.fs, ctx_.clock) {
  discovery_ = std::make_unique<Discovery>(ctx_.fs, ctx_.notifier, ctx_.log, inputs_, std::move(own));
  max_open_ = limits_.max_open_files > 0 ? limits_.max_open_files : descriptors_allowed();
}

Tailer::~Tailer() = default;

void Tailer::restore(const TailPast& past, OpenFiles open) {
  saved_at_ns_ = past.saved_at_ns;
  for (OpenFile& o : open) inherited_.emplace(InodeId{o.dev, o.inode}, std::move(o.file));
  take_up(past.files);
  inherited_.clear();
  past_ = &past;
  scan();
  past_ = nullptr;
  if (!past.first_start) adopt_unseen();
}

OpenFiles Tailer::take_open_files() {
  OpenFiles out;
  for (const auto& [pointer, file] : files_) {
    if (!file->file) continue;
    const auto is = file->file->stat();
    if (!is) continue;
    if (is->links > 0) {
      const auto named = ctx_.fs.open(file->real, OpenMode::read);
      const auto there = named ? (*named)->stat() : Expected<FileStat>(fail("gone"));
      if (there && there->dev == is->dev && there->inode == is->inode) continue;
    }
    out.push_back({is->dev, is->inode, std::move(file->file)});
  }
  return out;
}

void Tailer::update(std::chrono::milliseconds max_wait) {
  const MonoTime now = ctx_.clock.now();
  MonoTime until = now + max_wait;
  until = std::min(until, scan_due_ ? std::max(now, may_scan_) : next_scan_);
  if (!unnamed_.empty()) until = std::min(until, next_unnamed_poll_);
  if (!unheard_dirs_.empty()) until = std::min(until, next_unheard_look_);
  if (!ready_.empty()) until = now;
  // Rounded up: a wait that ends just before its moment would only be repeated.
  const auto wait =
      std::max(std::chrono::ceil<std::chrono::milliseconds>(until - now), std::chrono::milliseconds(0));
  bool overflowed = false;
  handle(ctx_.notifier.wait(std::min(wait, max_wait), overflowed));
  if (overflowed) scan_due_ = true;
  const MonoTime later = ctx_.clock.now();
  if (!unnamed_.empty() && later >= next_unnamed_poll_) poll_unnamed();
  if (!unheard_dirs_.empty() && later >= next_unheard_look_) look_at_unheard();
  // A scan asked for by notifications waits a multiple of what the last one cost, so that scanning never
  // dominates.
  if (later >= next_scan_ || (scan_due_ && later >= may_scan_)) scan();
}

void Tailer::rescan() {
  scan();
  poll_unnamed();
}

TailedFile* Tailer::next_ready(const std::set<std::uint32_t>& paused) {
  for (std::size_t tries = ready_.size(); tries > 0; --tries) {
    TailedFile* f = ready_.front();
    ready_.pop_front();
    const bool waits =
        paused.contains(f->input) ||
        (f->predecessor != nullptr && (f->predecessor->has_news() || f->predecessor->hold_successor));
    if (waits) {
      ready_.push_back(f);
      continue;
    }
    queued_.erase(f);
    if (f->has_news()) return f;
  }
  return nullptr;
}

bool Tailer::all_read() const {
  return std::none_of(files_.begin(), files_.end(),
                      [](const auto& entry) { return entry.second->has_news(); });
}

Tailer::ReadResult Tailer::read(TailedFile& file, char* to, std::size_t n) {
  ++looks_;
  if (!open(file)) return {};
  const auto context = static_cast<std::size_t>(std::min<std::uint64_t>(file.read_to, kTailBytes));
  auto got = file.file->read_at(to, context + n, file.read_to - context);
  if (!got) {
    ctx_.probe.read_error();
    ctx_.log.warn("tail.read", got.error().message);
    file.failed = true;
    file.examined = file.seen.size;  // until the next notification or scan
    return {};
  }
  const std::string_view all(to, *got);
  if (context == 0 && !file.whole) [[unlikely]] {
    // It was empty when it was found: a compressor is at work.
    if (const auto what = compression_of(all); !what.empty()) {
      leave_alone(file.real, what);
      drop(file);
      return {ReadOutcome::changed, 0, 0};
    }
  }
  const bool same_tail =
      *got >= context &&
      (file.tail.len > context || mark_of(all.substr(context - file.tail.len, file.tail.len)) == file.tail);
  const bool same_head = context > 0 || *got < file.head.len || n < file.head.len ||
                         mark_of(all.substr(0, file.head.len)) == file.head;
  // Fewer bytes than the file was known to have: it was cut off in the meantime, whatever the bytes look
  // like.
  const bool shrunk = *got < context + std::min<std::uint64_t>(n, file.unread());
  if (!same_tail || !same_head || shrunk || (context == 0 && *got < file.head.len)) {
    if (shrunk) {
      truncated(file);
    } else {
      truncated_and_refilled(file);
    }
    return {ReadOutcome::changed, 0, 0};
  }
  const std::size_t bytes = *got - context;
  if (file.read_to + bytes > file.seen.size) {
    file.seen.size = file.read_to + bytes;
    file.dirty = true;
  }
  if (file.head.len < kHeadBytes && file.seen.size > file.head.len) {
    if (auto head = read_head(*file.file)) file.head = *head;
    file.dirty = true;
  }
  file.sure_size = file.seen.size;
  return {bytes > 0 ? ReadOutcome::bytes : ReadOutcome::nothing, context, bytes};
}

void Tailer::advance(TailedFile& file, std::uint64_t offset, std::string_view before) {
  if (offset == file.read_to) {
    file.examined = file.seen.size;
    return;
  }
  file.read_to = offset;
  file.tail = mark_of(before.substr(before.size() - std::min<std::size_t>(before.size(), kTailBytes)));
  file.settled = false;
  if (file.has_news()) mark_ready(file);
}

TailedFile& Tailer::add(FilePtr owned, bool restored) {
  TailedFile& file = *owned;
  files_.emplace(&file, std::move(owned));
  if (file.file) ++open_files_;
  bind(file, file.seen);
  families_.add(file);
  if (by_head_) note_head(file);
  file.last_growth = ctx_.clock.now();
  if (file.place == Place::live) {
    make_live(file);
  } else if (file.file) {
    unnamed_.insert(&file);
  }
  ctx_.log.debug("tail.file " + file.path, file.real + (restored ? " is taken up" : " is new") + " at byte " +
                                               std::to_string(file.read_to) + " of " +
                                               std::to_string(file.seen.size) + ", generation " + file.key);
  ctx_.listener.on_new(file, restored);
  if (file.has_news()) mark_ready(file);
  return file;
}

void Tailer::drop(TailedFile& file) {
  ctx_.log.debug("tail.gone " + file.path, file.real + " is let go at byte " + std::to_string(file.read_to) +
                                               ", generation " + file.key);
  ctx_.listener.on_gone(file);
  remove(file);
}

void Tailer::remove(TailedFile& file) {
  close(file);
  unbind(file);
  leave_path(file);
  unnamed_.erase(&file);
  families_.remove(file);
  by_head_.reset();
  if (queued_.erase(&file) > 0) std::erase(ready_, &file);
  if (file.predecessor != nullptr) file.predecessor->successor = nullptr;
  if (file.successor != nullptr) file.successor->predecessor = nullptr;
  files_.erase(&file);
}

void Tailer::bind(TailedFile& file, const FileStat& st) {
  file.seen = st;
  file.dirty = true;
  inodes_[{st.dev, st.inode}] = &file;
}

void Tailer::unbind(TailedFile& file) {
  const auto it = inodes_.find({file.seen.dev, file.seen.inode});
  if (it != inodes_.end() && it->second == &file) inodes_.erase(it);
}

void Tailer::make_live(TailedFile& file) {
  file.place = Place::live;
  unnamed_.erase(&file);
  live_[file.path] = &file;
  reals_[file.real] = &file;
  const std::string dir = dir_name(file.real);
  discovery_->watch(dir);
  rotation_dirs_.insert(dir);
}

void Tailer::leave_path(TailedFile& file) {
  if (const auto it = live_.find(file.path); it != live_.end() && it->second == &file) live_.erase(it);
  if (const auto it = reals_.find(file.real); it != reals_.end() && it->second == &file) reals_.erase(it);
}

// Its bytes are found at another place now.
void Tailer::move_to(TailedFile& file, const std::string& real) {
  const bool elsewhere = dir_name(real) != dir_name(file.real) ||
                         family_name(base_name(real)) != family_name(base_name(file.real));
  if (elsewhere) families_.remove(file);
  const auto known = reals_.find(file.real);
  const bool notified = known != reals_.end() && known->second == &file;
  if (notified) reals_.erase(known);
  file.real = real;
  if (notified) reals_[real] = &file;
  if (elsewhere) families_.add(file);
}

TailedFile* Tailer::by_inode(const FileStat& st) {
  const auto it = inodes_.find({st.dev, st.inode});
  return it == inodes_.end() ? nullptr : it->second;
}

TailedFile* Tailer::live_at(const std::string& path) {
  const auto it = live_.find(path);
  return it == live_.end() ? nullptr : it->second;
}

void Tailer::mark_ready(TailedFile& file) {
  if (queued_.insert(&file).second) ready_.push_back(&file);
}

bool Tailer::open(TailedFile& file) {
  if (file.file) return true;
  make_room_for_descriptor();
  std::string at = file.real;
  auto st = ctx_.fs.stat(at);
  if (!st || st->inode != file.seen.inode) at = find_inode(dir_name(file.real), file.seen.inode);
  auto opened = at.empty() ? fail("gone") : open_any(at);
  if (opened) {
    auto same = bears_marks(**opened, file.head, file.read_to, file.tail);
    auto now = (*opened)->stat();
    if (same && *same && now && now->inode == file.seen.inode) {
      file.file = std::move(*opened);
      move_to(file, at);
      ++open_files_;
      return true;
    }
  }
  if (!opened && at.empty() && is_away(file)) {
    file.failed = true;
    scan_due_ = true;
  } else if (opened || at.empty()) {
    // Its name leads to other bytes now: see whether a copy has what we still need.
    const bool was_live = file.place == Place::live;
    leave_path(file);
    unbind(file);
    if (!adopt_copy(file))
      lose(file, was_live ? LossReason::truncated : LossReason::deleted, "was replaced while it was closed");
    scan_due_ = true;
  } else {
    file.failed = true;
  }
  file.examined = file.seen.size;
  return file.file != nullptr;
}

void Tailer::close(TailedFile& file) {
  if (!file.file) return;
  file.file.reset();
  --open_files_;
}

void Tailer::make_room_for_descriptor() {
  if (open_files_ < max_open_) return;
  ctx_.probe.descriptor_limit_hit();
  ctx_.log.warn("tail.descriptors",
                "more files than descriptors (" + std::to_string(max_open_) +
                    "): quiet ones are closed and opened again when they grow; raise RLIMIT_NOFILE");
  while (open_files_ >= max_open_) {
    // The quietest file that can be found again by its name; one that is fully read, if there is any.
    TailedFile* quietest = nullptr;
    for (auto& [pointer, f] : files_) {
      if (!f->file || f->place == Place::deleted) continue;
      if (quietest == nullptr ||
          std::pair(!f->at_end(), f->last_growth) < std::pair(!quietest->at_end(), quietest->last_growth))
        quietest = f.get();
    }
    if (quietest == nullptr) return;
    close(*quietest);
  }
}

void Tailer::report() {
  ctx_.probe.files_open(open_files_);
  ctx_.probe.files_tracked(files_.size());
  ctx_.probe.unreadable_files(unreadable_.size());
  ctx_.probe.ignored_files(ignored_);
  ctx_.probe.watch_mode(discovery_->must_poll());
}

}  // namespace sidelight
