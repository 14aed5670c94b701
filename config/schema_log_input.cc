#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/ecs_fields.h"
#include "agent/parse/record_builder.h"
#include "config/schema_builder.h"
#include "config/schema_processors.h"
#include "config/settings.h"

namespace sidelight {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;

std::shared_ptr<const ObjectSchema> multiline_schema() {
  SchemaBuilder<MultilineOptions> s(
      "Joins the lines of one event, such as a stack trace. Off unless set. `multiline: java` is short for "
      "`multiline: {preset: java}`.");
  using enum MultilinePreset;
  s.choice(
       "preset", [](MultilineOptions& m) -> auto& { return m.preset; },
       std::vector<std::pair<std::string, MultilinePreset>>{
           {"none", none}, {"java", java}, {"python", python}, {"go", go}, {"dotnet", dotnet}, {"cpp", cpp}},
       "Ready-made rule for the stack traces of a language.")
      .example("java");
  s.field(
       "start_pattern", KeyType::regex, [](MultilineOptions& m) -> auto& { return m.start_pattern; },
       "Regular expression (RE2): a line that matches begins an event, every other line continues it.")
      .example("'^\\d{4}-\\d\\d-\\d\\d '");
  s.field(
       "max_lines", KeyType::integer, [](MultilineOptions& m) -> auto& { return m.max_lines; },
       "An event is closed at this many lines.")
      .between(2, 100'000);
  s.at_most_one({"preset", "start_pattern"});
  s.short_form("preset");
  return s.done();
}

std::string check_ecs_name(const std::string& name) {
  if (find_ecs(name)) return {};
  if (name == "@timestamp" || name == "message" || name == "log.level")
    return "every event has its own; it cannot be set here";
  return "no field of the schema that documents follow; put it under labels";
}

const char* what_takes(EcsType type) {
  switch (type) {
    case EcsType::long_int:
      return "a whole number";
    case EcsType::real:
      return "a number";
    case EcsType::date:
      return "a time such as 2026-11-22T20:01:02Z";
    case EcsType::ip:
      return "an IPv4 or IPv6 address";
    case EcsType::boolean:
      return "true or false";
    case EcsType::keyword:
    case EcsType::text:
      break;
  }
  return "text";
}

// Of the many forms of times that lines may have, the destination knows this one; a constant is sent as it is
// written.
bool is_iso_time(const std::string& text) {
  constexpr std::size_t kDate = std::string_view("2026-11-22").size();
  return text.size() > kDate && text[4] == '-' && text[kDate] == 'T';
}

// A constant that its field cannot take would have every document of the input refused.
std::string check_ecs_value(const std::string& name, const std::string& value) {
  const auto field = find_ecs(name);
  if (!field) return {};
  const EcsType type = ecs_type(*field);
  const TimeZone utc;
  Arena arena;
  Record record;
  RecordBuilder builder;  // which is what decides on values that lines and processors bring
  builder.begin({&utc, 0}, arena, record);
  const bool fits = builder.put_ecs(*field, name, {Shape::text, false, value});
  if (fits && (type != EcsType::date || is_iso_time(value))) return {};
  return std::string("the field takes ") + what_takes(type);
}

void add_reading(SchemaBuilder<LogInput>& s) {
  s.field(
       "paths", KeyType::globs, [](LogInput& i) -> auto& { return i.tail.paths; },
       "Files to read: globs with `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of directories.")
      .required()
      .at_least(1)
      .shown()
      .example("[/var/log/app/*.log]");
  s.field(
       "name", KeyType::text, [](LogInput& i) -> auto& { return i.name; },
       "Names the input in metrics and messages; unique.")
      .default_note("the first path")
      .example("shop");
  s.field(
       "exclude", KeyType::excludes, [](LogInput& i) -> auto& { return i.tail.exclude; },
       "Globs of files to leave out. Without a `/` they are matched against the file's name, else like "
       "`paths` "
       "against the whole path.")
      .example("['*.gz', '*.tmp']");
  s.choice(
      "start", [](LogInput& i) -> auto& { return i.tail.start; },
      std::vector<std::pair<std::string, StartAt>>{{"beginning", StartAt::beginning}, {"end", StartAt::end}},
      "Where to begin in files that are present when a glob that leads to them is configured for the first "
      "time. Files made later are read from their beginning.");
  using enum Encoding;
  s.choice(
      "encoding", [](LogInput& i) -> auto& { return i.decode.encoding; },
      std::vector<std::pair<std::string, Encoding>>{{"utf-8", utf8},
                                                    {"utf-16le", utf16le},
                                                    {"utf-16be", utf16be},
                                                    {"windows-1251", windows1251},
                                                    {"latin1", latin1}},
      "How the file's text is encoded. Documents are always UTF-8.");
  s.choice(
      "container", [](LogInput& i) -> auto& { return i.decode.container; },
      std::vector<std::pair<std::string, ContainerFormat>>{{"none", ContainerFormat::none},
                                                           {"cri", ContainerFormat::cri},
                                                           {"docker", ContainerFormat::docker},
                                                           {"auto", ContainerFormat::detect}},
      "What a container runtime wrapped each line in; `auto` decides line by line.");
  s.object("multiline", [](LogInput& i) -> auto& { return i.decode.multiline; }, multiline_schema());
  s.field(
       "max_event_bytes", KeyType::bytes, [](LogInput& i) -> auto& { return i.decode.max_event_bytes; },
       "A longer line or event is cut here and marked; what is left out is counted.")
      .between(kKiB, 16 * kMiB);
}

void add_parsing(SchemaBuilder<LogInput>& s) {
  using enum Format;
  s.choice(
       "format", [](LogInput& i) -> auto& { return i.parse.format; },
       std::vector<std::pair<std::string, Format>>{{"auto", automatic},
                                                   {"raw", raw},
                                                   {"json", json},
                                                   {"logfmt", logfmt},
                                                   {"nginx", nginx_access},
                                                   {"nginx_error", nginx_error},
                                                   {"regex", regex}},
       "How a line is taken apart; `auto` decides line by line. A line that does not parse is shipped as it "
       "is, "
       "marked.")
      .shown()
      .example("json");
  s.field(
       "pattern", KeyType::regex, [](LogInput& i) -> auto& { return i.parse.pattern; },
       "For `format: regex`: a regular expression (RE2) with named groups. `time`, `level` and `message` are "
       "understood, the other groups become fields.")
      .example("'^(?P<time>\\S+) (?P<level>\\w+) (?P<message>.*)$'");
  s.field(
       "nginx_log_format", KeyType::text, [](LogInput& i) -> auto& { return i.parse.nginx_format; },
       "For `format: nginx`: the `log_format` string of nginx. Not needed for the combined format and its "
       "common extensions.")
      .example("'$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent'");
  s.field(
      "timezone", KeyType::timezone, [](LogInput& i) -> auto& { return i.parse.timezone; },
      "For times without a zone: `UTC`, an offset such as `+03:00`, or a name such as `Europe/Moscow`.");
  s.field(
       "service", KeyType::text, [](LogInput& i) -> auto& { return i.service; }, "Becomes `service.name`.")
      .shown()
      .example("shop");
  s.field(
       "fields", KeyType::text_map, [](LogInput& i) -> auto& { return i.fields; },
       "Constant fields of every document, by their dotted names in the Elastic Common Schema.")
      .check(check_ecs_name)
      .check_entry(check_ecs_value)
      .example("{service.environment: production}");
  s.field(
       "labels", KeyType::text_map, [](LogInput& i) -> auto& { return i.labels; },
       "Constant labels of every document: anything that the schema has no field for.")
      .example("{team: checkout}");
  s.objects("processors", [](LogInput& i) -> auto& { return i.processors; }, processor_schema());
  s.objects("routes", [](LogInput& i) -> auto& { return i.routes; }, route_schema());
  s.field(
       "output", KeyType::text, [](LogInput& i) -> auto& { return i.output; },
       "Of several outputs: the one for events that no route decides on.")
      .default_note("the first of `outputs`")
      .example("audit");
}

}  // namespace

std::shared_ptr<const ObjectSchema> log_input_schema() {
  SchemaBuilder<LogInput> s("The log files to read, and how to take them apart.");
  add_reading(s);
  add_parsing(s);
  return s.done();
}

}  // namespace sidelight
