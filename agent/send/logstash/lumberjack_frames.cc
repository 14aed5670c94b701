#include "agent/send/logstash/lumberjack_frames.h"

#include <libdeflate.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "agent/base/json_text.h"

namespace sidelight {
namespace {

constexpr char kVersion = '2';
constexpr std::size_t kKeptBytes = 8u << 20;

void put_u32(std::string& out, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift & 0xffu);
}

std::uint32_t read_u32(const char* p) {
  std::uint32_t v = 0;
  for (int i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(p[i]);
  return v;
}

// What speaks there, by the first bytes that are no acknowledgement.
std::string stranger(std::string_view head) {
  std::string shown;
  for (const char c : head) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (!shown.empty()) shown += ' ';
    shown += kHex[byte >> 4];
    shown += kHex[byte & 15];
  }
  const std::string what = "something answers, but not as a Logstash beats input does (" + shown + ")";
  if (head[0] == 0x15 || head[0] == 0x16) return what + "; it speaks TLS on this port: configure tls";
  if (head.starts_with('H'))
    return what + "; it seems to be HTTP: configure protocol: http, or the port of the beats input";
  if (head.starts_with('1')) return what + "; it speaks version 1 of the protocol, which is not supported";
  return what + "; compare the address and the port";
}

std::string quoted(const std::string& text) {
  std::string out(escaped_bound(text.size()), '\0');
  out.resize(escape_json(out.data(), text));
  return '"' + out + '"';
}

}  // namespace

Expected<std::optional<std::uint32_t>> AckReader::next(std::string_view& bytes) {
  const std::size_t n = std::min(frame_.size() - size_, bytes.size());
  std::memcpy(frame_.data() + size_, bytes.data(), n);
  bytes.remove_prefix(n);
  size_ += n;
  const bool good = (size_ < 1 || frame_[0] == kVersion) && (size_ < 2 || frame_[1] == 'A');
  if (!good) return fail(stranger(std::string_view(frame_.data(), size_)));
  if (size_ < frame_.size()) return std::nullopt;
  size_ = 0;
  return read_u32(frame_.data() + 2);
}

void WindowWriter::Free::operator()(libdeflate_compressor* c) const {
  libdeflate_free_compressor(c);
}

WindowWriter::WindowWriter(int level, const std::string& beat, const std::string& version)
    : level_(level),
      prefix_(R"({"@metadata":{"beat":)" + quoted(beat) + R"(,"type":"_doc","version":)" + quoted(version) +
              R"(,"_id":")") {}

WindowWriter::~WindowWriter() = default;

void WindowWriter::begin() {
  frames_.clear();
  count_ = 0;
}

void WindowWriter::add(std::string_view document, std::string_view id) {
  if (document.ends_with('\n')) document.remove_suffix(1);
  document.remove_prefix(1);  // its brace; ours is in the prefix
  constexpr std::string_view kBetween = "\"},";
  const std::size_t size = prefix_.size() + id.size() + kBetween.size() + document.size();
  frames_ += kVersion;
  frames_ += 'J';
  put_u32(frames_, ++count_);
  put_u32(frames_, static_cast<std::uint32_t>(size));
  frames_ += prefix_;
  frames_ += id;
  frames_ += kBetween;
  frames_ += document;
}

Expected<void> WindowWriter::finish(std::string& out) {
  out += kVersion;
  out += 'W';
  put_u32(out, count_);
  if (level_ == 0) {
    out += frames_;
    return {};
  }
  if (!compressor_) compressor_.reset(libdeflate_alloc_compressor(level_));
  if (!compressor_) return fail("no memory for the compressor");
  out += kVersion;
  out += 'C';
  const std::size_t head = out.size() + 4;
  const std::size_t bound = libdeflate_zlib_compress_bound(compressor_.get(), frames_.size());
  std::size_t packed = 0;
  out.resize_and_overwrite(head + bound, [&](char* data, std::size_t size) {
    packed =
        libdeflate_zlib_compress(compressor_.get(), frames_.data(), frames_.size(), data + head, size - head);
    for (int i = 0; i < 4; ++i)
      data[head - 4 + static_cast<std::size_t>(i)] = static_cast<char>(packed >> (24 - 8 * i) & 0xffu);
    return head + packed;
  });
  if (packed == 0)
    return fail("the compressor gave nothing for " + std::to_string(frames_.size()) + " bytes");
  if (frames_.capacity() > kKeptBytes) frames_ = std::string();
  return {};
}

void WindowWriter::trim() {
  frames_ = std::string();
  compressor_.reset();
}

}  // namespace sidelight
