#include <algorithm>

#include "collectors/objectives.h"
#include "config/names.h"
#include "config/schema_builder.h"
#include "config/schema_collectors.h"
#include "config/schema_processors.h"
#include "config/settings.h"

namespace sidelight {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kTiB = 1024 * 1024 * kMiB;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;

std::shared_ptr<const ObjectSchema> log_schema() {
  SchemaBuilder<LogOptions> s("The program's own log.");
  using enum LogLevel;
  s.choice(
       "level", [](LogOptions& l) -> auto& { return l.level; },
       std::vector<std::pair<std::string, LogLevel>>{
           {"debug", debug}, {"info", info}, {"warn", warn}, {"error", error}},
       "Least level that is written.")
      .restart();
  s.choice(
       "format", [](LogOptions& l) -> auto& { return l.json; },
       std::vector<std::pair<std::string, bool>>{{"text", false}, {"json", true}},
       "Lines for people, or one JSON object a line.")
      .restart();
  s.field(
       "file", KeyType::path, [](LogOptions& l) -> auto& { return l.file; },
       "File to append to. It is never tailed by the program itself.")
      .restart()
      .default_note("standard error")
      .example("/var/log/sidelight/sidelight.log");
  return s.done();
}

std::shared_ptr<const ObjectSchema> http_schema() {
  SchemaBuilder<HttpServerOptions> s("The port for metrics and health. `http: off` opens none.");
  s.field(
       "listen", KeyType::listen, [](HttpServerOptions& h) -> auto& { return h.listen; },
       "Address and port; port 0 takes a free one.")
      .restart()
      .shown();
  s.field(
       "token_file", KeyType::secret_file, [](HttpServerOptions& h) -> auto& { return h.token_file; },
       "File with a token that the status page and its API ask for (`Authorization: Bearer`, or as a "
       "password of any user). Without "
       "it they answer on loopback addresses only; metrics and health are open in any case.")
      .restart()
      .example("/run/secrets/page-token");
  return s.done();
}

std::shared_ptr<const ObjectSchema> tailing_schema() {
  using Limits = TailLimits;
  SchemaBuilder<Limits> s("Limits of reading files, shared by all inputs.");
  s.field(
       "rescan_interval", KeyType::duration, [](Limits& t) -> auto& { return t.rescan_interval; },
       "A full look at all paths while the system notifies of changes.")
      .between(100, kHour);
  s.field(
       "poll_interval", KeyType::duration, [](Limits& t) -> auto& { return t.poll_interval; },
       "The same, and of open files, while it does not.")
      .between(10, kHour);
  s.field(
       "close_rotated_after", KeyType::duration, [](Limits& t) -> auto& { return t.close_rotated_after; },
       "A rotated file that is fully read is let go after so long without news.")
      .between(0, 24 * kHour);
  s.field(
       "deleted_files_budget", KeyType::bytes, [](Limits& t) -> auto& { return t.deleted_files_budget; },
       "Disk space that deleted files may keep until they are read; beyond it they are let go and the lost "
       "bytes counted.")
      .between(0, 64 * kTiB);
  s.field(
       "max_open_files", KeyType::integer, [](Limits& t) -> auto& { return t.max_open_files; },
       "Files open at a time; 0: from the process's descriptor limit.")
      .between(0, 1'000'000);
  s.field(
       "max_files", KeyType::integer, [](Limits& t) -> auto& { return t.max_files; },
       "Files known at a time; more are left alone and counted.")
      .between(1, 10'000'000);
  return s.done();
}

void add_limits(SchemaBuilder<Settings>& s) {
  s.field(
       "memory_budget", KeyType::bytes, [](Settings& c) -> auto& { return c.memory_budget; },
       "Memory for everything that is on its way; reading waits when it is used up.")
      .between(8 * kMiB, kTiB);
  s.field(
       "multiline_timeout", KeyType::duration, [](Settings& c) -> auto& { return c.multiline_timeout; },
       "A multiline event without news is closed after this time.")
      .between(10, kHour);
  s.field(
       "unterminated_timeout", KeyType::duration, [](Settings& c) -> auto& { return c.unterminated_timeout; },
       "So is a last line that has no newline.")
      .between(10, kHour);
  s.field(
       "shutdown_deadline", KeyType::duration, [](Settings& c) -> auto& { return c.shutdown_deadline; },
       "On SIGTERM everything is read, sent and acknowledged within this time. Keep it below the grace "
       "period of whoever stops the program.")
      .between(0, kHour);
  s.field(
       "checkpoint_interval", KeyType::duration, [](Settings& c) -> auto& { return c.checkpoint_interval; },
       "How often the positions of acknowledged lines are written to `state_dir`.")
      .between(10, 60 * kSecond);
}

std::string check_objective_name(const std::string& name) {
  const std::vector<std::string> known = known_objectives();
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  const std::string near = nearest(name, known);
  return "unknown objective" +
         (near.empty() ? "; config/REFERENCE.md lists them" : "; did you mean \"" + near + "\"?");
}

}  // namespace

const ObjectSchema& settings_schema() {
  static const std::shared_ptr<const ObjectSchema> schema = [] {
    SchemaBuilder<Settings> s("The configuration of Sidelight.");
    const auto output = output_schema();
    s.objects(
         "logs", [](Settings& c) -> auto& { return c.logs; }, log_input_schema())
        .at_least(1)
        .shown()
        .example("[{paths: [/var/log/app/*.log]}]");
    s.objects("processors", [](Settings& c) -> auto& { return c.processors; }, processor_schema());
    s.object(
         "output", [](Settings& c) -> auto& { return c.output; }, output)
        .required_with("logs")
        .unless("outputs")
        .shown()
        .example("{file: {path: ./out.ndjson}}");
    s.objects("outputs", [](Settings& c) -> auto& { return c.outputs; }, output).at_least(1);
    s.objects("routes", [](Settings& c) -> auto& { return c.routes; }, route_schema());
    s.at_most_one({"output", "outputs"});
    s.field(
         "state_dir", KeyType::path, [](Settings& c) -> auto& { return c.state_dir; },
         "Directory for positions and dead letters; made if absent. One program at a time may use it. It "
         "must outlive a restart.")
        .required_with("logs")
        .restart()
        .shown()
        .example("./state");
    s.object("collectors", [](Settings& c) -> auto& { return c.collectors; }, collectors_schema());
    s.object("log_metrics", [](Settings& c) -> auto& { return c.log_metrics; }, log_metrics_schema());
    s.field(
         "objectives", KeyType::text_map, [](Settings& c) -> auto& { return c.objectives; },
         "What the team promises, by the name of a metric: exported as NAME_objective, and alert rules join "
         "it. Known: " +
             known_objectives_text() + ".")
        .check(check_objective_name)
        .check_entry(check_objective)
        .example("{mes_queue_drain_seconds: 300, mes_cache_hit_ratio: 0.6}");
    s.object("log", [](Settings& c) -> auto& { return c.log; }, log_schema());
    s.object_or_off("http", [](Settings& c) -> auto& { return c.http; }, http_schema()).restart().shown();
    s.object("tailing", [](Settings& c) -> auto& { return c.limits; }, tailing_schema());
    add_limits(s);
    return s.done();
  }();
  return *schema;
}

}  // namespace sidelight
