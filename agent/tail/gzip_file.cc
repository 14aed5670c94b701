#include "agent/tail/gzip_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace sidelight {
namespace {

// Inflates forward from the start of the archive.
class Inflater {
 public:
  explicit Inflater(const File& file) : file_(file), in_(32 * 1024) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { close(); }

  std::uint64_t position() const { return position_; }

  Expected<void> restart() {
    close();
    stream_ = z_stream{};
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) return fail("no memory to decompress", ENOMEM);
    open_ = true;
    read_from_ = 0;
    position_ = 0;
    ended_ = false;
    return {};
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

  void close() {
    if (open_) inflateEnd(&stream_);
    open_ = false;
  }

  const File& file_;
  std::vector<char> in_;
  z_stream stream_{};
  std::uint64_t read_from_ = 0;
  std::uint64_t position_ = 0;
  bool open_ = false;
  bool ended_ = false;
};

class GzipFile final : public File {
 public:
  GzipFile(std::unique_ptr<File> archive, FileStat stat)
      : archive_(std::move(archive)), stat_(stat), inflater_(*archive_) {}

  Expected<FileStat> stat() const override { return stat_; }

  Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
    if (offset < inflater_.position()) {
      if (auto r = inflater_.restart(); !r) return std::unexpected(r.error());
    }
    std::vector<char> skipped(std::min<std::uint64_t>(64 * 1024, offset - inflater_.position()));
    while (inflater_.position() < offset) {
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(skipped.size(), offset - inflater_.position()));
      auto got = inflater_.read(skipped.data(), want);
      if (!got) return got;
      if (*got < want) return std::size_t{0};
    }
    return inflater_.read(to, n);
  }

  Expected<void> write(std::string_view /*bytes*/) override { return fail("read only", EBADF); }
  Expected<void> truncate(std::uint64_t /*size*/) override { return fail("read only", EBADF); }
  Expected<void> sync() override { return {}; }

 private:
  std::unique_ptr<File> archive_;
  FileStat stat_;
  mutable Inflater inflater_;  // the position in the stream is a cache, not state that callers see
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
  st->size = **known;
  return std::make_unique<GzipFile>(std::move(*archive), *st);
}

}  // namespace sidelight
