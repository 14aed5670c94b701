#include "agent/parse/json_reader.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace sidelight {
namespace {

// More keys than this are compared by sorting.
constexpr std::size_t kFewKeys = 12;

}  // namespace

JsonIndex::Outcome JsonReader::start(std::string_view text, Arena& arena) {
  arena_ = &arena;
  const auto outcome = index_.index(text, at_);
  at_ = first_ = index_.first();
  bytes_ = {index_.base(), static_cast<std::size_t>(text.data() - index_.base()) + text.size()};
  if (outcome != JsonIndex::Outcome::fine) return outcome;
  positions_ = index_.positions();
  block_end_ = index_.block().data() + index_.block().size();
  // Lines of one block look for its backslashes together.
  if (!index_.is_known_block() || backslash_ < text.data() || looked_from_ > text.data())
    find_backslash(text.data());
  frames_.clear();
  keys_.clear();
  return outcome;
}

void JsonReader::find_backslash(const char* from) {
  const auto* found =
      static_cast<const char*>(std::memchr(from, '\\', static_cast<std::size_t>(block_end_ - from)));
  backslash_ = found != nullptr ? found : block_end_;
  looked_from_ = from;
}

// '{', then for each member: key ':' value and ',' or '}'.
bool JsonReader::has_shape(const JsonShape& shape) const {
  const auto members = shape.members();
  const std::size_t tokens = 1 + 4 * members.size();
  if (at_ + tokens > index_.count() || !has(at_ + tokens - 1) || has(at_ + tokens)) return false;
  const std::uint32_t* token = positions_ + at_;
  const char* const bytes = bytes_.data();
  const std::uint32_t last = token[tokens - 1];
  if (bytes[token[0]] != '{' || bytes[last] != '}') return false;
  for (const ShapeMember& m : members) {
    const std::uint32_t key = token[1];
    if (token[2] != key + m.key.length() || !m.key.is_at(bytes + key) ||
        (bytes[token[4]] != ',' && token[4] != last))
      return false;
    token += 4;
  }
  return true;
}

std::span<const std::string_view> JsonReader::flat_keys() {
  keys_.clear();
  if (at_ <= first_ || (at_ - first_) % 4 != 1) return {};
  for (std::size_t token = first_ + 1; token + 3 < at_; token += 4) {
    const char separator = bytes_[positions_[token + 3]];
    if (bytes_[positions_[token + 1]] != ':' || (separator != ',' && separator != '}')) return {};
    keys_.push_back(token_text(token));
  }
  return keys_;
}

// Of a body that has one; finds the next one behind it on the way.
EscapeCheck JsonReader::check_found_escapes(std::string_view body) {
  const char* const end = body.data() + body.size();
  bool lone = false;
  while (backslash_ < end) {
    const std::size_t n = escape_length({backslash_, static_cast<std::size_t>(end - backslash_)}, lone);
    if (n == 0) return EscapeCheck::broken;
    find_backslash(backslash_ + n);
  }
  return lone ? EscapeCheck::lone_surrogate : EscapeCheck::fine;
}

bool JsonReader::key(std::string_view& out, bool& verbatim) {
  if (!has(at_ + 1) || bytes_[positions_[at_ + 1]] != ':' || !string_body(token_text(at_), out)) return false;
  if (has_backslash(out)) [[unlikely]] {
    const EscapeCheck check = check_found_escapes(out);
    if (check == EscapeCheck::broken) return false;
    verbatim = check == EscapeCheck::fine;
    out = unescape(out, *arena_);
  }
  at_ += 2;
  return true;
}

bool JsonReader::value(FieldValue& out) {
  if (at_end()) return false;
  const char c = peek();
  if (c == '{' || c == '[') return container(out);
  return scalar(token_text(at_++), out);
}

// A string with a backslash.
bool JsonReader::escaped_string(FieldValue& out) {
  out.escaped = true;
  const std::string_view body(out.bytes.data() + 1, out.bytes.size() - 2);
  const EscapeCheck check = check_found_escapes(body);
  if (check == EscapeCheck::lone_surrogate) out = {Shape::text, false, unescape(body, *arena_)};
  return check != EscapeCheck::broken;
}

bool JsonReader::word_or_number(std::string_view token, FieldValue& out) {
  out.bytes = token;
  out.escaped = false;
  switch (token.empty() ? '\0' : token.front()) {
    case 't':
    case 'f':
      out.shape = Shape::boolean;
      return token == "true" || token == "false";
    case 'n':
      out.shape = Shape::null;
      return token == "null";
    default:
      break;
  }
  const NumberShape number = classify_number(token);
  out.shape = number == NumberShape::integer ? Shape::integer
              : number == NumberShape::real  ? Shape::real
                                             : Shape::text;
  return number != NumberShape::broken;
}

