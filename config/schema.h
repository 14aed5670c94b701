// What a configuration may hold. Each key is declared once, in schema_*.cc; parsing, bounds, defaults, the
// reference, the JSON Schema, the example and the reload rule are all derived from that declaration. Defaults
// are not written here at all: they are what a default-constructed option struct holds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sidelight {

enum class KeyType {
  text,
  boolean,
  integer,
  bytes,          // int64
  duration,       // int64 milliseconds
  number,         // double; min and max bound it in whole numbers
  choice,         // one of KeySpec::choices
  path,           // made absolute
  exclude,        // a glob; made absolute unless it is a file's name or begins with "**"
  url,            // http or https with a host, without credentials
  proxy_url,      // may carry credentials: never printed
  listen,         // host:port
  regex,          // RE2
  timezone,       // UTC, +03:00 or an IANA name
  secret,         // never printed
  secret_file,    // a path; the file must be readable when the configuration is loaded
  readable_file,  // the same without the warning about its mode
  texts,
  globs,  // made absolute
  excludes,
  urls,
  text_map,
  object,
  object_list,
};

using TextMap = std::vector<std::pair<std::string, std::string>>;
using KeyValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, TextMap>;

struct ObjectSchema;

struct KeySpec {
  std::string key;
  KeyType type = KeyType::text;
  std::string help;          // one or more sentences
  std::string example;       // YAML for the right-hand side, on one line; empty: the default serves
  std::string default_note;  // in place of the default where that is worked out at run time
  bool required = false;
  std::string required_with;  // a key beside it: required where that one is given
  std::string unless;         // required_with: but not when this key is there
  bool restart = false;       // a change takes effect at the next start only; otherwise at a reload
  bool in_example = false;    // written out in the example; else it stands there as a comment
  std::int64_t min = 0;       // integer, bytes, duration, number; for lists the least number of items
  std::int64_t max = INT64_MAX;
  std::vector<std::string> choices;
  std::function<std::string(const std::string&)>
      check;  // texts and their kin, each item: empty or what is wrong with it; of a map the keys
  std::function<std::string(const std::string& key, const std::string& value)>
      check_entry;  // text_map, where the key is good: the same of the value, which is not repeated
  std::shared_ptr<const ObjectSchema> object;  // object, object_list

  // `owner` is the struct that the schema's object describes.
  std::function<void(void* owner, KeyValue value)> set;
  std::function<KeyValue(const void* owner)> get;
  std::function<void*(void* owner)> enter;             // object: makes it if it is optional and absent
  std::function<void(void* owner)> leave_out;          // object that may be switched off: makes it absent
  std::function<const void*(const void* owner)> peek;  // object: null when absent
  std::function<void*(void* owner)> append;            // object_list: a new element with defaults
  std::function<std::vector<const void*>(const void* owner)> elements;  // object_list

  bool is_secret() const { return type == KeyType::secret || type == KeyType::proxy_url; }
};

struct KeyGroup {
  std::vector<std::string> keys;
  bool one_needed = false;  // exactly one, else at most one
};

struct ObjectSchema {
  std::string help;
  std::vector<KeySpec> fields;
  std::vector<KeyGroup> exclusive;
  std::vector<std::pair<std::string, std::string>> needs;  // first is of use only together with second
  std::string short_form;  // key that a plain value (or list, if the key is one) in place of the object
                           // stands for; empty: none
  std::function<std::shared_ptr<void>()> make;  // the struct with its defaults

  const KeySpec* find(const std::string& key) const;
};

// The whole configuration; its struct is Settings. Made once, immutable, thread-safe.
const ObjectSchema& settings_schema();

// "duration", "list of URLs": the type in words, as the reference and the messages say it.
std::string type_name(KeyType type);
// What a value of the field may look like, for "expected ..., for example ...".
std::string sample(const KeySpec& field);
// "between 1 and 64", "at least 64KiB"; empty when there is no bound.
std::string bounds_text(const KeySpec& field);
// A value in YAML, on one line; strings are quoted where YAML needs it.
std::string format_value(const KeySpec& field, const KeyValue& value);

}  // namespace sidelight
