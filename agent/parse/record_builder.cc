#include "agent/parse/record_builder.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

#include "agent/base/rfc3339.h"
#include "agent/parse/json_token.h"
#include "agent/parse/level.h"

namespace sidelight {
namespace {

constexpr std::string_view kMongodbSeverity = "s";

bool is_ip(std::string_view s) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (s.size() < 2 || s.size() >= text.size() || s.contains('\0')) return false;
  std::memcpy(text.data(), s.data(), s.size());
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, text.data(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.data(), address.data()) == 1;
}

// The integer behind `"name":` in a flat object.
std::optional<std::int64_t> member(std::string_view object, std::string_view name) {
  std::size_t at = object.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  at = object.find_first_not_of(": \t", at + name.size());
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t v = 0;
  const char* const end = object.data() + object.size();
  const auto r = std::from_chars(object.data() + at, end, v);
  // A number with a fraction or an exponent is none.
  if (r.ec != std::errc() || r.ptr == end || !std::string_view(",} \t\r\n").contains(*r.ptr) || v < 0)
    return std::nullopt;
  return v;
}

// {"epochSecond":1795377662,"nanoOfSecond":123000000} of log4j2, {"seconds":...,"nanos":...} of protobuf.
std::optional<std::int64_t> instant_to_ns(std::string_view object) {
  constexpr std::int64_t kNanos = 1'000'000'000;
  constexpr std::int64_t kFirst = 100'000'000;   // what is less is a duration
  constexpr std::int64_t kLast = 9'214'646'400;  // 2262-01-01
  if (object.substr(1).find_first_of("{[") != std::string_view::npos) return std::nullopt;
  auto seconds = member(object, "\"epochSecond\"");
  auto nanos = member(object, "\"nanoOfSecond\"");
  if (!seconds) {
    seconds = member(object, "\"seconds\"");
    nanos = member(object, "\"nanos\"");
  }
  if (!seconds || *seconds < kFirst || *seconds >= kLast || nanos.value_or(0) >= kNanos) return std::nullopt;
  return *seconds * kNanos + nanos.value_or(0);
}

// "11/28/2026 10:00 PM", not "12.5ms": keys that name a time are also used for durations.
bool looks_like_a_time(std::string_view s) {
  const auto separators =
      std::count_if(s.begin(), s.end(), [](char c) { return std::string_view("/-:.").contains(c); });
  const auto digits = std::count_if(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  return s.size() <= 64 && separators >= 2 && digits >= 6;
}

}  // namespace

void RecordBuilder::begin(const TimeContext& context, Arena& arena, Record& record) {
  context_ = context;
  arena_ = &arena;
  record_ = &record;
  time_.set = level_.set = message_.set = false;
  ecs_sources_.clear();
  overflow_.clear();
}

void RecordBuilder::put(std::string_view key, const FieldValue& value) {
  put(key, {&find_role(key)}, value);
}

void RecordBuilder::put_by_rules(std::string_view key, const KnownKey& known, const FieldValue& value) {
  const KeyRole& role = *known.role;
  bool taken = false;
  switch (role.role) {
    case Role::other:
    case Role::labels:
      break;
    case Role::time:
      taken = put_time(key, role.rank, value, known.alone);
      break;
    case Role::level:
      taken = put_level(key, role.rank, value, known.alone);
      break;
    case Role::message:
      taken = put_message(key, role.rank, value, known.alone);
      break;
    case Role::ecs:
      taken = put_ecs(role.ecs, key, value, known.alone);
      break;
    case Role::ecs_string:
      taken = value.is_string() && put_ecs(role.ecs, key, value, known.alone);
      break;
    case Role::ecs_number:
      taken = (value.shape == Shape::integer || value.shape == Shape::text) &&
              put_ecs(role.ecs, key, value, known.alone);
      break;
  }
  if (!taken) put_label(key, value, known);
}

// True if the part now belongs to `key`. Whoever loses becomes a label.
bool RecordBuilder::claim(Slot& slot, std::string_view key, std::uint8_t rank, const FieldValue& value) {
  if (slot.set && slot.key != key) {
    if (rank >= slot.rank) return false;
    put_label(slot.key, slot.value);
  }
  slot = {true, rank, key, value};
  return true;
}

bool RecordBuilder::put_time(std::string_view key, std::uint8_t rank, const FieldValue& value, bool alone) {
  std::optional<std::int64_t> ns;
  if (value.is_string()) {
    ns = parse_time(plain_text(value, *arena_), context_);
  } else if (value.shape == Shape::integer || value.shape == Shape::real) {
    ns = epoch_to_ns(value.bytes);
  } else if (value.shape == Shape::container) {
    ns = instant_to_ns(value.bytes);
  }
  if (!ns && value.is_string()) record_->time_unread |= looks_like_a_time(value.bytes);
  if (!ns || (!alone && !claim(time_, key, rank, value))) return false;
  set_time(key, value, *ns);
  return true;
}

// level_of_value(), which a program asks with a handful of words.
std::string_view RecordBuilder::level_of(std::string_view word) {
  const KeyTag tag(word);
  KnownLevel& known = known_levels_[(tag.first ^ tag.length) % known_levels_.size()];
  if (!(known.word == tag) || !tag.is_whole()) known = {tag, level_of_value(word)};
  return known.level;
}

bool RecordBuilder::put_level(std::string_view key, std::uint8_t rank, const FieldValue& value, bool alone) {
  std::string_view level;
  if (key == kMongodbSeverity) {
    if (value.is_string()) level = mongodb_level(plain_text(value, *arena_));
    if (level.empty()) return false;
  } else if (value.is_string()) {
    level = level_of(plain_text(value, *arena_));
  }
  if (level.empty() && (value.is_string() || value.shape == Shape::integer)) {
    const std::string_view digits = plain_text(value, *arena_);
    std::int64_t number = 0;
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (r.ec == std::errc() && r.ptr == digits.data() + digits.size()) level = normalise_level(number);
  }
  if (level.empty() || (!alone && !claim(level_, key, rank, value))) return false;
  record_->level = level;
  record_->level_in_line = as_field(key, value);
  return true;
}

bool RecordBuilder::put_message(std::string_view key, std::uint8_t rank, const FieldValue& value,
                                bool alone) {
  if (value.shape == Shape::container || value.shape == Shape::null) return false;
  if (!alone && !claim(message_, key, rank, value)) return false;
  set_message(key, value);
  return true;
}

bool RecordBuilder::put_ecs(EcsOrdinal field, std::string_view source_key, const FieldValue& value,
                            bool alone) {
  if (value.shape == Shape::null) return true;  // says nothing
  Field converted;
  if (!convert(field, value, converted)) return false;
  if (alone) {
    record_->ecs.push_back(converted);
    return true;
  }
  const bool named_itself = source_key == ecs_name(field);
  for (std::size_t i = 0; i < record_->ecs.size(); ++i) {
    if (record_->ecs[i].ordinal != field) continue;
    Slot& holder = ecs_sources_[i];
    // The field's own name goes before any alias.
    if (!claim(holder, source_key, named_itself ? 0 : 1, value)) return false;
    record_->ecs[i] = converted;
    return true;
  }
  record_->ecs.push_back(converted);
  ecs_sources_.push_back({true, static_cast<std::uint8_t>(named_itself ? 0 : 1), source_key, value});
  return true;
}

bool RecordBuilder::convert(EcsOrdinal field, const FieldValue& value, Field& out) {
  out.key = ecs_name(field);
  out.ordinal = field;
  if (value.shape == Shape::container) return false;
  const EcsType type = ecs_type(field);
  switch (type) {
    case EcsType::keyword:
    case EcsType::text:
      out.value = value.bytes;
      out.kind = value.shape == Shape::string ? ValueKind::json : ValueKind::text;
      return true;
    case EcsType::long_int:
    case EcsType::real:
      return convert_number(type, value, out);
    case EcsType::boolean: {
      const std::string_view s = plain_text(value, *arena_);
      out.value = s;
      out.kind = ValueKind::json;
      return s == "true" || s == "false";
    }
    case EcsType::ip:
      out.value = value.is_string() ? plain_text(value, *arena_) : std::string_view{};
      out.kind = ValueKind::text;
      return is_ip(out.value);
    case EcsType::date: {
      if (!value.is_string()) return false;
      const auto ns = parse_time(plain_text(value, *arena_), context_);
      if (!ns) return false;
      char* to = arena_->allocate(kRfc3339Max);
      out.value = {to, write_rfc3339(to, *ns)};
      out.kind = ValueKind::text;
      return true;
    }
  }
  return false;
}

// Numbers written as text count too: Elasticsearch would take them, and other formats know nothing but text.
bool RecordBuilder::convert_number(EcsType type, const FieldValue& value, Field& out) {
  if (value.shape == Shape::boolean || value.shape == Shape::null) return false;
  const std::string_view s = plain_text(value, *arena_);
  const NumberShape shape = classify_number(s);
  out.value = s;
  out.kind = ValueKind::json;
  return shape == NumberShape::integer || (type == EcsType::real && shape == NumberShape::real);
}

void RecordBuilder::put_label(std::string_view key, const FieldValue& value, KnownKey known) {
  Field field = as_field(known.plain ? key : harmless_key(key, *arena_), value);
  field.plain_key = known.plain;
  if (known.alone) {
    record_->labels.push_back(field);
    return;
  }
  for (Field& f : record_->labels) {
    if (f.key != field.key) continue;
    f = field;
    return;
  }
  if (record_->labels.size() + 1 < kMostLabels) {
    record_->labels.push_back(field);
    return;
  }
  // Becomes text, where equal keys do no harm.
  overflow_.push_back(field);
}

void RecordBuilder::finish() {
  if (overflow_.empty()) return;
  if (overflow_.size() == 1 && overflow_[0].key != kOverflow) {
    record_->labels.push_back(overflow_[0]);
    return;
  }
  std::string object = "{";
  for (const Field& f : overflow_) {
    if (object.size() > 1) object += ',';
    append_json_string(object, f.key);
    object += ':';
    if (f.kind == ValueKind::json) {
      object += f.value;
    } else {
      append_json_string(object, f.value);
    }
  }
  object += '}';
  std::erase_if(record_->labels, [](const Field& f) { return f.key == kOverflow; });
  record_->labels.push_back({kOverflow, arena_->copy(object), ValueKind::text});
}

}  // namespace sidelight
