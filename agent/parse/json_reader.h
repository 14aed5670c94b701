// Walks the tokens of one JSON line and checks all of its grammar on the way, so that values can be passed on
// as they stand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/parse/field_value.h"
#include "agent/parse/json_index.h"
#include "agent/parse/json_shape.h"
#include "agent/parse/json_token.h"

namespace sidelight {

// One thread; start() for each line. Methods that say bool return false when the line is no JSON, and then
// nothing of it must be used.
class JsonReader {
 public:
  // See JsonIndex::announce().
  void announce(std::string_view window) { index_.announce(window); }
  // `text` (with 64 readable bytes behind it) and `arena` must outlive the values read.
  JsonIndex::Outcome start(std::string_view text, Arena& arena);

  // The first byte of the next token; '\0' at the end of the line.
  char peek() const { return has(at_) ? bytes_[positions_[at_]] : '\0'; }
  bool at_end() const { return !has(at_); }
  void skip() { ++at_; }
  // Reads a key and its colon; the key is unescaped.
  bool key(std::string_view& out);
  // Whether the line, at whose first token the reader stands, is a flat object with just these keys and one
  // token a value. Moves nothing.
  bool has_shape(const JsonShape& shape) const;
  // Of a line that has a shape: the value of its next member, with its key. False: the line is no JSON.
  bool shaped_value(const ShapeMember& member, std::string_view& key, FieldValue& out) {
    const std::uint32_t* const token = positions_ + at_ + 1;
    const char* const bytes = bytes_.data();
    key = {bytes + token[0] + 1, member.key.length() - 2};
    at_ += 4;
    return scalar(without_blanks(bytes + token[2], bytes + token[3]), out);
  }
  // The key tokens of a line that was read to its end, if it is flat; else nothing. Valid until start().
  std::span<const std::string_view> flat_keys();
  // Reads any value. A container comes as one token: with duplicate keys resolved (the last one stays), keys
  // that Elasticsearch refuses renamed, numbers beyond its range as strings, on one line, and as text when it
  // is nested deeper than kDeepest.
  bool value(FieldValue& out);
  // After a member of an object: consumes ',' (more = true) or '}' (more = false).
  bool next_member(bool& more);

  // Deepest nesting passed on as JSON; Elasticsearch's flattened type refuses more than 20 levels, the outer
  // ones included.
  static constexpr std::size_t kDeepest = 16;

 private:
  struct Scan {
    std::size_t depth = 0;  // deepest nesting seen
    bool rewrite = false;
  };
  struct Frame {
    bool object;
    std::size_t first_key;  // in keys_
  };
  struct Member {
    std::string_view key;
    std::size_t value;  // token number
  };

  // `token` is at most one more than the number of all.
  bool has(std::size_t token) const { return positions_[token] < bytes_.size(); }
  std::size_t position(std::size_t token) const {
    return std::min<std::size_t>(positions_[token], bytes_.size());
  }
  std::string_view token_text(std::size_t token) const {
    return without_blanks(bytes_.data() + position(token), bytes_.data() + position(token + 1));
  }
  bool key(std::string_view& out, bool& verbatim);  // verbatim: as it stands it may be passed on
  static std::string_view without_blanks(const char* begin, const char* end);
  static bool string_body(std::string_view token, std::string_view& body);
  void find_backslash(const char* from);
  bool has_backslash(std::string_view body);
  EscapeCheck check_found_escapes(std::string_view body);
  bool scalar(std::string_view token, FieldValue& out);
  bool escaped_string(FieldValue& out);
  static bool word_or_number(std::string_view token, FieldValue& out);
  bool container(FieldValue& out);
  bool scan_container(Scan& scan);
  bool scan_element(Scan& scan);
  bool scan_key(Scan& scan);
  bool open(Scan& scan);
  bool close(Scan& scan);
  bool keys_repeat(std::size_t first);
  void skip_value();
  void rewrite_value(std::string& out);
  void rewrite_object(std::string& out);
  void rewrite_array(std::string& out);

  JsonIndex index_;
  std::string_view bytes_;  // to the end of the text, from where positions count
  Arena* arena_ = nullptr;
  const std::uint32_t* positions_ = nullptr;
  std::size_t first_ = 0;
  std::size_t at_ = 0;
  const char* looked_from_ = nullptr;
  const char* backslash_ = nullptr;  // the first one at or behind looked_from_, or block_end_
  const char* block_end_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> sorted_keys_;
};

// From a token's first byte to the next token, without the blanks between.
inline std::string_view JsonReader::without_blanks(const char* begin, const char* end) {
  const auto is_blank = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
  };
  while (end > begin && is_blank(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

inline bool JsonReader::string_body(std::string_view token, std::string_view& body) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  body = {token.data() + 1, token.size() - 2};
  return true;
}

inline bool JsonReader::next_member(bool& more) {
  const char c = peek();
  if (c != ',' && c != '}') return false;
  ++at_;
  more = c == ',';
  return true;
}

// Each byte of a line is looked at once, as long as texts are asked about in their order.
inline bool JsonReader::has_backslash(std::string_view body) {
  if (body.data() > backslash_ || body.data() < looked_from_) [[unlikely]]
    find_backslash(body.data());
  return backslash_ < body.data() + body.size();
}

// Most are strings without an escape.
[[gnu::always_inline]] inline bool JsonReader::scalar(std::string_view token, FieldValue& out) {
  std::string_view body;
  if (!string_body(token, body)) return word_or_number(token, out);
  out = {Shape::string, false, token};
  return !has_backslash(body) || escaped_string(out);
}

inline bool JsonReader::key(std::string_view& out) {
  bool verbatim = true;
  return key(out, verbatim);
}

}  // namespace sidelight
