#include "config/schema_processors.h"

#include "agent/process/options.h"
#include "agent/process/pii_scanner.h"
#include "config/names.h"
#include "config/schema_builder.h"

namespace sidelight {
namespace {

constexpr std::int64_t kHour = 3600 * 1000;
constexpr std::int64_t kMiB = 1024 * 1024;

std::string check_kind(const std::string& name) {
  if (pii_kind(name)) return {};
  return "one of email, phone, card, iban, bearer and jwt is expected";
}

// A pattern that finds nothing everywhere would put a mask between all letters.
std::string check_pattern(const std::string& pattern) {
  return check_regex(pattern);
}

std::shared_ptr<const ObjectSchema> field_test_schema() {
  static const auto schema = [] {
    SchemaBuilder<FieldTest> s(
        "Tests of fields, all of which must hold. With `name` alone: the event has the field.");
    s.field(
         "name", KeyType::text, [](FieldTest& f) -> auto& { return f.name; },
         "`message`, `level`, `service`, `@timestamp`, a name of the Elastic Common Schema, or a label (with "
         "or "
         "without "
         "`labels.` before it).")
        .required()
        .example("http.request.method");
    s.field(
         "equals", KeyType::text, [](FieldTest& f) -> auto& { return f.equals; },
         "The value is exactly this.")
        .example("GET");
    s.field(
         "glob", KeyType::text, [](FieldTest& f) -> auto& { return f.glob; },
         "The whole value fits: `*` is any text, `?` one byte.")
        .example("'/health*'");
    s.field(
         "regex", KeyType::regex, [](FieldTest& f) -> auto& { return f.regex; },
         "A regular expression (RE2) is found in the value.")
        .example("'^/api/v[0-9]+/'");
    return s.done();
  }();
  return schema;
}

// The tests themselves, for whatever holds them.
template <class T, class A>
void add_tests(SchemaBuilder<T>& s, A simple) {
  s.field(
       "service", KeyType::texts, [simple](T& c) -> auto& { return simple(c).services; },
       "Globs; one fits the event's `service.name`.")
      .example("[shop, 'mes-*']");
  s.field(
       "level", KeyType::texts, [simple](T& c) -> auto& { return simple(c).levels; },
       "The event's level is one of these (any common spelling; `none`: it has no level).")
      .example("[debug, trace]");
  s.objects("field", [simple](T& c) -> auto& { return simple(c).fields; }, field_test_schema());
}

std::shared_ptr<const ObjectSchema> simple_condition_schema(const char* help) {
  SchemaBuilder<SimpleCondition> s(help);
  add_tests(s, [](SimpleCondition& c) -> SimpleCondition& { return c; });
  return s.done();
}

std::shared_ptr<const ObjectSchema> add_schema() {
  SchemaBuilder<AddOptions> s("Sets fields.");
  s.field(
       "fields", KeyType::text_map, [](AddOptions& o) -> auto& { return o.fields; }, "Names and values.")
      .required()
      .example("{service.environment: production, team: checkout}");
  s.field(
      "overwrite", KeyType::boolean, [](AddOptions& o) -> auto& { return o.overwrite; },
      "Whether a value that the event brings gives way.");
  return s.done();
}

std::shared_ptr<const ObjectSchema> remove_schema() {
  SchemaBuilder<RemoveOptions> s(
      "Takes fields away. The line as it was written, which dead letters keep, still has them: what must not "
      "leave "
      "belongs into `redact`.");
  s.field(
       "fields", KeyType::texts, [](RemoveOptions& o) -> auto& { return o.fields; },
       "Names; `*` and `?` are wildcards.")
      .required()
      .at_least(1)
      .example("[debug_info, 'internal.*']");
  s.short_form("fields");
  return s.done();
}

std::shared_ptr<const ObjectSchema> move_schema(const char* help) {
  SchemaBuilder<MoveOptions> s(help);
  s.field(
       "from", KeyType::text, [](MoveOptions& o) -> auto& { return o.from; }, "The field.")
      .required()
      .example("usr");
  s.field(
       "to", KeyType::text, [](MoveOptions& o) -> auto& { return o.to; },
       "Its new name. A value that cannot be that field's becomes a label of that name.")
      .required()
      .example("user.name");
  return s.done();
}

std::shared_ptr<const ObjectSchema> parse_schema() {
  using P = ParseFieldOptions;
  SchemaBuilder<P> s(
      "Takes a field apart as a line of that format would be. What does not parse stays as it is.");
  s.field("field", KeyType::text, [](P& o) -> auto& { return o.field; }, "The field.").example("payload");
  s.choice(
      "format", [](P& o) -> auto& { return o.format; },
      std::vector<std::pair<std::string, FieldFormat>>{{"json", FieldFormat::json},
                                                       {"logfmt", FieldFormat::logfmt},
                                                       {"key_value", FieldFormat::key_value},
                                                       {"regex", FieldFormat::regex}},
      "What it holds.");
  s.field(
       "pattern", KeyType::regex, [](P& o) -> auto& { return o.pattern; },
       "For `regex`: a regular expression (RE2) with named groups.")
      .example("'order (?P<order>\\d+) took (?P<took_ms>\\d+) ms'");
  s.field(
      "pair_separator", KeyType::text, [](P& o) -> auto& { return o.pair_separator; },
      "For `key_value`: what stands between pairs.");
  s.field(
      "value_separator", KeyType::text, [](P& o) -> auto& { return o.value_separator; },
      "For `key_value`: what stands between a key and its value.");
  s.field(
       "prefix", KeyType::text, [](P& o) -> auto& { return o.prefix; },
       "Put before each name; then all that is found becomes labels.")
      .example("payload.");
  s.field(
      "remove", KeyType::boolean, [](P& o) -> auto& { return o.remove; },
      "Take the field itself away once it is parsed.");
  return s.done();
}

std::shared_ptr<const ObjectSchema> drop_schema() {
  return SchemaBuilder<DropOptions>("Drops the event: `drop: {}`; needs `when`. It is counted, not shipped.")
      .done();
}

std::shared_ptr<const ObjectSchema> sample_schema() {
  SchemaBuilder<SampleOptions> s(
      "Keeps a share of the events. Events of one trace (`trace.id`) are kept or dropped together, whichever "
      "service "
      "logs them; others by their place in the file.");
  s.field(
       "keep", KeyType::number, [](SampleOptions& o) -> auto& { return o.keep; },
       "The share of events that is kept.")
      .between(0, 1)
      .example("0.1");
  s.field(
       "levels", KeyType::text_map, [](SampleOptions& o) -> auto& { return o.levels; },
       "Shares of levels, in place of `keep` (`none`: events without a level).")
      .example("{debug: 0.01, info: 0.1}");
  return s.done();
}

std::shared_ptr<const ObjectSchema> rate_limit_schema() {
  SchemaBuilder<RateLimitOptions> s(
      "Lets so many events of a file through in a time, by the events' own times; a summary event tells how "
      "many were "
      "dropped.");
  s.field(
       "events", KeyType::integer, [](RateLimitOptions& o) -> auto& { return o.events; },
       "How many in each stretch of time.")
      .required()
      .between(1, 1'000'000'000)
      .example("100");
  s.field(
       "per", KeyType::duration, [](RateLimitOptions& o) -> auto& { return o.per; }, "The stretch of time.")
      .between(100, kHour);
  s.field(
       "by", KeyType::texts, [](RateLimitOptions& o) -> auto& { return o.by; },
       "Fields: each combination of their values has a limit of its own (256 a file; further ones share "
       "one).")
      .example("[log.logger]");
  return s.done();
}

std::shared_ptr<const ObjectSchema> dedupe_schema() {
  SchemaBuilder<DedupeOptions> s(
      "Drops an event that repeats the one before it in the same file; a summary event tells how often.");
  s.field(
       "within", KeyType::duration, [](DedupeOptions& o) -> auto& { return o.within; },
       "After so long, by the events' own times, one is let through again.")
      .between(100, kHour);
  s.field(
       "fields", KeyType::texts, [](DedupeOptions& o) -> auto& { return o.fields; }, "What must be equal.")
      .at_least(1);
  return s.done();
}

std::shared_ptr<const ObjectSchema> truncate_schema() {
  SchemaBuilder<TruncateOptions> s("Cuts a text.");
  s.field("field", KeyType::text, [](TruncateOptions& o) -> auto& { return o.field; }, "The field.");
  s.field(
       "bytes", KeyType::bytes, [](TruncateOptions& o) -> auto& { return o.bytes; },
       "What is left of it at most; a character is not cut in two.")
      .required()
      .between(1, 16 * kMiB)
      .example("8KiB");
  return s.done();
}

std::shared_ptr<const ObjectSchema> redact_schema() {
  using R = RedactOptions;
  SchemaBuilder<R> s(
      "Hides personal data and secrets wherever they stand in the event: message, fields, labels, keys, and "
      "the line "
      "as it was written, which dead letters keep. `redact: {}` hides all kinds.");
  s.field(
       "kinds", KeyType::texts, [](R& o) -> auto& { return o.kinds; },
       "Of `email`, `phone`, `card` (payment cards that pass Luhn's check), `iban` (with a right checksum), "
       "`bearer` "
       "(tokens behind that word) and `jwt`.")
      .check(check_kind)
      .default_note("all, unless `patterns` or `fields` are given")
      .example("[email, phone, card]");
  s.field(
       "patterns", KeyType::texts, [](R& o) -> auto& { return o.patterns; },
       "Regular expressions (RE2); what they find is hidden too.")
      .check(check_pattern)
      .example("['\\bSN-[0-9]{8}\\b']");
  s.field(
       "fields", KeyType::texts, [](R& o) -> auto& { return o.fields; },
       "Fields whose whole value is hidden; `*` and `?` are wildcards.")
      .example("[password, '*token*']");
  s.choice(
      "action", [](R& o) -> auto& { return o.action; },
      std::vector<std::pair<std::string, RedactAction>>{
          {"mask", RedactAction::mask}, {"hash", RedactAction::hash}, {"remove", RedactAction::remove}},
      "`mask` puts the kind in brackets; `hash` adds a keyed hash (HMAC-SHA-256), so that equal values can "
      "be told "
      "to be equal; `remove` leaves nothing.");
  s.field(
       "key", KeyType::secret, [](R& o) -> auto& { return o.key; },
       "The key of the hash; better from a file.")
      .example("${REDACTION_KEY}");
  s.field(
       "key_file", KeyType::secret_file, [](R& o) -> auto& { return o.key_file; },
       "File that holds that key.")
      .example("/run/secrets/redaction-key");
  s.at_most_one({"key", "key_file"});
  return s.done();
}

std::shared_ptr<const ObjectSchema> metadata_schema() {
  using M = MetadataOptions;
  SchemaBuilder<M> s(
      "Adds where the program runs. What the environment tells is added anyway (see \"Environment\" above); "
      "this is "
      "for the "
      "rest. The files are read when the program starts and at a reload. A value of the event itself wins.");
  s.field(
       "labels_file", KeyType::readable_file, [](M& o) -> auto& { return o.labels_file; },
       "`metadata.labels` of a downward API volume; they become labels `kubernetes.labels.KEY`.")
      .example("/etc/podinfo/labels");
  s.field(
       "annotations_file", KeyType::readable_file, [](M& o) -> auto& { return o.annotations_file; },
       "`metadata.annotations` of it, as `kubernetes.annotations.KEY`.")
      .example("/etc/podinfo/annotations");
  s.field(
       "only", KeyType::texts, [](M& o) -> auto& { return o.only; },
       "Globs of the keys to take (64 at most).")
      .example("[app, 'app.kubernetes.io/*']");
  s.field(
       "environment", KeyType::text_map, [](M& o) -> auto& { return o.environment; },
       "Fields and the environment variables that they are taken from; a variable that is not set adds "
       "nothing.")
      .example("{service.version: APP_VERSION}");
  return s.done();
}

std::shared_ptr<const ObjectSchema> make_processor_schema() {
  using P = ProcessorOptions;
  SchemaBuilder<P> s(
      "What happens to each event, in this order. An input's own processors come first, then those of the "
      "whole "
      "configuration. Each item is one processor, with a condition if need be.");
  s.object("when", [](P& p) -> auto& { return p.when; }, condition_schema());
  s.object("add", [](P& p) -> auto& { return p.add; }, add_schema());
  s.object("remove", [](P& p) -> auto& { return p.remove; }, remove_schema());
  s.object("rename", [](P& p) -> auto& { return p.rename; }, move_schema("Gives a field another name."));
  s.object("copy", [](P& p) -> auto& { return p.copy; }, move_schema("Copies a field."));
  s.object("parse", [](P& p) -> auto& { return p.parse; }, parse_schema());
  s.object("drop", [](P& p) -> auto& { return p.drop; }, drop_schema()).example("{}");
  s.object("sample", [](P& p) -> auto& { return p.sample; }, sample_schema());
  s.object("rate_limit", [](P& p) -> auto& { return p.rate_limit; }, rate_limit_schema());
  s.object("dedupe", [](P& p) -> auto& { return p.dedupe; }, dedupe_schema());
  s.object("truncate", [](P& p) -> auto& { return p.truncate; }, truncate_schema());
  s.object("redact", [](P& p) -> auto& { return p.redact; }, redact_schema());
  s.object("metadata", [](P& p) -> auto& { return p.metadata; }, metadata_schema());
  s.exactly_one({"add", "remove", "rename", "copy", "parse", "drop", "sample", "rate_limit", "dedupe",
                 "truncate", "redact", "metadata"});
  return s.done();
}

}  // namespace

std::shared_ptr<const ObjectSchema> condition_schema() {
  static const auto schema = [] {
    using C = ConditionOptions;
    SchemaBuilder<C> s("Which events it is about; all that is given must hold. Without it: all.");
    add_tests(s, [](C& c) -> SimpleCondition& { return c.must; });
    s.objects(
        "any", [](C& c) -> auto& { return c.any; },
        simple_condition_schema("Further conditions, of which one must hold."));
    s.objects(
        "not", [](C& c) -> auto& { return c.none; },
        simple_condition_schema("Conditions of which none may hold."));
    return s.done();
  }();
  return schema;
}

std::shared_ptr<const ObjectSchema> processor_schema() {
  static const auto schema = make_processor_schema();
  return schema;
}

}  // namespace sidelight
