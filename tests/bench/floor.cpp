// The floor of the way from a file to _bulk on one core: what a bare program needs, stage by stage, in MB of
// input per CPU-second of the working thread. It keeps no promise at all (no rotation, no checkpoint, no
// answers read); it is what the real program is measured against.
//   floor FILE MODE    read | body | send | gzip | json | json_gzip
//     read       split into lines                      send       + to a socket on the loopback
//     body       + bulk body with ids                  gzip       + gzip level 1 (libdeflate) before that
//     json       each line parsed, mapped and sent     json_gzip  the same with gzip
// Prints one JSON line. Reads with pread, so that a file in the page cache is measured, not the disk.
#include <fcntl.h>
#include <immintrin.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kBody = 4 * kBlock;
constexpr std::string_view kAction = "{\"create\":{\"_id\":\"AAAAAAAAAAAAAAAAAAAAAA-1000000-10000c8\"}}\n";
constexpr std::string_view kHead = "{\"@timestamp\":\"2026-11-22T19:57:17.123Z\",\"message\":\"";
constexpr std::string_view kTail =
    "\",\"service\":{\"name\":\"shop\"},\"log\":{\"file\":{\"path\":\"/var/log/app/shop.log\"}}}\n";

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

double thread_cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* escape_byte(char* out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    *out++ = '\\';
    *out++ = c;
  } else if (byte < 0x20) {
    out += std::snprintf(out, 7, "\\u%04x", byte);
  } else {
    *out++ = c;
  }
  return out;
}

// Escapes for JSON; `out` needs room for 6 bytes for each of `text` and 32 more.
__attribute__((target("avx2"))) char* escape_avx2(char* out, std::string_view text) {
  std::size_t i = 0;
  while (i + 32 <= text.size()) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + i));
    const __m256i quotes = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                                           _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
    const __m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
    const auto mask = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_or_si256(quotes, controls)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), v);
    const auto clean = static_cast<std::size_t>(mask == 0 ? 32 : __builtin_ctz(mask));
    out += clean;
    i += clean;
    if (mask != 0) out = escape_byte(out, text[i++]);
  }
  for (; i < text.size(); ++i) out = escape_byte(out, text[i]);
  return out;
}

char* escape_plain(char* out, std::string_view text) {
  for (const char c : text) out = escape_byte(out, c);
  return out;
}

// Somebody who reads and throws away, in a thread of its own.
class Sink {
 public:
  Sink() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, generic, size) != 0 || getsockname(listener, generic, &size) != 0 ||
        listen(listener, 1) != 0)
      fail("listen");
    thread_ = std::thread([listener] {
      const int peer = accept(listener, nullptr, nullptr);
      std::vector<char> buffer(kBlock);
      while (read(peer, buffer.data(), buffer.size()) > 0) {
      }
      close(peer);
      close(listener);
    });
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd_, generic, size) != 0) fail("connect");
  }
  ~Sink() {
    shutdown(fd_, SHUT_RDWR);
    close(fd_);
    thread_.join();
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void send(const char* data, std::size_t size) const {
    while (size > 0) {
      const ssize_t n = write(fd_, data, size);
      if (n <= 0) fail("write");
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }

 private:
  int fd_ = -1;
  std::thread thread_;
};

struct Mode {
  bool body = false, send = false, gzip = false, json = false;
};

Mode parse_mode(std::string_view name) {
  if (name == "read") return {};
  if (name == "body") return {.body = true};
  if (name == "send") return {.body = true, .send = true};
  if (name == "gzip") return {.body = true, .send = true, .gzip = true};
  if (name == "json") return {.body = true, .send = true, .json = true};
  if (name == "json_gzip") return {.body = true, .send = true, .gzip = true, .json = true};
  std::fprintf(stderr, "floor FILE read|body|send|gzip|json|json_gzip\n");
  std::exit(2);
}

class Floor {
 public:
  explicit Floor(Mode mode)
      : mode_(mode),
        out_(kBody + 8 * kBlock),
        packed_(kBody + 8 * kBlock),
        compressor_(libdeflate_alloc_compressor(1)),
        avx2_(__builtin_cpu_supports("avx2") != 0) {}
  ~Floor() { libdeflate_free_compressor(compressor_); }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  // `line` has simdjson's padding behind it.
  void line(std::string_view line) {
    ++lines_;
    if (!mode_.body) return;
    char* o = put(out_.data() + used_, kAction);
    o = mode_.json ? json_document(o, line) : raw_document(o, line);
    used_ = static_cast<std::size_t>(o - out_.data());
    if (used_ > kBody) flush();
  }

  void flush() {
    if (mode_.send && mode_.gzip) {
      const std::size_t n =
          libdeflate_gzip_compress(compressor_, out_.data(), used_, packed_.data(), packed_.size());
      sink_.send(packed_.data(), n);
    } else if (mode_.send) {
      sink_.send(out_.data(), used_);
    }
    used_ = 0;
  }

  std::size_t lines() const { return lines_; }

 private:
  char* raw_document(char* o, std::string_view line) const {
    o = put(o, kHead);
    o = avx2_ ? escape_avx2(o, line) : escape_plain(o, line);
    return put(o, kTail);
  }

  char* json_document(char* o, std::string_view line) {
    simdjson::dom::element document;
    // Its own copy is avoided: the block has the padding that the parser wants.
    if (parser_.parse(line.data(), line.size(), false).get(document) != simdjson::SUCCESS)
      fail("a line is not JSON");
    std::string_view value;
    if (document["timestamp"].get(value) == simdjson::SUCCESS)
      o = put(put(put(o, "{\"@timestamp\":\""), value), "\"");
    if (document["level"].get(value) == simdjson::SUCCESS)
      o = put(put(put(o, ",\"log.level\":\""), value), "\"");
    *o++ = ',';
    return put(put(o, line.substr(1)), "\n");
  }

  Mode mode_;
  std::vector<char> out_;
  std::vector<char> packed_;
  libdeflate_compressor* compressor_;
  bool avx2_;
  simdjson::dom::parser parser_;
  Sink sink_;
  std::size_t used_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) parse_mode("");
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) fail(argv[1]);
  Floor floor(parse_mode(argv[2]));
  std::vector<char> buffer(2 * kBlock + simdjson::SIMDJSON_PADDING);
  std::size_t carried = 0;
  std::size_t offset = 0;
  const double begin = thread_cpu_seconds();
  for (;;) {
    const ssize_t n = pread(fd, buffer.data() + carried, kBlock, static_cast<off_t>(offset));
    if (n <= 0) break;
    offset += static_cast<std::size_t>(n);
    const char* at = buffer.data();
    const char* end = at + carried + n;
    while (const auto* newline =
               static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) {
      floor.line({at, static_cast<std::size_t>(newline - at)});
      at = newline + 1;
    }
    carried = static_cast<std::size_t>(end - at);
    if (carried > kBlock) fail("a line is too long");
    std::memmove(buffer.data(), at, carried);
  }
  floor.flush();
  const double seconds = thread_cpu_seconds() - begin;
  std::printf(
      "{\"mode\":\"%s\",\"lines\":%zu,\"bytes\":%zu,\"cpu_seconds\":%.4f,\"mb_per_cpu_second\":%.1f}\n",
      argv[2], floor.lines(), offset, seconds, static_cast<double>(offset) / 1e6 / seconds);
  return 0;
}
