#include "agent/batch/encoder.h"

#include <algorithm>
#include <array>
#include <span>

#include "agent/base/ecs_fields.h"
#include "agent/base/json_text.h"
#include "agent/base/rfc3339.h"
#include "agent/batch/doc_template.h"
#include "agent/batch/ecs_writer.h"
#include "agent/batch/label_writer.h"

namespace sidelight {
namespace {

constexpr std::size_t kFixedBytes = 768;  // names, punctuation, numbers, timestamp and flags of one document
constexpr std::int64_t kNanosPerHour = 3'600'000'000'000;

using Refs = std::span<const EcsRef>;

// A record's ECS fields in the table's order.
class SortedFields {
 public:
  explicit SortedFields(std::size_t most) {
    if (most > kFew) {
      many_.resize(most);
      refs_ = many_.data();
    }
  }
  SortedFields(const SortedFields&) = delete;
  SortedFields& operator=(const SortedFields&) = delete;

  // Never more often than the constructor was told. Of two fields of one name the first stays.
  void add(EcsOrdinal ordinal, const Field& field) {
    std::size_t at = size_;
    while (at > 0 && refs_[at - 1].ordinal > ordinal) --at;
    if (at > 0 && refs_[at - 1].ordinal == ordinal) return;
    for (std::size_t i = size_; i > at; --i) refs_[i] = refs_[i - 1];
    refs_[at] = {&field, ordinal};
    ++size_;
  }
  Refs all() const { return {refs_, size_}; }

 private:
  static constexpr std::size_t kFew = 16;
  std::array<EcsRef, kFew> few_;  // without an allocation, and without initialising what is not used
  std::vector<EcsRef> many_;
  EcsRef* refs_ = few_.data();
  std::size_t size_ = 0;
};

// Those with ordinals below `end`, off the front of `refs`.
Refs take_below(EcsRank end, Refs& refs) {
  std::size_t n = 0;
  while (n < refs.size() && refs[n].ordinal < end) ++n;
  const Refs taken = refs.first(n);
  refs = refs.subspan(n);
  return taken;
}

// Fields that are not in the table: a mistake of the parser, and no reason to lose anything.
std::vector<const Field*> find_strays(const Record& record) {
  std::vector<const Field*> strays;
  for (const Field& f : record.ecs)
    if (f.ordinal >= ecs_count() && !find_ecs(f.key)) strays.push_back(&f);
  return strays;
}

// The fields of both, sorted; the record's win.
char* put_merged(char* out, Refs record, std::span<const Constant> constants, std::string_view parent) {
  std::vector<NamedValue> merged;  // only where both bring something to one object
  merged.reserve(record.size() + constants.size());
  const auto named = [](const EcsRef& r) {
    return NamedValue{ecs_name(r.ordinal), r.field->value, r.field->kind};
  };
  std::size_t r = 0;
  for (const Constant& c : constants) {
    while (r < record.size() && record[r].ordinal < c.rank) merged.push_back(named(record[r++]));
    const bool replaced = c.in_table && r < record.size() && record[r].ordinal == c.rank;
    if (!replaced) merged.push_back(c.view());
  }
  while (r < record.size()) merged.push_back(named(record[r++]));
  return put_fields(out, merged, parent);
}

char* put_flags(char* out, const Record& r) {
  const Event& e = *r.event;
  if (!e.truncated && !e.unterminated && !e.continuation && r.complaint().empty()) [[likely]]
    return out;
  out = put(out, ",\"flags\":[");
  if (e.truncated) out = put(out, "\"truncated\",");
  if (e.unterminated) out = put(out, "\"unterminated\",");
  if (e.continuation) out = put(out, "\"continuation\",");
  if (!r.parse_error.empty()) out = put(out, "\"parsing_error\",");
  if (r.time_unread) out = put(out, "\"timestamp_error\",");
  if (e.not_wrapped) out = put(out, "\"container_error\",");
  out[-1] = ']';
  return out;
}

class EcsEncoder final : public Encoder {
 public:
  explicit EcsEncoder(const EncoderOptions& options)
      : options_(options),
        id_in_event_(options.shape == BulkShape::ndjson && options.with_ids),
        log_{ecs_rank("log."), ecs_rank("log/")},
        event_{ecs_rank("event."), ecs_rank("event/")},
        error_message_(*find_ecs("error.message")) {}

  std::unique_ptr<DocTemplate> prepare(const DocConstants& constants) const override {
    return std::make_unique<PreparedTemplate>(constants, id_in_event_);
  }

  void append(const Record& record, const DocTemplate& tmpl, const Source& source, std::int64_t fallback_ns,
              std::uint32_t span, Batch& batch) const override;

 private:
  struct Range {
    EcsRank begin;
    EcsRank end;
    bool has(EcsOrdinal o) const { return o >= begin && o < end; }
  };
  struct Job {
    const Record& record;
    const PreparedTemplate& tmpl;
    const Source& source;
    std::int64_t time_ns;
    EncoderMemory& memory;
  };

