// The patterns of a rule's `when`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/base/error.h"
#include "collectors/log_metrics/event_view.h"

namespace re2 {
class RE2;
}

namespace sidelight {

// One condition on one field:
//   *        it has a value ("" and "-" are none)
//   ?        it is there, with a value or without
//   !        it has no value
//   !?       it is not there at all
//   /.../    a regular expression (RE2) that matches the whole value
//   others   a glob with * and ?, or the very text
class Matcher {
 public:
  static Expected<Matcher> make(const std::string& field, const std::string& pattern);
  bool matches(EventView& event) const;

 private:
  enum class Kind { value, present, no_value, absent, regex, glob, text };
  Kind kind_ = Kind::text;
  FieldRef field_;
  std::string text_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace sidelight
