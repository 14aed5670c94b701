#include "agent/process/redactor.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace sidelight {
namespace {

constexpr std::size_t kHashBytes =
    8;  // of the HMAC that are shown: as good as unique among a shop's customers
constexpr int kMostRounds = 8;
constexpr std::size_t kRoomForMask = 16;
// In place of a text that does not come to rest.
constexpr std::string_view kGivenUp = "[redacted]";

std::vector<PiiKind> kinds_of(const RedactOptions& options) {
  std::vector<PiiKind> kinds;
  for (const std::string& name : options.kinds)
    if (const auto kind = pii_kind(name)) kinds.push_back(*kind);
  if (!kinds.empty() || !options.patterns.empty() || !options.fields.empty()) return kinds;
  using enum PiiKind;
  return {email, phone, card, iban, bearer, jwt};
}

re2::StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}

}  // namespace

struct Redactor::Patterns {
  explicit Patterns(const re2::RE2::Options& o) : which(o, re2::RE2::UNANCHORED) {}
  re2::RE2::Set which;  // one pass tells which of them occur at all
  std::vector<std::unique_ptr<re2::RE2>> each;
  std::vector<int> hits;
};

Redactor::Redactor(const RedactOptions& options, std::string key)
    : action_(options.action), key_(std::move(key)), scanner_(kinds_of(options)) {}
Redactor::~Redactor() = default;

Expected<std::unique_ptr<Redactor>> Redactor::make(const RedactOptions& options, std::string key) {
  std::unique_ptr<Redactor> r(new Redactor(options, std::move(key)));
  if (options.patterns.empty()) return r;
  re2::RE2::Options o;
  o.set_log_errors(false);
  o.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes: a line need not be UTF-8
  r->compiled_ = std::make_unique<Patterns>(o);
  for (const std::string& pattern : options.patterns) {
    auto compiled = std::make_unique<re2::RE2>(pattern, o);
    std::string why;
    if (!compiled->ok() || r->compiled_->which.Add(pattern, &why) < 0)
      return fail("redact: '" + pattern + "' is no regular expression (RE2): " + compiled->error());
    if (re2::RE2::FullMatch("", *compiled)) return fail("redact: '" + pattern + "' matches an empty text");
    r->compiled_->each.push_back(std::move(compiled));
  }
  if (!r->compiled_->which.Compile()) return fail("redact: the patterns are too large together");
  r->patterns_ = options.patterns.size();
  return r;
}

void Redactor::find(std::string_view text, std::vector<PiiMatch>& out) {
  out.clear();
  scanner_.find(text, out);
  if (patterns_ > 0) find_patterns(text, out);
}

void Redactor::find_patterns(std::string_view text, std::vector<PiiMatch>& out) {
  Patterns& p = *compiled_;
  p.hits.clear();
  re2::RE2::Set::ErrorInfo trouble;
  if (!p.which.Match(piece(text), &p.hits, &trouble)) {
    if (trouble.kind == re2::RE2::Set::kNoError) return;
    p.hits.clear();  // out of memory for its tables: all are asked
    for (std::size_t i = 0; i < p.each.size(); ++i) p.hits.push_back(static_cast<int>(i));
  }
  const std::size_t had = out.size();
  for (const int hit : p.hits) {
    re2::StringPiece found;
    const auto which = static_cast<std::size_t>(hit);
    for (std::size_t at = 0; at <= text.size();) {
      if (!p.each[which]->Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, &found, 1)) break;
      const auto begin = static_cast<std::size_t>(found.data() - text.data());
      const std::size_t end = begin + found.size();
      if (end > begin) out.push_back({begin, end, PiiKind::custom, static_cast<std::uint16_t>(which)});
      at = std::max(end, begin + 1);
    }
  }
  if (out.size() == had) return;
  std::vector<PiiMatch> all = std::move(out);
  // By where they begin; of those that begin together the one found first. (Not std::stable_sort: that of
  // libstdc++ 12 draws a warning from clang.)
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return all[a].begin != all[b].begin ? all[a].begin < all[b].begin : a < b;
  });
  out.clear();
  for (const std::size_t i : order) add_match(out, all[i]);
}

