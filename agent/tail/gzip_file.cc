#include "agent/tail/gzip_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace sidelight {
namespace {

// Most steps back are as long as an unfinished line.
constexpr std::size_t kKept = 8 * 1024;

// Inflates forward from the start of the archive, keeps the last bytes that it gave, and can go back to one
// point, so that who reads on from a little before its last end does not inflate all of it again.
class Inflater {
 public:
  explicit Inflater(const File& file) : file_(file), in_(32 * 1024) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    close(stream_, open_);
    close(point_.stream, point_.set);
  }

  std::uint64_t position() const { return position_; }
  std::uint64_t first_kept() const { return position_ - kept_.size(); }

  Expected<void> restart() {
    close(stream_, open_);
    stream_ = z_stream{};
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) return fail("no memory to decompress", ENOMEM);
    open_ = true;
    read_from_ = 0;
    position_ = 0;
    ended_ = false;
    kept_.clear();
    return {};
  }

  // So that go_back() leads here. Without memory for it, it leads to the start.
  void remember_point() {
    if (!open_ || (point_.set && point_.position == position_)) return;
    close(point_.stream, point_.set);
    point_.set = inflateCopy(&point_.stream, &stream_) == Z_OK;
    point_.read_from = read_from_ - stream_.avail_in;
    point_.position = position_;
    point_.ended = ended_;
    point_.kept = kept_;
  }

  // To where `offset` is kept or still to come.
  Expected<void> go_back(std::uint64_t offset) {
    if (!point_.set || offset < point_.position - point_.kept.size()) return restart();
    close(stream_, open_);
    stream_ = z_stream{};
    if (inflateCopy(&stream_, &point_.stream) != Z_OK) return restart();
    open_ = true;
    stream_.avail_in = 0;  // what was in the buffer then is read again
    read_from_ = point_.read_from;
    position_ = point_.position;
    ended_ = point_.ended;
    kept_ = point_.kept;
    return {};
  }

  // Of the bytes from `offset` on, up to n that are kept.
  std::size_t copy_kept(char* to, std::size_t n, std::uint64_t offset) const {
    if (offset >= position_) return 0;
    return kept_.copy(to, n, static_cast<std::size_t>(offset - first_kept()));
  }

  // Fewer than n bytes only at the end of the stream.
  Expected<std::size_t> read(char* to, std::size_t n) {
    if (!open_) {
      if (auto r = restart(); !r) return std::unexpected(r.error());
    }
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(n);
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) {
        auto got = file_.read_at(in_.data(), in_.size(), read_from_);
        if (!got) return std::unexpected(got.error());
        if (*got == 0) return fail("the gzip stream ends too early");
        read_from_ += *got;
        stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
        stream_.avail_in = static_cast<uInt>(*got);
      }
      const int r = inflate(&stream_, Z_NO_FLUSH);
      if (r == Z_STREAM_END) {
        if (auto next = next_member(); !next) return std::unexpected(next.error());
      } else if (r != Z_OK) {
        return fail("the gzip stream is damaged");
      }
    }
    const std::size_t done = n - stream_.avail_out;
    position_ += done;
    const std::size_t last = std::min(done, kKept);
    if (kept_.size() + last > kKept) kept_.erase(0, kept_.size() + last - kKept);
    kept_.append(to + (done - last), last);
    return done;
  }

 private:
  // Another member may follow; anything else behind a member (padding) ends the stream.
  Expected<void> next_member() {
    if (stream_.avail_in == 0) {
      auto got = file_.read_at(in_.data(), in_.size(), read_from_);
      if (!got) return std::unexpected(got.error());
      read_from_ += *got;
      stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
      stream_.avail_in = static_cast<uInt>(*got);
    }
    if (stream_.avail_in == 0 || *stream_.next_in != 0x1f) {
      ended_ = true;
      return {};
    }
    if (inflateReset(&stream_) != Z_OK) return fail("the gzip stream is damaged");
    return {};
  }

  static void close(z_stream& stream, bool& open) {
    if (open) inflateEnd(&stream);
    open = false;
  }

  struct Point {
    z_stream stream{};
    bool set = false;
    std::uint64_t read_from = 0;
    std::uint64_t position = 0;
    bool ended = false;
    std::string kept;
  };

  const File& file_;
  std::vector<char> in_;
  z_stream stream_{};
  std::uint64_t read_from_ = 0;
  std::uint64_t position_ = 0;
  bool open_ = false;
  bool ended_ = false;
  std::string kept_;  // the last bytes before position_
  Point point_;
};

