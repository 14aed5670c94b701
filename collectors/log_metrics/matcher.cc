#include "collectors/log_metrics/matcher.h"

#include <fnmatch.h>
#include <re2/re2.h>

namespace sidelight {

Expected<Matcher> Matcher::make(const std::string& field, const std::string& pattern) {
  Matcher m;
  auto ref = parse_field_ref(field);
  if (!ref)
    return fail("\"" + field +
                "\" names no field; write a name, or several with commas, and perhaps |class or |lower");
  m.field_ = std::move(*ref);
  m.text_ = pattern;
  if (pattern == "*") {
    m.kind_ = Kind::value;
  } else if (pattern == "?") {
    m.kind_ = Kind::present;
  } else if (pattern == "!") {
    m.kind_ = Kind::no_value;
  } else if (pattern == "!?") {
    m.kind_ = Kind::absent;
  } else if (pattern.size() >= 2 && pattern.front() == '/' && pattern.back() == '/') {
    m.kind_ = Kind::regex;
    RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_shared<RE2>(pattern.substr(1, pattern.size() - 2), options);
    if (!regex->ok()) return fail("not a regular expression of RE2: " + regex->error());
    m.regex_ = std::move(regex);
  } else if (pattern.find_first_of("*?[") != std::string::npos) {
    m.kind_ = Kind::glob;
  }
  return m;
}

bool Matcher::matches(EventView& event) const {
  if (kind_ == Kind::present || kind_ == Kind::absent) return event.has(field_) == (kind_ == Kind::present);
  std::string_view value = event.text(field_);
  std::string changed;
  if (field_.transform != FieldRef::Transform::none) {
    changed = apply(field_.transform, value);
    value = changed;
  }
  switch (kind_) {
    case Kind::value:
      return !value.empty();
    case Kind::no_value:
      return value.empty();
    case Kind::text:
      return value == text_;
    case Kind::regex:
      return RE2::FullMatch(value, *regex_);
    case Kind::glob:
      return fnmatch(text_.c_str(), std::string(value).c_str(), 0) == 0;
    case Kind::present:
    case Kind::absent:
      break;
  }
  return false;
}

}  // namespace sidelight
