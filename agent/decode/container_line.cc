#include "agent/decode/container_line.h"

#include <cstdint>
#include <cstring>

namespace sidelight {
namespace {

// A header longer than this is none.
constexpr std::size_t kLongestTime = 40;
constexpr std::size_t kLongestTags = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool looks_like_time(std::string_view s) {
  return s.size() >= 20 && s.size() <= kLongestTime && is_digit(s[0]) && is_digit(s[3]) && s[4] == '-' &&
         s[7] == '-' && s[10] == 'T' && s[13] == ':' && s[16] == ':';
}

// Up to the next space, which is taken away too; false when there is none.
bool take_word(std::string_view& s, std::string_view& word, std::size_t longest) {
  const std::size_t space = s.substr(0, longest + 1).find(' ');
  if (space == std::string_view::npos) return false;
  word = s.substr(0, space);
  s.remove_prefix(space + 1);
  return true;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char* put_code_point(char* out, std::uint32_t c) {
  const auto byte = [](std::uint32_t v) { return static_cast<char>(static_cast<unsigned char>(v)); };
  if (c < 0x80) {
    *out++ = byte(c);
    return out;
  }
  if (c < 0x800) {
    *out++ = byte(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      *out++ = byte(0xE0 | (c >> 12));
    } else {
      *out++ = byte(0xF0 | (c >> 18));
      *out++ = byte(0x80 | ((c >> 12) & 0x3F));
    }
    *out++ = byte(0x80 | ((c >> 6) & 0x3F));
  }
  *out++ = byte(0x80 | (c & 0x3F));
  return out;
}

// A reader of just as much JSON as the driver writes.
class JsonReader {
 public:
  explicit JsonReader(std::string_view s) : p_(s.data()), end_(s.data() + s.size()) {}

  bool take(char c) {
    skip_space();
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  bool at_end() {
    skip_space();
    return p_ == end_;
  }
  // A string's inside, escapes as they are.
  bool take_string(std::string_view& inside, bool& escaped) {
    if (!take('"')) return false;
    const char* const from = p_;
    escaped = false;
    for (; p_ != end_; ++p_) {
      if (*p_ == '"') {
        inside = {from, static_cast<std::size_t>(p_ - from)};
        ++p_;
        return true;
      }
      if (*p_ == '\\') {
        escaped = true;
        if (++p_ == end_) return false;
      }
    }
    return false;
  }
  // Any value, unseen: the driver's optional "attrs".
  bool skip_value() {
    std::size_t depth = 0;
    do {
      skip_space();
      if (p_ == end_) return false;
      if (*p_ == '"') {
        std::string_view inside;
        bool escaped = false;
        if (!take_string(inside, escaped)) return false;
      } else if (*p_ == '{' || *p_ == '[') {
        ++depth;
        ++p_;
      } else if (*p_ == '}' || *p_ == ']') {
        if (depth == 0) return false;
        --depth;
        ++p_;
      } else if (*p_ == ',' || *p_ == ':') {
        if (depth == 0) return false;
        ++p_;
      } else {
        const char* const from = p_;
        while (p_ != end_ && std::strchr(",:{}[]\" \t", *p_) == nullptr) ++p_;
        if (p_ == from) return false;
      }
    } while (depth > 0);
    return true;
  }

 private:
  void skip_space() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\t')) ++p_;
  }
  const char* p_;
  const char* end_;
};

bool read_hex4(const char* p, const char* end, std::uint32_t& v) {
  if (end - p < 4) return false;
  v = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(p[i]);
    if (digit < 0) return false;
    v = v << 4 | static_cast<std::uint32_t>(digit);
  }
  return true;
}

// One \u escape behind its 'u', with its second half where it is one of a pair; lone halves become U+FFFD.
bool put_unicode(const char*& p, const char* end, char*& out) {
  std::uint32_t c = 0;
  if (!read_hex4(p, end, c)) return false;
  p += 4;
  if (c >= 0xD800 && c < 0xE000) {
    std::uint32_t low = 0;
    const bool paired = c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
                        read_hex4(p + 2, end, low) && (low & 0xFC00) == 0xDC00;
    if (paired) p += 6;
    c = paired ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
  }
  out = put_code_point(out, c);
  return true;
}

std::optional<std::string_view> unescape(std::string_view s, Arena& arena) {
  char* const begin = arena.allocate(s.size());
  char* out = begin;
  const char* const end = s.data() + s.size();
  for (const char* p = s.data(); p != end;) {
    const auto* slash = static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
    if (slash == nullptr) slash = end;
    std::memcpy(out, p, static_cast<std::size_t>(slash - p));
    out += slash - p;
    if (slash == end) break;
    p = slash + 2;  // a string never ends in a lone backslash
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t letter = kLetters.find(slash[1]);
    if (letter != std::string_view::npos) {
      *out++ = kMeanings[letter];
    } else if (slash[1] != 'u' || !put_unicode(p, end, out)) {
      arena.shrink_last(begin, s.size(), 0);
      return std::nullopt;
    }
  }
  const auto used = static_cast<std::size_t>(out - begin);
  arena.shrink_last(begin, s.size(), used);
  return std::string_view(begin, used);
}

}  // namespace

std::optional<ContainerLine> parse_cri_line(std::string_view line) {
  ContainerLine out;
  std::string_view stream;
  if (!take_word(line, out.time, kLongestTime) || !looks_like_time(out.time) || !take_word(line, stream, 6))
    return std::nullopt;
  if (stream != "stdout" && stream != "stderr") return std::nullopt;
  out.is_stderr = stream == "stderr";
  std::string_view tags;
  if (!take_word(line, tags, kLongestTags)) {  // an empty message, with its space trimmed
    if (line.size() > kLongestTags) return std::nullopt;
    tags = line;
    line = {};
  }
  const std::string_view first = tags.substr(0, tags.find(':'));
  if (first != "F" && first != "P") return std::nullopt;
  out.partial = first == "P";
  out.text = line;
  return out;
}

std::optional<ContainerLine> parse_docker_line(std::string_view line, bool strict, Arena& arena) {
  if (strict && !line.starts_with("{\"log\":\"")) return std::nullopt;
  JsonReader json(line);
  if (!json.take('{')) return std::nullopt;
  std::string_view log;
  std::string_view stream;
  std::string_view time;
  bool log_escaped = false;
  bool has_log = false;
  do {
    std::string_view key;
    bool escaped = false;
    if (!json.take_string(key, escaped) || !json.take(':')) return std::nullopt;
    if (key == "log") {
      if (has_log || !json.take_string(log, log_escaped)) return std::nullopt;
      has_log = true;
    } else if (key == "stream") {
      if (!json.take_string(stream, escaped)) return std::nullopt;
    } else if (key == "time") {
      if (!json.take_string(time, escaped)) return std::nullopt;
    } else if (!json.skip_value()) {
      return std::nullopt;
    }
  } while (json.take(','));
  if (!json.take('}') || !json.at_end() || !has_log) return std::nullopt;
  if (strict && ((stream != "stdout" && stream != "stderr") || !looks_like_time(time))) return std::nullopt;
  ContainerLine out;
  out.is_stderr = stream == "stderr";
  out.time = time;
  out.text = log;
  if (log_escaped) {
    const auto text = unescape(log, arena);
    if (!text) return std::nullopt;
    out.text = *text;
  }
  out.partial = !out.text.ends_with('\n');
  if (!out.partial) out.text.remove_suffix(1);
  if (!out.partial && out.text.ends_with('\r')) out.text.remove_suffix(1);
  return out;
}

}  // namespace sidelight
