// Keeps the set of files that are to be read: discovers them, follows them through rotation, truncation,
// replacement, deletion and restarts, and reads their bytes. It never gates reading on a file's size and
// never trusts an inode alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/file_notifier.h"
#include "agent/base/filesystem.h"
#include "agent/base/log.h"
#include "agent/tail/discovery.h"
#include "agent/tail/empty_inputs.h"
#include "agent/tail/family_index.h"
#include "agent/tail/gzip_file.h"
#include "agent/tail/listings.h"
#include "agent/tail/options.h"
#include "agent/tail/tail_probe.h"
#include "agent/tail/tailed_file.h"

namespace sidelight {

// Told of the set's changes, on the Tailer's thread, in the middle of its work: must not call back into the
// Tailer.
class TailListener {
 public:
  virtual ~TailListener() = default;
  // A generation joined the set; `restored` when it comes from the checkpoint.
  virtual void on_new(TailedFile& file, bool restored) = 0;
  // It leaves the set: finished and its file gone, or lost. The reference dies after the call.
  virtual void on_gone(TailedFile& file) = 0;
  // It leaves the set for absent(): all of it is settled, and its directory is away. As on_gone() otherwise.
  virtual void on_absent(TailedFile& file) = 0;
  // One in absent() turned out to be gone, or had to make room.
  virtual void on_absent_gone(const std::string& key) = 0;
};

struct TailerContext {
  FileSystem& fs;
  FileNotifier& notifier;
  const Clock& clock;
  Logger& log;
  TailProbe& probe;
  TailListener& listener;
};

// What an earlier run left, from the checkpoint.
struct TailPast {
  std::vector<SavedFile> files;
  std::int64_t saved_at_ns = 0;
  bool first_start = false;  // there was no earlier run
  // That its inputs had (Tailer::globs()); absent when it is not known.
  std::optional<std::set<std::string>> globs;
};

enum class ReadOutcome {
  bytes,    // some bytes behind read_to
  nothing,  // none at the moment
  changed,  // the file is not what it was (truncated, replaced): the set was brought up to date, ask for the
            // next file
};

// One thread. Everything in the context outlives it.
class Tailer {
 public:
  Tailer(TailerContext context, std::vector<TailOptions> inputs, TailLimits limits, OwnFiles own);
  ~Tailer();
  Tailer(const Tailer&) = delete;
  Tailer& operator=(const Tailer&) = delete;

  // First call. `start: end` applies to files that are present now, are not in `past`, and that a glob which
  // the past did not have leads to: where an earlier run watched, such a file was made after it.
  // `open` are those that a Tailer before this one gave (take_open_files()).
  void restore(const TailPast& past, OpenFiles open = {});
  // Last call: the descriptors that cannot be had again by a name.
  OpenFiles take_open_files();
  std::vector<std::string> globs() const { return discovery_->globs(); }
  // Of those, the ones that could not be looked for: no input matches them, or their directory (the volume
  // that it was on) is away; and those whose directory went away since. Should it appear, they are taken up
  // then.
  const std::vector<SavedFile>& absent() const { return absent_; }

  // Waits up to max_wait for notifications and brings the set up to date. rest: gather notifications for that
  // long instead.
  void update(std::chrono::milliseconds max_wait);
  void rest(std::chrono::milliseconds time) { ctx_.notifier.rest(time); }
  // Looks at everything now (shutdown, reload).
  void rescan();
  // The next file with news, in turn; null when there is none. Files of inputs in `paused` are passed over.
  TailedFile* next_ready(const std::set<std::uint32_t>& paused);

  // Reads up to n bytes from read_to on into `to`, preceded by up to kTailBytes bytes of context: to[0,
  // context) are the bytes before read_to and to[context, context + n) the news. `to` has room for kTailBytes
  // + n.
  struct ReadResult {
    ReadOutcome outcome = ReadOutcome::nothing;
    std::size_t context = 0;
    std::size_t bytes = 0;
  };
  ReadResult read(TailedFile& file, char* to, std::size_t n);

  // The pipeline took the bytes up to `offset`; `before` are the (up to kTailBytes) bytes before it.
  void advance(TailedFile& file, std::uint64_t offset, std::string_view before);

