#include "agent/process/escaped_text.h"

#include <algorithm>
#include <unordered_set>

#include "agent/parse/json_token.h"

namespace sidelight {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of "\uXXXX" at `i`, or -1.
std::int32_t code_unit(std::string_view s, std::size_t i) {
  if (i + 6 > s.size() || s[i] != '\\' || s[i + 1] != 'u') return -1;
  std::int32_t v = 0;
  for (std::size_t k = 2; k < 6; ++k) {
    const int d = hex_digit(s[i + k]);
    if (d < 0) return -1;
    v = v * 16 + d;
  }
  return v;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Takes the escape at `i` (a backslash); returns its length, 0 when it is none.
std::size_t take_escape(std::string_view s, std::size_t i, std::string& out) {
  if (i + 1 >= s.size()) return 0;
  switch (s[i + 1]) {
    case 'n':
      out += '\n';
      return 2;
    case 't':
      out += '\t';
      return 2;
    case 'r':
      out += '\r';
      return 2;
    case 'b':
      out += '\b';
      return 2;
    case 'f':
      out += '\f';
      return 2;
    case '"':
    case '\\':
    case '/':
      out += s[i + 1];
      return 2;
    default:
      break;
  }
  const std::int32_t unit = code_unit(s, i);
  if (unit < 0) return 0;
  if (unit >= 0xD800 && unit < 0xDC00) {
    const std::int32_t low = code_unit(s, i + 6);
    if (low >= 0xDC00 && low < 0xE000) {
      append_utf8(out, 0x10000 + (static_cast<std::uint32_t>(unit - 0xD800) << 10) +
                           static_cast<std::uint32_t>(low - 0xDC00));
      return 12;
    }
  }
  append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFDu : static_cast<std::uint32_t>(unit));
  return 6;
}

// Walks a valid JSON value's tokens.
class Rewriter {
 public:
  Rewriter(std::string_view json, const ChangeText& change, Arena& arena, std::string& out)
      : json_(json), change_(change), arena_(arena), out_(out) {}

  bool run() {
    for (std::size_t i = 0; i < json_.size();) {
      const char c = json_[i];
      if (c == '"') {
        i = string(i);
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        i = number(i);
      } else {
        out_ += c;
        ++i;
      }
    }
    return changed_;
  }

 private:
  std::size_t string(std::size_t i) {
    std::size_t end = i + 1;
    while (end < json_.size() && json_[end] != '"') end += json_[end] == '\\' ? 2u : 1u;
    end = std::min(end + 1, json_.size());
    const std::string_view literal = json_.substr(i, end - i);
    if (!change_(json_characters(literal, arena_), text_)) {
      out_ += literal;
      return end;
    }
    changed_ = true;
    std::size_t next = end;
    while (next < json_.size() && static_cast<unsigned char>(json_[next]) <= ' ') ++next;
    if (next < json_.size() && json_[next] == ':') make_unique();
    append_json_string(out_, text_);
    return end;
  }

  std::size_t number(std::size_t i) {
    std::size_t end = i;
    while (end < json_.size() &&
           std::string_view("+-.eE0123456789").find(json_[end]) != std::string_view::npos)
      ++end;
    const std::string_view token = json_.substr(i, end - i);
    if (change_(token, text_)) {
      changed_ = true;
      append_json_string(out_, text_);
    } else {
      out_ += token;
    }
    return end;
  }

  // Of two keys that are hidden alike the second one gets a number, and so does one that looks like another.
  void make_unique() {
    const std::string bare = text_;
    for (std::size_t n = 2;; ++n) {
      std::string literal;
      append_json_string(literal, text_);
      if (json_.find(literal) == std::string_view::npos && keys_.insert(text_).second) return;
      text_ = bare + "#" + std::to_string(n);
    }
  }

  std::string_view json_;
  const ChangeText& change_;
  Arena& arena_;
  std::string& out_;
  std::string text_;
  std::unordered_set<std::string> keys_;
  bool changed_ = false;
};

}  // namespace

std::size_t UnescapedLine::from(std::size_t i) const {
  const auto behind = std::upper_bound(pieces.begin(), pieces.end(), i,
                                       [](std::size_t at, const Piece& p) { return at < p.text; });
  const Piece& p = *std::prev(behind);
  return p.line + (p.escape ? 0 : i - p.text);
}

void unescape_line(std::string_view line, UnescapedLine& out) {
  out.text.clear();
  out.text.reserve(line.size());
  out.pieces.clear();
  const auto note = [&](std::size_t i, bool escape) {
    out.pieces.push_back(
        {static_cast<std::uint32_t>(out.text.size()), static_cast<std::uint32_t>(i), escape});
  };
  note(0, false);
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t next = std::min(line.find('\\', i), line.size());
    out.text.append(line.substr(i, next - i));
    i = next;
    if (i == line.size()) break;
    note(i, true);
    const std::size_t taken = take_escape(line, i, out.text);
    if (taken == 0) out.text += line[i];
    i += std::max<std::size_t>(taken, 1);
    note(i, false);
  }
  note(line.size(), true);
}

std::string_view json_characters(std::string_view literal, Arena& arena) {
  if (literal.size() < 2) return {};
  const std::string_view body = literal.substr(1, literal.size() - 2);
  return body.find('\\') == std::string_view::npos ? body : unescape(body, arena);
}

bool rewrite_json(std::string_view json, const ChangeText& change, Arena& arena, std::string& out) {
  out.clear();
  return Rewriter(json, change, arena, out).run();
}

}  // namespace sidelight
