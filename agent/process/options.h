// Settings of processors and of the conditions that choose events.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidelight {

// One field of the event. With nothing but the name: the event has it.
struct FieldTest {
  std::string name;
  std::string equals;
  std::string glob;   // of the whole value: * and ?
  std::string regex;  // RE2, found anywhere in the value
};

// All that is given must hold; of each list one item.
struct SimpleCondition {
  std::vector<std::string> services;  // globs
  std::vector<std::string> levels;    // normalised names, or "none"
  std::vector<FieldTest> fields;      // all of them
  bool empty() const { return services.empty() && levels.empty() && fields.empty(); }
};

struct ConditionOptions {
  SimpleCondition must;
  std::vector<SimpleCondition> any;   // one of them, when there are any
  std::vector<SimpleCondition> none;  // none of them
  bool empty() const { return must.empty() && any.empty() && none.empty(); }
};

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct AddOptions {
  NamedTexts fields;
  bool overwrite = true;
};

struct RemoveOptions {
  std::vector<std::string> fields;  // * and ? are wildcards
};

struct MoveOptions {  // rename and copy
  std::string from;
  std::string to;
};

enum class FieldFormat { json, logfmt, key_value, regex };

struct ParseFieldOptions {
  std::string field = "message";
  FieldFormat format = FieldFormat::json;
  std::string pattern;                // regex: named groups
  std::string pair_separator = " ";   // key_value: between pairs
  std::string value_separator = "=";  // key_value: between key and value
  std::string prefix;                 // put before each name: then all of them are labels
  bool remove = false;                // the field itself, where it parsed
};

struct DropOptions {};

struct SampleOptions {
  double keep = 1.0;
  NamedTexts levels;  // level -> share
};

struct RateLimitOptions {
  std::int64_t events = 0;
  std::chrono::milliseconds per{1000};
  std::vector<std::string> by;
};

struct DedupeOptions {
  std::chrono::milliseconds within{10000};
  std::vector<std::string> fields = {"level", "message"};
};

struct TruncateOptions {
  std::string field = "message";
  std::size_t bytes = 0;
};

enum class RedactAction { mask, hash, remove };

struct RedactOptions {
  std::vector<std::string> kinds;     // names of pii_scanner.h; empty together with patterns and fields: all
  std::vector<std::string> patterns;  // RE2
  std::vector<std::string> fields;    // whose whole value goes; * and ? are wildcards
  RedactAction action = RedactAction::mask;
  std::string key;       // of the HMAC
  std::string key_file;  // its file
};

struct MetadataOptions {
  std::string labels_file;                // of a downward API volume: key="value" lines
  std::string annotations_file;           // the same
  std::vector<std::string> only = {"*"};  // globs of keys to take
  NamedTexts environment;                 // field -> variable
  NamedTexts values;  // field -> the variable's value, found when the configuration was loaded
};

// Exactly one of the optional parts is set.
struct ProcessorOptions {
  ConditionOptions when;
  std::optional<AddOptions> add;
  std::optional<RemoveOptions> remove;
  std::optional<MoveOptions> rename;
  std::optional<MoveOptions> copy;
  std::optional<ParseFieldOptions> parse;
  std::optional<DropOptions> drop;
  std::optional<SampleOptions> sample;
  std::optional<RateLimitOptions> rate_limit;
  std::optional<DedupeOptions> dedupe;
  std::optional<TruncateOptions> truncate;
  std::optional<RedactOptions> redact;
  std::optional<MetadataOptions> metadata;
};

}  // namespace sidelight