  // Offers the file again although it did not grow (an open tail is to be cut, or a wider window to be read).
  void retry(TailedFile& file) {
    file.examined = 0;
    if (file.has_news()) mark_ready(file);
  }

  // Some file waits to be read (its input may be paused).
  bool has_ready() const { return !ready_.empty(); }
  // Everything is read as far as it can be, files that wait for a predecessor included.
  bool all_read() const;

  // Goes on whenever a file was looked at: with the same number, no size, place or name has changed.
  std::uint64_t looks() const { return looks_; }
  // All files, live or not.
  template <class F>
  void for_each(F f) {
    for (auto& [pointer, file] : files_) f(*file);
  }
  std::size_t size() const { return files_.size(); }

 private:
  using FilePtr = std::unique_ptr<TailedFile>;
  using InodeId = std::pair<std::uint64_t, std::uint64_t>;
  struct InodeHash {
    std::size_t operator()(const InodeId& id) const {
      return std::hash<std::uint64_t>()(id.first * 31 + id.second);
    }
  };

  using FoundIndex = std::unordered_map<InodeId, std::string, InodeHash>;

  // tailer.cc: the set
  TailedFile& add(FilePtr file, bool restored);
  void drop(TailedFile& file);
  void remove(TailedFile& file);
  void bind(TailedFile& file, const FileStat& st);
  void unbind(TailedFile& file);
  void make_live(TailedFile& file);
  void leave_path(TailedFile& file);
  void move_to(TailedFile& file, const std::string& real);
  TailedFile* by_inode(const FileStat& st);
  TailedFile* owner_of(const FileStat& st, const std::string& at);
  bool is_still(TailedFile& file, const FileStat& st, const std::string& at);
  void lost_its_inode(TailedFile& file);
  TailedFile* live_at(const std::string& path);
  void mark_ready(TailedFile& file);
  bool open(TailedFile& file);
  void close(TailedFile& file);
  void make_room_for_descriptor();
  void report();

  // tailer_watch.cc: what goes on on disk
  void handle(const std::vector<FileChange>& changes);
  void scan();
  std::vector<TailedFile*> compare(std::vector<FoundFile>& found);
  static FoundIndex index_of(const std::vector<FoundFile>& found);
  std::string found_at(const FileStat& st);
  void follow(TailedFile& file, const std::string& path);
  void take_found(const FoundFile& found);
  void discover(const FoundFile& found);
  bool is_left_alone(const std::string& path, const File& opened);
  void leave_alone(const std::string& path, std::string_view compression);
  void start_at_end(const FoundFile& found, TailedFile& file, const File& opened);
  void look(TailedFile& file);
  void take_stat(TailedFile& file, const FileStat& st);
  static void take_links(TailedFile& file, const FileStat& st);
  bool was_replaced(TailedFile& file);
  void poll_unnamed();
  bool may_retire(const TailedFile& file) const;
  void forget_vanished();
  bool went_away(TailedFile& file);
  bool is_away(const TailedFile& file);
  void hold_to_disk_budget();
  void unreadable(const FoundFile& found, const Error& error);
  void note_unheard();
  void look_at_unheard();

