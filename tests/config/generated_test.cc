#include "config/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "config/document.h"
#include "config/reader.h"
#include "config/schema.h"
#include "tests/config/loading.h"

namespace sidelight {
namespace {

using std::string_literals::operator""s;

// The tests run in the root of the source tree.
std::string committed(const std::string& path) {
  PosixFileSystem disk;
  return disk.read_file(path, 1 << 20).value_or("(unreadable)");
}

TEST(Generated, ReferenceIsUpToDate) {
  EXPECT_EQ(committed("config/REFERENCE.md"), generate_reference())
      << "regenerate: sidelight schema --reference > config/REFERENCE.md";
}

TEST(Generated, JsonSchemaIsUpToDate) {
  EXPECT_EQ(committed("config/schema.json"), generate_json_schema())
      << "regenerate: sidelight schema --json-schema > config/schema.json";
}

TEST(Generated, ExampleIsUpToDate) {
  EXPECT_EQ(committed("config/example.yaml"), generate_example())
      << "regenerate: sidelight schema --example > config/example.yaml";
}

TEST(Generated, ExampleLoadsWithoutAWord) {
  Loading l;
  const LoadResult r = l.load(generate_example());
  EXPECT_EQ(render_problems(r.errors, r.warnings), "");
  EXPECT_TRUE(r.settings);
}

// Calls `visit` for every key of the schema, with its path and the struct that holds it by default.
void each_key(const ObjectSchema& schema, const std::string& path,
              const std::function<void(const KeySpec&, const std::string&, void*)>& visit) {
  const std::shared_ptr<void> defaults = schema.make();
  for (const KeySpec& key : schema.fields) {
    const std::string here = join_key(path, key.key);
    visit(key, here, defaults.get());
    if (key.object) each_key(*key.object, here, visit);
  }
}

std::string read_one(const KeySpec& key, const std::string& yaml, void* owner) {
  MemoryFileSystem files;
  if (key.type == KeyType::secret_file || key.type == KeyType::readable_file)
    files.write_file(key.example, "x");
  std::vector<ConfigProblem> syntax;
  const DocumentNode node = parse_document(key.key + ": " + yaml + "\n", syntax);
  if (!syntax.empty()) return render_problem(syntax[0]);
  Findings findings("x");
  const Environment environment = [](const std::string&) { return std::optional<std::string>("value"); };
  ObjectSchema one;
  one.fields = {key};
  Reader(files, environment, "/", findings).read_object(one, owner, node, {});
  return render_problems(findings.errors, {});
}

TEST(Schema, EveryExampleIsAcceptedByItsKey) {
  each_key(settings_schema(), {}, [](const KeySpec& key, const std::string& path, void* owner) {
    if (key.example.empty()) return;
    EXPECT_EQ(read_one(key, key.example, owner), "") << path;
  });
}

TEST(Schema, EveryDocumentedDefaultIsAcceptedAndIsTheRealOne) {
  int compared = 0;
  each_key(settings_schema(), {}, [&](const KeySpec& key, const std::string& path, void* owner) {
    if (key.object || key.required) return;
    const KeyValue real = key.get(owner);
    const std::string text = format_value(key, real);
    if (text == "''" || text == "[]" || text == "{}") return;
    EXPECT_EQ(read_one(key, text, owner), "") << path;
    EXPECT_EQ(key.get(owner), real) << path << ": " << text;
    if (key.default_note.empty()) {
      EXPECT_NE(generate_reference().find("| `" + text + "` |"), std::string::npos) << path;
    }
    ++compared;
  });
  EXPECT_GT(compared, 30);
}

TEST(Schema, DefaultsOfALoadedConfigurationAreThoseOfTheStructs) {
  Loading l;
  const LoadResult r = l.load(around(""));
  ASSERT_TRUE(r.settings);
  Settings plain;
  plain.http.emplace();
  Settings loaded = *r.settings;
  loaded.logs.clear();
  loaded.output.file.reset();
  loaded.state_dir.clear();
  EXPECT_EQ(render_settings(loaded), render_settings(plain));
}

// What is printed of what `yaml` says, loaded and printed again.
void expect_it_prints_what_loads(Loading& l, const std::string& yaml) {
  const LoadResult first = l.load(yaml);
  ASSERT_EQ(text_of(first.errors), "") << yaml;
  const std::string printed = render_settings(*first.settings);
  const LoadResult second = l.load(printed);
  ASSERT_EQ(text_of(second.errors), "") << printed;
  EXPECT_EQ(render_settings(*second.settings), printed);
  EXPECT_TRUE(same_collectors(*first.settings, *second.settings));
  EXPECT_TRUE(same_log_metrics(*first.settings, *second.settings));
}

TEST(Print, WhatIsPrintedLoadsAgainAndPrintsTheSame) {
  const std::string logs = "logs: {paths: /a.log}\nstate_dir: ./s\n";
  for (const std::string& yaml : {
           logs + "output: {stdout: {}}\nhttp: off\n",
           logs + "output: {file: {path: /o}}\n",
           logs + "output: {logstash: {hosts: [a], protocol: tcp, tls: {}}}\n",
           logs + "output: {logstash: {hosts: ['http://a'], protocol: http, username: u, password: (secret), "
                  "proxy: "
                  "off}}\n",
           logs +
               "outputs: [{name: a, stdout: {}}, {name: b, elasticsearch: {hosts: http://h, data_stream: d, "
               "proxy: off}}]\nroutes: {when: {level: debug}, output: b}\n",
           logs +
               "output: {stdout: {}}\nprocessors:\n  - {drop: {}, when: {service: x, not: {level: info}}}\n"
               "  - add: {fields: {a: '$${b}', c: \"d\\n\\t'\\\"e\", f: 'null', g: ' h: #i', j: '$$${k}'}}\n"
               "  - redact: {action: hash, key: (secret)}\n  - parse: {field: x, format: key_value}\n"
               "  - sample: {keep: 0.25, levels: {debug: 0.01}}\n  - dedupe: {}\n  - metadata: {}\n"
               "log_metrics: {presets: app, rules: {name: x_total, when: {event: '!'}}}\n",
           "logs: {paths: '/a/{b,c}*.log', multiline: java, format: regex, pattern: '(?P<message>.*)'}\n"
           "state_dir: ./s\noutput: {stdout: {}}\n"s,
           "logs: {paths: /a.log, multiline: {start_pattern: '^{'}, fields: {client.ip: '::1'}}\n"
           "state_dir: ./s\noutput: {stdout: {}}\n"s,
           "collectors:\n  redis: [{url: redis://h}, {sentinel: {master: m, hosts: [a, b]}, tls: {}}]\n"
           "  rabbitmq: {prometheus_urls: [http://r], queues: q}\n  process: {}\n  nginx: {url: http://n}\n"
           "  postgres: {url: postgresql://p/d}\n  memcached: {address: m, username: u, password: (secret)}\n"
           "  elasticsearch: {url: http://e}\n  logstash: {url: http://l}\n"
           "  http_json: {url: http://j, metrics: {name: a_b, pointer: /x, help: H}}\n"
           "objectives: {mes_queue_drain_seconds: 5}\n"s,
       }) {
    Loading l;
    l.environment["HTTP_PROXY"] = "http://proxy:1";
    expect_it_prints_what_loads(l, yaml);
  }
}

TEST(Schema, EveryKeyIsHelpedDocumentedAndUnique) {
  const std::string reference = generate_reference();
  const std::string example = generate_example();
  std::set<std::string> paths;
  each_key(settings_schema(), {}, [&](const KeySpec& key, const std::string& path, void*) {
    EXPECT_TRUE(paths.insert(path).second) << path;
    EXPECT_TRUE(key.help.ends_with(".") || key.help.ends_with("`")) << path << ": a sentence";
    EXPECT_NE(reference.find("| `" + key.key + "` |"), std::string::npos) << path;
    EXPECT_NE(example.find(key.key + ":"), std::string::npos) << path;
    EXPECT_LE(key.min, key.max) << path;
  });
  EXPECT_GT(paths.size(), 70u);
}

TEST(JsonSchema, KnowsEveryKeyAndNothingElse) {
  const auto json = nlohmann::json::parse(generate_json_schema());
  EXPECT_EQ(json["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(json["additionalProperties"], false);
  EXPECT_EQ(json["dependentRequired"]["logs"], (nlohmann::json{"state_dir"}));
  const auto& input = json["properties"]["logs"]["anyOf"][1]["items"];
  EXPECT_EQ(input["properties"].size(), settings_schema().find("logs")->object->fields.size());
  const auto& max_files = json["properties"]["tailing"]["anyOf"][0]["properties"]["max_files"];
  EXPECT_EQ(max_files["default"], 100000);
  EXPECT_EQ(max_files["anyOf"][0]["maximum"], 10000000);
}

class Examples : public testing::TestWithParam<const char*> {};

TEST_P(Examples, Loads) {
  Loading l;
  for (const char* file :
       {"/run/secrets/elastic-password", "/run/secrets/elastic-ca.pem", "/run/secrets/redaction-key",
        "/run/secrets/logstash-ca.pem", "/run/secrets/sidelight.pem", "/run/secrets/sidelight.key",
        "/run/secrets/sidelight/api-key"}) {
    l.files.write_file(file, "x");
    l.files.chmod(file, 0600);
  }
  const std::string yaml = committed(std::string("config/examples/") + GetParam() + ".yaml");
  const LoadResult r = l.load(yaml);
  EXPECT_EQ(render_problems(r.errors, r.warnings), "");
  EXPECT_TRUE(r.settings);
  expect_it_prints_what_loads(l, yaml);
}

INSTANTIATE_TEST_SUITE_P(Config, Examples,
                         testing::Values("minimal-file", "elasticsearch", "kubernetes-sidecar",
                                         "multiline-java", "nginx", "logstash", "redaction",
                                         "several-outputs"));

}  // namespace
}  // namespace sidelight