std::string Redactor::replacement(std::string_view value, std::string_view name) const {
  switch (action_) {
    case RedactAction::remove:
      return {};
    case RedactAction::mask:
      return "[" + std::string(name) + "]";
    case RedactAction::hash:
      break;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // Without separators, so that one number written in two ways is one.
  std::string plain;
  for (const char c : value)
    if (c != ' ' && c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(plain.data());
  std::string out = "[" + std::string(name) + ":";
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, plain.size(), digest.data(),
           &size) == nullptr)
    return out + "?]";
  static constexpr std::string_view kLetters =
      "abcdefghijklmnop";  // no digits: nothing that could look like a number
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    out += kLetters[digest.at(i) >> 4];
    out += kLetters[digest.at(i) & 15];
  }
  return out + "]";
}

void Redactor::replace(std::string_view text, const std::vector<PiiMatch>& matches, std::string& out) const {
  out.clear();
  out.reserve(text.size() + matches.size() * kRoomForMask);
  std::size_t at = 0;
  for (const PiiMatch& m : matches) {
    out += text.substr(at, m.begin - at);
    const std::string_view name = m.kind == PiiKind::custom ? "redacted" : pii_name(m.kind);
    if (action_ == RedactAction::mask) {
      out += '[';
      out += name;
      out += ']';
    } else {
      out += replacement(text.substr(m.begin, m.end - m.begin), name);
    }
    at = m.end;
  }
  out += text.substr(at);
}

bool Redactor::redact(std::string_view text, std::string& out) {
  find(text, matches_);
  if (matches_.empty()) return false;
  replace(text, matches_, out);
  // What stood beside a value may be one, now that this is gone. Patterns may fit masks: they are asked again
  // only where there are none.
  std::string& again = again_;
  for (int round = 0; round < kMostRounds; ++round) {
    matches_.clear();
    scanner_.find(out, matches_);
    if (patterns_ > 0 && action_ == RedactAction::remove) find_patterns(out, matches_);
    if (matches_.empty()) return true;
    replace(out, matches_, again);
    out.swap(again);
  }
  out.assign(kGivenUp);
  return true;
}

bool Redactor::line_once(std::string_view line, const std::vector<PiiMatch>& cuts, bool patterns,
                         std::string& out) {
  const auto look = [&](std::string_view text, std::vector<PiiMatch>& found) {
    found.clear();
    scanner_.find(text, found);
    if (patterns) find_patterns(text, found);
  };
  std::vector<PiiMatch>& all = all_;
  std::vector<PiiMatch>& found = found_;
  all = cuts;
  if (line.find('\\') != std::string_view::npos) {
    unescape_line(line, unescaped_);
    look(unescaped_.text, found);
    for (const PiiMatch& m : found)
      all.push_back({unescaped_.from(m.begin), unescaped_.from(m.end), m.kind, m.pattern});
  }
  look(line, found);  // as it is written, too: what looks like an escape may be none
  all.insert(all.end(), found.begin(), found.end());
  if (all.empty()) return false;
  std::sort(all.begin(), all.end(), [](const PiiMatch& a, const PiiMatch& b) { return a.begin < b.begin; });
  matches_.clear();
  for (const PiiMatch& m : all) {
    if (m.end > m.begin) add_match(matches_, m);
  }
  replace(line, matches_, out);
  return true;
}

// With escapes both forms are looked at: the letter of what only looks like an escape may be part of a value.
bool Redactor::redact_line(std::string_view line, const std::vector<PiiMatch>& cuts, std::string& out) {
  if (cuts.empty() && line.find('\\') == std::string_view::npos) return redact(line, out);
  if (!line_once(line, cuts, patterns_ > 0, out)) return false;
  std::string& again = again_;
  for (int round = 0; round < kMostRounds; ++round) {
    if (!line_once(out, {}, patterns_ > 0 && action_ == RedactAction::remove, again)) return true;
    out.swap(again);
  }
  out.assign(kGivenUp);
  return true;
}

}  // namespace sidelight
