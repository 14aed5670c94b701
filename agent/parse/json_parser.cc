#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/parse/json_reader.h"
#include "agent/parse/json_token.h"
#include "agent/parse/line_parser.h"
#include "agent/parse/record_builder.h"

namespace sidelight {
namespace {

constexpr KeyRole kNoRole;
constexpr KnownKey kLabel{&kNoRole, false};

// The shapes of the last lines, as long as that pays.
class ShapeMemory {
 public:
  bool may_help() {
    if (pause_ == 0) return true;
    if (--pause_ == 0) credit_ = kFirstCredit;
    return false;
  }
  const JsonShape* find(const JsonReader& reader) {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const JsonShape& shape = shapes_[order_[i]];
      if (shape.empty() || !reader.has_shape(shape)) continue;
      if (i > 0) std::swap(order_[i], order_[i - 1]);
      credit_ = std::min(credit_ + 1, kMostCredit);
      return &shape;
    }
    credit_ -= kMissCosts;
    if (credit_ < 0) pause_ = kPause;
    return nullptr;
  }
  // Of the line that was just read to its end.
  void learn(JsonReader& reader, RoleMemory& roles) {
    if (pause_ > 0) return;
    known_.clear();
    const auto tokens = reader.flat_keys();
    for (const std::string_view t : tokens)
      known_.push_back(roles.find(t.substr(1, t.size() - 2), known_.size()));
    if (tokens.empty()) return;
    const auto free =
        std::find_if(order_.begin(), order_.end() - 1, [&](auto n) { return shapes_[n].empty(); });
    shapes_[*free].learn(tokens, known_);
  }

 private:
  static constexpr int kFirstCredit = 64;
  static constexpr int kMostCredit = 256;
  static constexpr int kMissCosts = 4;
  static constexpr unsigned kPause = 2000;  // lines
  std::array<JsonShape, 4> shapes_;
  std::array<std::uint8_t, 4> order_{0, 1, 2, 3};  // what was met lately goes first
  std::vector<KnownKey> known_;
  int credit_ = kFirstCredit;
  unsigned pause_ = 0;
};

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
    if (shapes_.may_help()) {
      if (const JsonShape* shape = shapes_.find(reader_)) {
        builder_.begin(context, arena, out);
        return shaped_members(*shape);  // a value that is broken here is broken
      }
    }
    builder_.begin(context, arena, out);
    place_ = 0;
    if (!members({}, false) || !reader_.at_end()) return false;
    builder_.finish();
    shapes_.learn(reader_, roles_);
    return true;
  }

 private:
  bool shaped_members(const JsonShape& shape) {
    for (const ShapeMember& m : shape.members()) {
      std::string_view key;
      FieldValue value;
      if (!reader_.shaped_value(m, key, value)) return false;
      builder_.put(key, m.known, value);
    }
    return true;
  }

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
  ShapeMemory shapes_;
  std::size_t place_ = 0;  // of the next key in its line
  Arena* arena_ = nullptr;
};

}  // namespace

std::unique_ptr<LineParser> make_json_line_parser() {
  return std::make_unique<JsonLineParser>();
}

}  // namespace sidelight
