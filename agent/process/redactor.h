// Replaces personal data in text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "agent/process/escaped_text.h"
#include "agent/process/options.h"
#include "agent/process/pii_scanner.h"

namespace sidelight {

// One thread: it holds scratch memory.
class Redactor {
 public:
  // Fails for a pattern that is no regular expression. `key` serves RedactAction::hash.
  static Expected<std::unique_ptr<Redactor>> make(const RedactOptions& options, std::string key);
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // True when something was found: then `out` is the text without it.
  bool redact(std::string_view text, std::string& out);
  // The same for a line as it was written, where JSON's escapes may hide what they stand for:
  // "a\u0040b.example" is found too. `cuts` are further ranges to hide, ascending and apart.
  bool redact_line(std::string_view line, const std::vector<PiiMatch>& cuts, std::string& out);
  // What stands for `value` as a whole.
  std::string replacement(std::string_view value, std::string_view name) const;

  // Whether a text's parts hold nothing when the text holds nothing. Patterns can be anchored to a part's
  // ends.
  bool finds_in_whole() const { return patterns_ == 0; }

 private:
  struct Patterns;
  Redactor(const RedactOptions& options, std::string key);
  void find(std::string_view text, std::vector<PiiMatch>& out);
  void find_patterns(std::string_view text, std::vector<PiiMatch>& out);
  void replace(std::string_view text, const std::vector<PiiMatch>& matches, std::string& out) const;
  bool line_once(std::string_view line, const std::vector<PiiMatch>& cuts, bool patterns, std::string& out);

  const RedactAction action_;
  const std::string key_;
  PiiScanner scanner_;
  std::size_t patterns_ = 0;
  std::unique_ptr<Patterns> compiled_;
  std::vector<PiiMatch> matches_;
  std::vector<PiiMatch> found_;
  std::vector<PiiMatch> all_;
  UnescapedLine unescaped_;
  std::string again_;
};

}  // namespace sidelight
