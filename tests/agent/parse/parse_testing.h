// Parses one line as the pipeline does, and lets tests ask for its parts.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "agent/base/rfc3339.h"
#include "agent/parse/parser.h"
#include "tests/fuzz/parse/check_record.h"

namespace sidelight {

inline constexpr std::int64_t kTestNow = 1'795'377'662'000'000'000;  // 2026-11-22T20:01:02Z

class ParsedLine {
 public:
  ParsedLine(const ParseOptions& options, std::string_view line) {
    auto parser = make_parser(options);
    EXPECT_TRUE(parser.has_value());
    event_.text = arena_.copy(line);
    (*parser)->parse(event_, kTestNow, arena_, record_);
    EXPECT_EQ(complaint_about(record_, event_), "") << line;
  }
  ParsedLine(Format format, std::string_view line) : ParsedLine(ParseOptions{.format = format}, line) {}

  const Record& record() const { return record_; }
  std::string level() const { return std::string(record_.level); }
  std::string message() const { return std::string(record_.message); }
  std::string error() const { return std::string(record_.parse_error); }
  // The time in RFC 3339, or "-".
  std::string time() const {
    char text[kRfc3339Max];
    return record_.timestamp_ns ? std::string(text, write_rfc3339(text, *record_.timestamp_ns)) : "-";
  }
  // Values as they would stand in the document: text in single quotes, JSON as it is; "-" for none.
  std::string ecs(std::string_view key) const { return find(record_.ecs, key); }
  std::string label(std::string_view key) const { return find(record_.labels, key); }

 private:
  static std::string find(const std::vector<Field>& fields, std::string_view key) {
    for (const Field& f : fields) {
      if (f.key == key)
        return f.kind == ValueKind::json ? std::string(f.value) : "'" + std::string(f.value) + "'";
    }
    return "-";
  }
  Arena arena_;
  Event event_;
  Record record_;
};

}  // namespace sidelight