  std::size_t bound(const Job& job) const;
  char* put_action(char* out, const Job& job) const;
  char* put_head(char* out, const Job& job) const;
  char* put_message(char* out, const Job& job) const;
  char* put_plain(char* out, const Job& job) const;
  char* put_rich(char* out, const Job& job) const;
  char* put_others(char* out, const Job& job, Refs refs) const;
  char* put_object(char* out, Refs refs, const std::vector<Constant>& constants, std::string_view rendered,
                   std::string_view parent) const;
  void find_index(std::int64_t time_ns, EncoderMemory& memory) const;

  const EncoderOptions options_;
  const bool id_in_event_;
  const Range log_;
  const Range event_;
  const EcsOrdinal error_message_;
  const EcsWriter writer_;
};

void EcsEncoder::append(const Record& record, const DocTemplate& tmpl, const Source& source,
                        std::int64_t fallback_ns, std::uint32_t span, Batch& batch) const {
  const Job job{record, static_cast<const PreparedTemplate&>(tmpl), source,
                record.timestamp_ns.value_or(fallback_ns), batch.encoder};
  if (options_.shape == BulkShape::dated_index) find_index(job.time_ns, batch.encoder);
  const bool plain = record.ecs.empty() && record.labels.empty() && record.parse_error.empty();
  const std::size_t body_begin = batch.body.size();
  std::size_t source_begin = body_begin;
  batch.body.resize_and_overwrite(body_begin + bound(job), [&](char* body, std::size_t) {
    char* const document = put_action(body + body_begin, job);
    source_begin = static_cast<std::size_t>(document - body);
    return static_cast<std::size_t>((plain ? put_plain(document, job) : put_rich(document, job)) - body);
  });
  const Event& event = *record.event;
  Doc& doc = batch.docs.emplace_back();
  doc.body_begin = static_cast<std::uint32_t>(body_begin);
  doc.source_begin = static_cast<std::uint32_t>(source_begin);
  doc.body_end = static_cast<std::uint32_t>(batch.body.size());
  doc.span = span;
  doc.begin = event.begin;
  doc.end = event.end;
  doc.raw = event.text;
  ++batch.spans[span].pending;
}

std::size_t EcsEncoder::bound(const Job& job) const {
  const Record& r = job.record;
  std::size_t n = kFixedBytes + kValueSlack + job.source.key.size() + job.tmpl.bound +
                  job.memory.index.size() + 6 * r.level.size() + 12 * r.parse_error.size() +
                  value_bound(r.message, r.message_kind);
  for (const Field& f : r.ecs)
    n += EcsWriter::kNameBound + 6 * f.key.size() + kLabelSlack + value_bound(f.value, f.kind);
  for (const Field& f : r.labels) n += 6 * f.key.size() + kLabelSlack + value_bound(f.value, f.kind);
  return n;
}

char* EcsEncoder::put_action(char* out, const Job& job) const {
  if (options_.shape == BulkShape::ndjson) return out;
  out = put(out, "{\"create\":{");
  if (options_.shape == BulkShape::dated_index) {
    out = put(out, "\"_index\":\"");
    out = put(out, job.memory.index);
    out = put(out, options_.with_ids ? "\"," : "\"");
  }
  if (options_.with_ids) {
    out = put(out, "\"_id\":\"");
    out +=
        write_doc_id(out, job.source.key, job.record.event->begin, job.record.event->end, job.memory.offset);
    *out++ = '"';
  }
  return put(out, "}}\n");
}

// Up to and with log.file.path.
char* EcsEncoder::put_head(char* out, const Job& job) const {
  out = put(out, "{\"@timestamp\":\"");
  out += write_rfc3339(out, job.time_ns, job.memory.time);
  out = put(out, "\",\"log\":{");
  if (!job.record.level.empty()) {
    out = put(out, "\"level\":\"");
    out = put(out, job.record.level);  // one of our own words
    out = put(out, "\",");
  }
  out = put(out, "\"offset\":");
  out = put_number(out, job.record.event->begin);
  return put(out, job.tmpl.path);
}

char* EcsEncoder::put_message(char* out, const Job& job) const {
  const Event& e = *job.record.event;
  *out++ = '}';
  if (!job.record.message.empty()) {  // fields without a message have none, rather than an empty one
    out = put(out, ",\"message\":");
    out = put_value(out, job.record.message, job.record.message_kind);
  }
  if (e.from_container) out = put(out, e.lane == 0 ? ",\"stream\":\"stdout\"" : ",\"stream\":\"stderr\"");
  if (id_in_event_) {
    out = put(out, ",\"event\":{\"id\":\"");
    out += write_doc_id(out, job.source.key, e.begin, e.end, job.memory.offset);
    *out++ = '"';
  }
  return out;
}

// The record brings a message and no fields: all the rest is ready.
char* EcsEncoder::put_plain(char* out, const Job& job) const {
  out = put_head(out, job);
  out = put_flags(out, job.record);
  out = put(out, job.tmpl.log_rendered);
  out = put_message(out, job);
  if (id_in_event_) {
    out = put(out, job.tmpl.event_rendered);
    *out++ = '}';
  }
  return put(out, job.tmpl.tail);
}

char* EcsEncoder::put_rich(char* out, const Job& job) const {
  const Record& r = job.record;
  const std::size_t most = r.ecs.size() + 1;  // and the parse error
  SortedFields of_log(most);
  SortedFields of_event(id_in_event_ ? most : 0);  // where "event" is open
  SortedFields others(most);
  const auto add = [&](EcsOrdinal ordinal, const Field& field) {
    (log_.has(ordinal)                     ? of_log
     : id_in_event_ && event_.has(ordinal) ? of_event
                                           : others)
        .add(ordinal, field);
  };
  bool strays = false;
  for (const Field& f : r.ecs) {
    if (f.ordinal < ecs_count()) [[likely]] {
      add(f.ordinal, f);
    } else if (const auto ordinal = find_ecs(f.key)) {
      add(*ordinal, f);
    } else {
      strays = true;
    }
  }
  const Field error{"error.message", r.parse_error, ValueKind::text};
  if (!r.parse_error.empty()) add(error_message_, error);

  out = put_head(out, job);
  out = put_flags(out, r);
  out = put_object(out, of_log.all(), job.tmpl.log_fields, job.tmpl.log_rendered, "log");
  out = put_message(out, job);
  if (id_in_event_) {
    out = put_object(out, of_event.all(), job.tmpl.event_fields, job.tmpl.event_rendered, "event");
    *out++ = '}';
  }
  out = put_others(out, job, others.all());
  out = put_labels(out, r.labels, strays ? find_strays(r) : std::vector<const Field*>(), job.tmpl);
  return put(out, ",\"ecs\":{\"version\":\"8.11.0\"}}\n");
}

// The record's fields and the constants of one object, `parent`, which is open.
char* EcsEncoder::put_object(char* out, Refs refs, const std::vector<Constant>& constants,
                             std::string_view rendered, std::string_view parent) const {
  if (refs.empty()) return put(out, rendered);
  if (constants.empty()) return writer_.put(out, refs, 1);
  return put_merged(out, refs, constants, parent);
}

// Everything but log.* (and event.* where the encoder opened it): the record's fields between and inside the
// groups of constants.
char* EcsEncoder::put_others(char* out, const Job& job, Refs refs) const {
  const auto& groups = job.tmpl.groups;
  for (std::size_t at = 0; at < groups.size();) {
    const std::size_t first = at;
    while (at < groups.size() && (refs.empty() || groups[at].end <= refs.front().ordinal)) ++at;
    out = put(out, job.tmpl.rendered_groups(first, at));
    if (at == groups.size()) break;
    out = writer_.put(out, take_below(groups[at].begin, refs), 0);
    if (refs.empty() || refs.front().ordinal >= groups[at].end) continue;
    out = put_merged(out, take_below(groups[at].end, refs), groups[at].fields, "");
    ++at;
  }
  return refs.empty() ? out : writer_.put(out, refs, 0);
}

// %Y %m %d %H of the event's time in UTC; any other % stands for itself.
void EcsEncoder::find_index(std::int64_t time_ns, EncoderMemory& memory) const {
  const std::int64_t hour = time_ns / kNanosPerHour - (time_ns % kNanosPerHour < 0 ? 1 : 0);
  if (memory.pattern == this && memory.hour == hour) return;
  const std::int64_t day = hour / 24 - (hour % 24 < 0 ? 1 : 0);
  const CivilDate date = civil_from_days(day);
  const auto two = [](std::int64_t v) {
    return std::string{static_cast<char>('0' + v / 10), static_cast<char>('0' + v % 10)};
  };
  std::string name;
  for (std::size_t i = 0; i < options_.index_pattern.size(); ++i) {
    const char c = options_.index_pattern[i];
    const char what =
        c == '%' && i + 1 < options_.index_pattern.size() ? options_.index_pattern[i + 1] : '\0';
    if (what == 'Y') {
      name += std::to_string(date.year);
    } else if (what == 'm') {
      name += two(date.month);
    } else if (what == 'd') {
      name += two(date.day);
    } else if (what == 'H') {
      name += two(hour - day * 24);
    } else {
      name += c;
      continue;
    }
    ++i;
  }
  memory.index.resize(escaped_bound(name.size()));
  memory.index.resize(escape_json(memory.index.data(), name));
  memory.hour = hour;
  memory.pattern = this;
}

}  // namespace

std::unique_ptr<Encoder> make_encoder(const EncoderOptions& options) {
  return std::make_unique<EcsEncoder>(options);
}

}  // namespace sidelight