bool JsonReader::container(FieldValue& out) {
  const std::size_t first = at_;
  Scan scan;
  if (!scan_container(scan)) return false;
  const std::size_t begin = position(first);
  out = {Shape::container, false, bytes_.substr(begin, position(at_ - 1) + 1 - begin)};
  if (scan.depth > kDeepest) {
    out.shape = Shape::text;
  } else if (scan.rewrite || out.bytes.find('\n') != std::string_view::npos) {
    const std::size_t after = at_;
    at_ = first;
    std::string rewritten;
    rewrite_value(rewritten);
    at_ = after;
    out.bytes = arena_->copy(rewritten);
  }
  return true;
}

// Consumes one container, to its closing bracket.
bool JsonReader::scan_container(Scan& scan) {
  frames_.clear();
  keys_.clear();
  if (!open(scan)) return false;
  while (!frames_.empty()) {
    const char c = peek();
    const bool object = frames_.back().object;
    if (c == ',') {
      ++at_;
      if (object && !scan_key(scan)) return false;
      if (!scan_element(scan)) return false;
    } else if (c == (object ? '}' : ']')) {
      if (!close(scan)) return false;
    } else {
      return false;
    }
  }
  return true;
}

// Enters the container at the present token, and reads its first element if it has one.
bool JsonReader::open(Scan& scan) {
  while (true) {
    const bool object = peek() == '{';
    ++at_;
    frames_.push_back({object, keys_.size()});
    scan.depth = std::max(scan.depth, frames_.size());
    if (peek() == (object ? '}' : ']')) return true;
    if (object && !scan_key(scan)) return false;
    const char c = peek();
    if (c == '{' || c == '[') continue;
    return scan_element(scan);
  }
}

bool JsonReader::close(Scan& scan) {
  const Frame frame = frames_.back();
  frames_.pop_back();
  ++at_;
  if (frame.object) {
    scan.rewrite = scan.rewrite || keys_repeat(frame.first_key);
    keys_.resize(frame.first_key);
  }
  return true;
}

bool JsonReader::scan_key(Scan& scan) {
  std::string_view k;
  bool verbatim = true;
  if (!key(k, verbatim)) return false;
  scan.rewrite = scan.rewrite || !verbatim || !is_harmless_key(k);
  keys_.push_back(k);
  return true;
}

bool JsonReader::scan_element(Scan& scan) {
  const char c = peek();
  if (c == '{' || c == '[') return open(scan);
  if (at_end()) return false;
  FieldValue v;
  if (!scalar(token_text(at_++), v)) return false;
  // A scalar that came out as text is not what stands in the line.
  scan.rewrite = scan.rewrite || v.shape == Shape::text;
  return true;
}

bool JsonReader::keys_repeat(std::size_t first) {
  const std::size_t n = keys_.size() - first;
  const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
  if (n <= kFewKeys) {
    for (auto i = begin; i != keys_.end(); ++i) {
      if (std::find(i + 1, keys_.end(), *i) != keys_.end()) return true;
    }
    return false;
  }
  sorted_keys_.assign(begin, keys_.end());
  std::sort(sorted_keys_.begin(), sorted_keys_.end());
  return std::adjacent_find(sorted_keys_.begin(), sorted_keys_.end()) != sorted_keys_.end();
}

// The rewriting functions run over what scan_container() has accepted, at most kDeepest levels deep.
void JsonReader::rewrite_value(std::string& out) {
  const char c = peek();
  if (c == '{') return rewrite_object(out);
  if (c == '[') return rewrite_array(out);
  FieldValue v;
  scalar(token_text(at_++), v);
  if (v.shape == Shape::text) {
    append_json_string(out, v.bytes);
  } else {
    out += v.bytes;
  }
}

void JsonReader::skip_value() {
  Scan ignored;
  if (peek() == '{' || peek() == '[') {
    scan_container(ignored);
  } else {
    ++at_;
  }
}

void JsonReader::rewrite_object(std::string& out) {
  std::vector<Member> members;
  std::unordered_map<std::string_view, std::size_t> last;  // key -> member that stays
  ++at_;
  bool more = peek() != '}';
  if (!more) ++at_;
  while (more) {
    std::string_view k;
    key(k);
    k = harmless_key(k, *arena_);
    last[k] = members.size();
    members.push_back({k, at_});
    skip_value();
    next_member(more);
  }
  const std::size_t after = at_;
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (last[members[i].key] != i) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, members[i].key);
    out += ':';
    at_ = members[i].value;
    rewrite_value(out);
  }
  out += '}';
  at_ = after;
}

void JsonReader::rewrite_array(std::string& out) {
  ++at_;
  out += '[';
  bool first = true;
  while (peek() != ']') {
    if (!first) {
      out += ',';
      ++at_;
    }
    first = false;
    rewrite_value(out);
  }
  ++at_;
  out += ']';
}

}  // namespace sidelight
