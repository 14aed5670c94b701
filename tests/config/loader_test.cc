#include "config/loader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/config/loading.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Settings good(Loading& loading, const std::string& yaml) {
  LoadResult r = loading.load(yaml);
  EXPECT_EQ(text_of(r.errors), "");
  return r.settings.value_or(Settings{});
}

TEST(Loader, MinimalConfigurationOfTheDesignLoads) {
  Loading l;
  const Settings s = good(l, R"(logs:
  - paths: [/var/log/app/*.log]
    format: json            # raw | json | logfmt | nginx | regex ...; auto by default
    service: shop
output:                      # required
  elasticsearch:
    hosts: [http://127.0.0.1:9200]
    data_stream: logs-shop-default
    compression: gzip
state_dir: ./state
http: {listen: 127.0.0.1:9464}
)");
  ASSERT_EQ(s.logs.size(), 1u);
  EXPECT_EQ(s.logs[0].tail.paths, std::vector<std::string>{"/var/log/app/*.log"});
  EXPECT_EQ(s.logs[0].parse.format, Format::json);
  EXPECT_EQ(s.logs[0].service, "shop");
  EXPECT_EQ(s.logs[0].name, "/var/log/app/*.log");
  ASSERT_TRUE(s.output.elasticsearch);
  EXPECT_EQ(s.output.elasticsearch->data_stream, "logs-shop-default");
  EXPECT_EQ(s.output.elasticsearch->dead_letters.dir, "/etc/sidelight/state/dead-letters");
  EXPECT_FALSE(s.output.file);
  EXPECT_EQ(s.state_dir, "/etc/sidelight/state");
  ASSERT_TRUE(s.http);
  EXPECT_EQ(s.http->listen, "127.0.0.1:9464");
}

TEST(Loader, EveryKeyOfAnInputReachesItsSetting) {
  Loading l;
  const Settings s = good(l, R"(logs:
  - name: one
    paths: [rel/*.log, /abs/x.log]
    exclude: ['*.gz', rel/a.log, ./b/*.log, '**/c.log', '/abs/d.log']
    start: end
    encoding: windows-1251
    container: auto
    multiline: {start_pattern: '^\d', max_lines: 7}
    max_event_bytes: 64KiB
    format: regex
    pattern: '(?P<message>.*)'
    timezone: "+03:00"
    service: mes
    fields: {service.environment: test}
    labels: {team: 7}
output: {stdout: {}}
state_dir: /s
)");
  ASSERT_EQ(s.logs.size(), 1u);
  const LogInput& i = s.logs[0];
  EXPECT_EQ(i.name, "one");
  EXPECT_EQ(i.tail.paths, (std::vector<std::string>{"/etc/sidelight/rel/*.log", "/abs/x.log"}));
  EXPECT_EQ(i.tail.exclude, (std::vector<std::string>{"*.gz", "/etc/sidelight/rel/a.log",
                                                      "/etc/sidelight/b/*.log", "**/c.log", "/abs/d.log"}));
  EXPECT_EQ(i.tail.start, StartAt::end);
  EXPECT_EQ(i.decode.encoding, Encoding::windows1251);
  EXPECT_EQ(i.decode.container, ContainerFormat::detect);
  EXPECT_EQ(i.decode.multiline.preset, MultilinePreset::custom);
  EXPECT_EQ(i.decode.multiline.start_pattern, "^\\d");
  EXPECT_EQ(i.decode.multiline.max_lines, 7u);
  EXPECT_EQ(i.decode.max_event_bytes, 64u << 10);
  EXPECT_EQ(i.parse.format, Format::regex);
  EXPECT_EQ(i.parse.pattern, "(?P<message>.*)");
  EXPECT_EQ(i.parse.timezone, "+03:00");
  EXPECT_EQ(i.fields, (Pairs{{"service.environment", "test"}}));
  EXPECT_EQ(i.labels, (Pairs{{"team", "7"}}));
  ASSERT_TRUE(s.output.file);
  EXPECT_EQ(s.output.file->path, "");
}

TEST(Loader, EveryKeyOfTheElasticsearchOutputReachesItsSetting) {
  Loading l;
  for (const char* file : {"/k/ca", "/k/cert", "/k/key"}) {
    l.files.write_file(file, "x");
    l.files.chmod(file, 0600);
  }
  const Settings s = good(l, elasticsearch(R"(    hosts: ["https://a:9200/es", "https://b"]
    index: shop-%Y.%m.%d
    pipeline: p
    create_template: false
    delivery: at_least_once
    username: u
    password: w
    tls: {ca_file: /k/ca, certificate_file: /k/cert, key_file: /k/key, verify: true}
    proxy: http://x:y@proxy:3128
    compression: none
    compression_level: 6
    max_concurrency: 2
    backoff_initial: 1s
    backoff_max: 1m30s
    timeout: 5s
    dead_letters: {max_bytes: 1GiB, on_full: drop_oldest}
  flush_interval: 250ms
  batch_bytes: 1MiB
  batch_documents: 50
)"));
  ASSERT_TRUE(s.output.elasticsearch);
  const ElasticsearchOptions& e = *s.output.elasticsearch;
  EXPECT_EQ(e.hosts, (std::vector<std::string>{"https://a:9200/es", "https://b"}));
  EXPECT_EQ(e.index, "shop-%Y.%m.%d");
  EXPECT_EQ(e.pipeline, "p");
  EXPECT_FALSE(e.create_template);
  EXPECT_TRUE(e.at_least_once);
  EXPECT_EQ(e.username + e.password, "uw");
  EXPECT_EQ(e.tls.ca_file + e.tls.certificate_file + e.tls.key_file, "/k/ca/k/cert/k/key");
  EXPECT_EQ(e.proxy, "http://x:y@proxy:3128");
  EXPECT_FALSE(e.gzip);
  EXPECT_EQ(e.gzip_level, 6);
  EXPECT_EQ(e.max_concurrency, 2u);
  EXPECT_EQ(e.backoff_initial, milliseconds(1000));
  EXPECT_EQ(e.backoff_max, milliseconds(90000));
  EXPECT_EQ(e.timeout, milliseconds(5000));
  EXPECT_EQ(e.dead_letters.max_bytes, 1u << 30);
  EXPECT_EQ(e.dead_letters.on_full, OnFull::drop_oldest);
  EXPECT_EQ(s.output.flush_interval, milliseconds(250));
  EXPECT_EQ(s.output.batch_bytes, 1u << 20);
  EXPECT_EQ(s.output.batch_documents, 50u);
}

TEST(Loader, EveryKeyAtTheTopReachesItsSetting) {
  Loading l;
  const Settings s = good(l, around(R"(log: {level: debug, format: json, file: self.log}
http: off
tailing:
  rescan_interval: 10s
  poll_interval: 2s
  close_rotated_after: 3s
  deleted_files_budget: 5MB
  max_open_files: 6
  max_files: 7
memory_budget: 16Mi
multiline_timeout: 4s
unterminated_timeout: 5s
shutdown_deadline: 6s
checkpoint_interval: 7s
)"));
  EXPECT_EQ(s.log.level, LogLevel::debug);
  EXPECT_TRUE(s.log.json);
  EXPECT_EQ(s.log.file, "/etc/sidelight/self.log");
  EXPECT_FALSE(s.http);
  EXPECT_EQ(s.limits.rescan_interval, milliseconds(10000));
  EXPECT_EQ(s.limits.poll_interval, milliseconds(2000));
  EXPECT_EQ(s.limits.close_rotated_after, milliseconds(3000));
  EXPECT_EQ(s.limits.deleted_files_budget, 5'000'000u);
  EXPECT_EQ(s.limits.max_open_files, 6u);
  EXPECT_EQ(s.limits.max_files, 7u);
  EXPECT_EQ(s.memory_budget, 16u << 20);
  EXPECT_EQ(s.multiline_timeout, milliseconds(4000));
  EXPECT_EQ(s.unterminated_timeout, milliseconds(5000));
  EXPECT_EQ(s.shutdown_deadline, milliseconds(6000));
  EXPECT_EQ(s.checkpoint_interval, milliseconds(7000));
}

TEST(Loader, WithoutHttpKeyTheDefaultPortIsOpen) {
  Loading l;
  const Settings s = good(l, around(""));
  ASSERT_TRUE(s.http);
  EXPECT_EQ(s.http->listen, "127.0.0.1:9464");
}

TEST(Loader, ShortMultilineNamesAPreset) {
  Loading l;
  const Settings s =
      good(l, "logs:\n- paths: /a.log\n  multiline: java\noutput: {stdout: {}}\nstate_dir: /s\n");
  EXPECT_EQ(s.logs.at(0).decode.multiline.preset, MultilinePreset::java);
  EXPECT_EQ(s.logs.at(0).tail.paths, std::vector<std::string>{"/a.log"});
}

TEST(Loader, VariablesDefaultsAndEscapes) {
  Loading l;
  l.environment = {{"NAME", "shop"}, {"EMPTY", ""}, {"NESTED", "${NAME}"}};
  const Settings s = good(l, R"(logs:
  - paths: ["/${NAME}/*.log"]
    service: ${MISSING:-fallback}-${EMPTY:-x}${EMPTY}
    labels: {a: "$${NAME}", b: "${NESTED}", c: "$NAME costs 5$"}
output: {stdout: {}}
state_dir: /s
memory_budget: ${BUDGET:-9MiB}
)");
  EXPECT_EQ(s.logs.at(0).tail.paths.at(0), "/shop/*.log");
  EXPECT_EQ(s.logs.at(0).service, "fallback-x");
  EXPECT_EQ(s.logs.at(0).labels, (Pairs{{"a", "${NAME}"}, {"b", "${NAME}"}, {"c", "$NAME costs 5$"}}));
  EXPECT_EQ(s.memory_budget, 9u << 20);
}

TEST(Loader, EmptyVariableLeavesTheDefaultAndDoesNotCountAsGiven) {
  Loading l;
  const Settings s = good(l, elasticsearch(R"(    hosts: [http://h]
    data_stream: a
    index: ${INDEX:-}
    username: u
    password: p
    api_key: ${API_KEY:-}
)"));
  EXPECT_EQ(s.output.elasticsearch->data_stream, "a");
}

TEST(Loader, DownwardApiVariablesBecomeHostFields) {
  Loading l;
  l.environment = {{"HOSTNAME", "h"},     {"POD_NAME", "p"},       {"POD_NAMESPACE", "n"}, {"POD_UID", "u"},
                   {"NODE_NAME", "node"}, {"CONTAINER_NAME", "c"}, {"POD_IP", ""}};
  Pairs fields = good(l, around("")).host_fields;
  std::sort(fields.begin(), fields.end());
  EXPECT_EQ(fields, (Pairs{{"host.name", "h"},
                           {"kubernetes.container.name", "c"},
                           {"kubernetes.namespace", "n"},
                           {"kubernetes.node.name", "node"},
                           {"kubernetes.pod.name", "p"},
                           {"kubernetes.pod.uid", "u"}}));
}

TEST(Loader, ProxyComesFromTheEnvironmentUnlessSet) {
  Loading l;
  l.environment = {{"HTTPS_PROXY", "proxy:3128"}, {"NO_PROXY", "127.0.0.1, .internal"}};
  const auto proxy = [&](const std::string& more) {
    return good(l, elasticsearch("    data_stream: a\n    " + more + "\n")).output.elasticsearch->proxy;
  };
  EXPECT_EQ(proxy("hosts: ['https://es.example:9200']"), "http://proxy:3128");
  EXPECT_EQ(proxy("hosts: ['http://es.example:9200']"), "");
  EXPECT_EQ(proxy("hosts: ['https://es.internal:9200']"), "");
  EXPECT_EQ(proxy("hosts: ['https://es.example']\n    proxy: 'off'"), "");
  EXPECT_EQ(proxy("hosts: ['https://es.example']\n    proxy: http://other:1"), "http://other:1");
}

TEST(Loader, RelativeConfigurationPathWorks) {
  Loading l;
  l.files.write_file("/conf/a.yaml", around(""));
  const LoadResult r =
      load_config(l.files, "conf/a.yaml", [](const std::string&) { return std::optional<std::string>(); });
  ASSERT_TRUE(r.settings) << text_of(r.errors);
  EXPECT_EQ(r.settings->state_dir, "/conf/state");
}

TEST(Loader, PathsStartAtTheDirectoryOfTheLinkNotOfItsTarget) {
  Loading l;
  l.files.write_file("/etc/c/..2026/a.yaml", around(""));
  l.files.make_symlink("..2026", "/etc/c/..data");
  l.files.make_symlink("..data/a.yaml", "/etc/c/a.yaml");
  const LoadResult r =
      load_config(l.files, "/etc/c/a.yaml", [](const std::string&) { return std::optional<std::string>(); });
  ASSERT_TRUE(r.settings) << text_of(r.errors);
  EXPECT_EQ(r.settings->state_dir, "/etc/c/state");
}

TEST(Loader, DefaultNamesOfEqualInputsDiffer) {
  Loading l;
  const Settings s = good(l, "logs: [{paths: [/a]}, {paths: [/a]}]\noutput: {stdout: {}}\nstate_dir: /s\n");
  EXPECT_EQ(s.logs.at(0).name, "/a");
  EXPECT_EQ(s.logs.at(1).name, "/a#2");
}

TEST(Loader, OneInputWithoutItsDashMayHaveAPattern) {
  Loading l;
  const LoadResult r = l.load(
      "logs: {paths: /a, format: regex, pattern: '(?P<message>.*)'}\noutput: {stdout: {}}\nstate_dir: /s\n");
  EXPECT_EQ(text_of(r.errors), "");
}

TEST(Loader, AliasesServeAsValues) {
  Loading l;
  const Settings s = good(l,
                          "logs:\n- &one {paths: [/a], labels: &l {team: x}}\n- {paths: [/b], labels: *l}\n"
                          "output: {stdout: {}}\nstate_dir: /s\n");
  EXPECT_EQ(s.logs.at(1).labels, (Pairs{{"team", "x"}}));
}

TEST(Warnings, TellWhatIsAllowedButUnwise) {
  Loading l;
  l.files.write_file("/k/pw", "x");  // mode 0644
  const LoadResult r = l.load(R"(logs:
  - paths: [/a.log]
  - paths: [/b.log, /a.log]
state_dir: /s
output:
  elasticsearch:
    hosts: [https://h]
    data_stream: a
    username: u
    password_file: /k/pw
    tls: {verify: false}
http: {listen: "0.0.0.0:9464"}
)");
  EXPECT_TRUE(r.settings) << text_of(r.errors);
  EXPECT_EQ(
      text_of(r.warnings),
      "3:21: logs[1].paths[1]: the same paths as in logs[0]; a file is read once, by the first input that "
      "matches it\n"
      "10:20: output.elasticsearch.password_file: /k/pw can be read by everyone on this machine; chmod o= "
      "it\n"
      "11:19: output.elasticsearch.tls.verify: certificates are not verified: anyone on the way can read and "
      "change the logs; set ca_file instead\n"
      "12:16: http.listen: metrics and health are open to everyone who can reach this machine\n");
}

TEST(Reload, DeadLettersStayInTheStateDirectoryThatARunningProgramKeeps) {
  Loading l;
  const Settings running = good(l, elasticsearch("    hosts: [http://a:9200]\n    data_stream: logs-a-b\n"));
  Settings next = good(l, R"(logs:
  - paths: [/a.log]
state_dir: /elsewhere
outputs:
  - {name: one, elasticsearch: {hosts: ["http://a:9200"], data_stream: logs-a-b}}
  - {name: two, elasticsearch: {hosts: ["http://b:9200"], data_stream: logs-a-b}}
)");
  ASSERT_EQ(next.outputs.at(1).elasticsearch->dead_letters.dir, "/elsewhere/dead-letters/two");
  keep_state_dir(running, next);
  EXPECT_EQ(next.state_dir, "/etc/sidelight/state");
  EXPECT_EQ(next.outputs[0].elasticsearch->dead_letters.dir, "/etc/sidelight/state/dead-letters/one");
  EXPECT_EQ(next.outputs[1].elasticsearch->dead_letters.dir, "/etc/sidelight/state/dead-letters/two");
  Settings back = running;
  back.state_dir = "/elsewhere";
  back.output.elasticsearch->dead_letters.dir = "/elsewhere/dead-letters";
  keep_state_dir(running, back);
  EXPECT_EQ(back.output.elasticsearch->dead_letters.dir, "/etc/sidelight/state/dead-letters");
}

TEST(Reload, SaysWhatNeedsARestart) {
  Loading l;
  const Settings a = good(l, around("multiline_timeout: 1s\n"));
  std::vector<std::string> keys;
  EXPECT_TRUE(
      same_except_reloadable(a, good(l, around("multiline_timeout: 2s\nmemory_budget: 64MiB\n")), keys));
  EXPECT_TRUE(keys.empty());
  EXPECT_FALSE(
      same_except_reloadable(a, good(l, around("http: {listen: 127.0.0.1:1}\nlog: {level: debug}\n")), keys));
  EXPECT_EQ(keys, (std::vector<std::string>{"log.level", "http.listen"}));
  keys.clear();
  EXPECT_FALSE(same_except_reloadable(a, good(l, around("http: off\n")), keys));
  EXPECT_EQ(keys, std::vector<std::string>{"http"});
}

TEST(Reload, MetricsFromLogsBeginAnewWithAnythingThatTheyRead) {
  Loading l;
  const std::string rules = "log_metrics: {rules: [{name: x_total, labels: {user: user}}]}\n";
  const Settings a = good(l, around(rules));
  for (const char* read : {"processors: [{redact: {}}]\n", "multiline_timeout: 3s\n",
                           "tailing: {max_files: 7}\n", "memory_budget: 64MiB\n"})
    EXPECT_FALSE(same_log_metrics(a, good(l, around(rules + read)))) << read;
  for (const char* other : {"", "objectives: {log_lag_seconds: 60}\n", "shutdown_deadline: 3s\n",
                            "collectors: {redis: [{url: 'redis://127.0.0.1:1'}]}\n"})
    EXPECT_TRUE(same_log_metrics(a, good(l, around(rules + other)))) << other;
  Settings elsewhere = a;
  elsewhere.output.file->path = "/b.ndjson";
  EXPECT_FALSE(same_log_metrics(a, elsewhere)) << "a glob that leads there reads what was written for it";
}

TEST(Reload, CountsGoOnWhileTheInputsAreThereAsTheyWere) {
  Loading l;
  const std::string a = "output: {stdout: {}}\nstate_dir: ./s\nlogs:\n  - {paths: [/a.log]}\n";
  const Settings before = good(l, a);
  EXPECT_TRUE(same_fields(before, good(l, a + "  - {paths: [/b.log]}\nmemory_budget: 64MiB\n")));
  EXPECT_FALSE(same_fields(good(l, a + "  - {paths: [/b.log]}\n"), before));
  EXPECT_FALSE(same_fields(before, good(l,
                                        "output: {stdout: {}}\nstate_dir: ./s\n"
                                        "logs: [{paths: [/a.log], processors: [{redact: {}}]}]\n")));
  EXPECT_FALSE(same_fields(before, good(l, a + "processors: [{redact: {}}]\n")));
}

}  // namespace
}  // namespace sidelight
