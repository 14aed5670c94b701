#include <re2/re2.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"

namespace sidelight {
namespace {

// Group names cannot hold dots: "http__request__method" is http.request.method.
std::string field_name(const std::string& group) {
  std::string name;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const bool dot =
        group[i] == '_' && i + 1 < group.size() && group[i + 1] == '_' && i > 0 && i + 2 < group.size();
    name += dot ? '.' : group[i];
    if (dot) ++i;
  }
  return name;
}

class RegexLineParser final : public LineParser {
 public:
  explicit RegexLineParser(std::unique_ptr<re2::RE2> pattern) : pattern_(std::move(pattern)) {
    int last = 0;
    for (const auto& [index, name] : pattern_->CapturingGroupNames()) {
      std::string field = field_name(name);
      const KeyRole role = find_role(field);
      groups_.push_back({index, std::move(field), role});
      last = index;
    }
    matches_.resize(static_cast<std::size_t>(last) + 1);
  }

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    const re2::StringPiece line(text.data(), text.size());
    if (!pattern_->Match(line, 0, text.size(), re2::RE2::UNANCHORED, matches_.data(),
                         static_cast<int>(matches_.size()))) {
      return false;
    }
    builder_.begin(context, arena, out);
    out.message = text;
    for (const Group& g : groups_) {
      const re2::StringPiece& m = matches_[static_cast<std::size_t>(g.index)];
      if (m.data() == nullptr) continue;  // the group took no part
      builder_.put(arena.copy(g.field), {&g.role}, {Shape::text, false, {m.data(), m.size()}});
    }
    builder_.finish();
    return true;
  }

 private:
  struct Group {
    int index;
    std::string field;
    KeyRole role;
  };
  std::unique_ptr<re2::RE2> pattern_;
  std::vector<Group> groups_;
  std::vector<re2::StringPiece> matches_;
  RecordBuilder builder_;
};

}  // namespace

Expected<std::unique_ptr<LineParser>> make_regex_line_parser(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) return fail("the pattern is no regular expression (RE2): " + compiled->error());
  if (compiled->NamedCapturingGroups().empty()) {
    return fail(
        "the pattern has no named group; name what it should extract, as in (?P<time>...) (?P<level>...) "
        "(?P<message>...)");
  }
  return std::make_unique<RegexLineParser>(std::move(compiled));
}

}  // namespace sidelight