class GzipFile final : public File {
 public:
  GzipFile(std::unique_ptr<File> archive, std::uint64_t plain_size)
      : archive_(std::move(archive)), plain_size_(plain_size), inflater_(*archive_) {}

  Expected<FileStat> stat() const override {
    auto now = archive_->stat();
    if (now) now->size = plain_size_;
    return now;
  }

  Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
    if (offset < inflater_.first_kept()) {
      if (auto r = inflater_.go_back(offset); !r) return std::unexpected(r.error());
    }
    std::vector<char> skipped;
    while (inflater_.position() < offset) {
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(64 * 1024, offset - inflater_.position()));
      skipped.resize(std::max(skipped.size(), want));
      auto got = inflater_.read(skipped.data(), want);
      if (!got) return got;
      if (*got < want) return std::size_t{0};
    }
    inflater_.remember_point();
    const std::size_t kept = inflater_.copy_kept(to, n, offset);
    auto got = inflater_.read(to + kept, n - kept);
    if (got) *got += kept;
    return got;
  }

  Expected<void> write(std::string_view /*bytes*/) override { return fail("read only", EBADF); }
  Expected<void> truncate(std::uint64_t /*size*/) override { return fail("read only", EBADF); }
  Expected<void> sync() override { return {}; }

 private:
  std::unique_ptr<File> archive_;
  std::uint64_t plain_size_;
  mutable Inflater inflater_;  // where it is in the stream is a cache, not state that callers see
};

}  // namespace

const Expected<std::uint64_t>* ArchiveMemory::plain_size(const FileStat& archive) const {
  const auto it = entries_.find({archive.dev, archive.inode});
  if (it == entries_.end() || it->second.size != archive.size || it->second.mtime_ns != archive.mtime_ns)
    return nullptr;
  return &it->second.plain_size;
}

void ArchiveMemory::keep(const FileStat& archive, Expected<std::uint64_t> plain_size) {
  constexpr std::size_t kMost = 4096;
  if (entries_.size() >= kMost) entries_.clear();
  entries_.insert_or_assign(std::pair(archive.dev, archive.inode),
                            Entry{archive.size, archive.mtime_ns, std::move(plain_size)});
}

Expected<std::unique_ptr<File>> open_gzip(FileSystem& fs, const std::string& path, ArchiveMemory& memory,
                                          const Mark& head) {
  auto archive = fs.open(path, OpenMode::read);
  if (!archive) return std::unexpected(archive.error());
  auto st = (*archive)->stat();
  if (!st) return std::unexpected(st.error());
  const FileStat packed = *st;
  const auto failed = [&](const Error& e) {
    // What the operating system said may be otherwise the next time.
    if (e.code == 0) memory.keep(packed, std::unexpected(e));
    return fail(path + ": " + e.message, e.code);
  };
  const auto* known = memory.plain_size(packed);
  if (known != nullptr && !*known) return failed(known->error());
  if (known == nullptr || head.len > 0) {
    Inflater scan(**archive);
    std::vector<char> buffer(64 * 1024);
    auto n = scan.read(buffer.data(), std::min<std::size_t>(head.len, buffer.size()));
    if (!n) return failed(n.error());
    if (mark_of({buffer.data(), *n}) != head) return fail(path + " begins otherwise");
    while (known == nullptr) {
      n = scan.read(buffer.data(), buffer.size());
      if (!n) return failed(n.error());
      if (*n < buffer.size()) {
        memory.keep(packed, scan.position());
        known = memory.plain_size(packed);
      }
    }
  }
  return std::make_unique<GzipFile>(std::move(*archive), **known);
}

}  // namespace sidelight
