#include <string>

#include "agent/parse/json_reader.h"
#include "agent/parse/json_token.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"

namespace sidelight {
namespace {

constexpr KeyRole kNoRole;
constexpr KnownKey kLabel{&kNoRole, false};
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class JsonLineParser final : public LineParser {
 public:
  void announce(std::string_view window) override { reader_.announce(window); }

  bool parse_line(std::string_view text, const TimeContext& context, Arena& arena, Record& out) override {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    arena_ = &arena;
    auto outcome = reader_.start(text, arena);
    if (outcome == JsonIndex::Outcome::bad_bytes) {
      outcome = reader_.start(arena.copy(repair_json(text)), arena);
    }
    if (outcome != JsonIndex::Outcome::fine || reader_.peek() != '{') return false;
    builder_.begin(context, arena, out);
    place_ = 0;
    if (!members({}, false) || !reader_.at_end()) return false;
    builder_.finish();
    return true;
  }

 private:
  // Reads an object, whose members are known as "prefix.member". Only known parents are entered, so the depth
  // is bounded by them.
  bool members(std::string_view prefix, bool all_labels) {
    reader_.skip();
    if (reader_.peek() == '}') {
      reader_.skip();
      return true;
    }
    for (bool more = true; more;) {
      if (!member(prefix, all_labels) || !reader_.next_member(more)) return false;
    }
    return true;
  }

  bool member(std::string_view prefix, bool all_labels) {
    std::string_view key;
    if (!reader_.key(key)) return false;
    if (!prefix.empty()) key = join(prefix, key);
    const KnownKey known = all_labels ? kLabel : roles_.find(key, place_++);
    if (reader_.peek() == '{') {
      if (known.role->parent) return members(known.role->as, false);
      if (known.role->role == Role::labels) return members({}, true);
    }
    FieldValue value;
    if (!reader_.value(value)) return false;
    builder_.put(key, known, value);
    return true;
  }

  std::string_view join(std::string_view prefix, std::string_view key) {
    char* to = arena_->allocate(prefix.size() + 1 + key.size());
    prefix.copy(to, prefix.size());
    to[prefix.size()] = '.';
    key.copy(to + prefix.size() + 1, key.size());
    return {to, prefix.size() + 1 + key.size()};
  }

  JsonReader reader_;
  RecordBuilder builder_;
  RoleMemory roles_;
  std::size_t place_ = 0;  // of the next key in its line
  Arena* arena_ = nullptr;
};

}  // namespace

std::unique_ptr<LineParser> make_json_line_parser() {
  return std::make_unique<JsonLineParser>();
}

}  // namespace sidelight