  // rotation.cc, copies.cc, restoring.cc: which bytes on disk continue which generation
  void truncated(TailedFile& file);
  void truncated_and_refilled(TailedFile& file);
  void left_its_path(TailedFile& file);
  void count_rename(const TailedFile& file);
  bool adopt_copy(TailedFile& file);
  void adopt_successors(std::uint32_t input, const std::string& path, const std::string& real,
                        std::int64_t since_ns);
  static void link(TailedFile& first, TailedFile& second);
  TailedFile* last_before(const std::string& path, const std::vector<TailedFile*>& except);
  void put_in_order(const std::string& path, const std::vector<TailedFile*>& left);
  void order_restored();
  void adopt_missed(std::int64_t since_ns);
  void note_head(TailedFile& file);
  std::vector<TailedFile*> relatives_beside(const std::string& path);
  std::vector<TailedFile*> relatives_elsewhere(const std::string& path, const File& candidate,
                                               const FileStat& st);
  std::vector<std::string> found_elsewhere(const std::string& path, const std::string& real,
                                           const Mark& head);
  bool is_copy(const FoundFile& found, const File& candidate, const FileStat& st);
  bool is_copy_of_live(TailedFile& live, const File& candidate, const FileStat& st);
  void take_up(const std::vector<SavedFile>& saved);
  bool take_up_absent(const std::vector<FoundFile>& found);
  void adopt_unseen();
  bool is_elsewhere(const SavedFile& saved);
  void not_found(const SavedFile& saved);
  bool restore_by_inode(const SavedFile& saved);
  bool restore_by_content(const SavedFile& saved);
  bool restore_from(const SavedFile& saved, std::uint32_t input, const std::string& at, bool same_inode);
  bool restore_open(const SavedFile& saved, std::uint32_t input);
  bool restore_as(const SavedFile& saved, std::uint32_t input, const std::string& at, bool same_inode,
                  std::unique_ptr<File> opened);
  bool is_barred(const SavedFile& saved);
  std::string find_inode(const std::string& dir, std::uint64_t inode);
  std::vector<std::string> rotated_siblings(const std::string& real);
  static bool is_rotated_from(const std::string& path, const std::string& real, const std::string& name);
  Expected<std::unique_ptr<File>> open_any(const std::string& path, const Mark& head = {});
  void lose(TailedFile& file, LossReason reason, const std::string& how);

  TailerContext ctx_;
  std::vector<TailOptions> inputs_;
  EmptyInputs empty_inputs_;
  TailLimits limits_;
  std::unique_ptr<Discovery> discovery_;
  std::unordered_map<TailedFile*, FilePtr> files_;
  std::unordered_map<InodeId, TailedFile*, InodeHash> inodes_;
  FamilyIndex families_;
  Listings listings_;
  std::unordered_map<InodeId, std::unique_ptr<File>, InodeHash> inherited_;  // during restore()
  std::optional<FoundIndex> found_at_;  // of the scan in progress, without what is as it was; or of restore()
  // Made when they are needed; thrown away with the scan or restore() in progress.
  std::optional<std::unordered_multimap<std::uint64_t, std::pair<Mark, TailedFile*>>>
      by_head_;                                                                     // by its hash
  std::optional<std::unordered_multimap<std::uint64_t, std::string>> found_heads_;  // of unknown files
  MonoTime heads_until_{};
  std::unordered_map<std::string, TailedFile*> live_;   // by the user's path
  std::unordered_map<std::string, TailedFile*> reals_;  // live files by real path, for notifications
  std::deque<TailedFile*> ready_;
  std::set<TailedFile*> queued_;   // members of ready_
  std::set<TailedFile*> unnamed_;  // not live, not retired: polled
  std::set<std::string> copies_;   // paths that hold a copy of a live file's bytes: not read by themselves
  std::set<std::string> unreadable_;
  std::set<std::string> left_alone_;  // told about
  ArchiveMemory archives_;
  std::uint64_t ignored_ = 0;  // by the last scan, for max_files
  std::set<std::string> warned_twice_;
  std::vector<std::string> unheard_files_;            // live, in directories that give no notifications
  std::map<std::string, std::int64_t> unheard_dirs_;  // those, with the time of their last change
  MonoTime next_unheard_look_{};
  std::size_t open_files_ = 0;
  std::size_t max_open_ = 0;
  const TailPast* past_ = nullptr;  // during restore()'s scan
  bool scan_due_ = true;
  std::uint64_t scans_ = 0;
  std::uint64_t looks_ = 0;
  MonoTime next_scan_{};  // at the latest
  MonoTime may_scan_{};   // at the earliest, when notifications ask for it
  MonoTime next_unnamed_poll_{};
  std::int64_t known_until_ns_ = 0;  // what was written to unknown files before this is none of our business
  std::set<std::string> rotation_dirs_;  // where live files are or were
  std::vector<SavedFile> absent_;
  std::int64_t saved_at_ns_ = 0;  // when what restore() was given was written
};

}  // namespace sidelight
