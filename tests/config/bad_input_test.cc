#include <gtest/gtest.h>

#include <ostream>

#include "config/schema.h"
#include "tests/config/loading.h"

namespace sidelight {
namespace {

struct BadInput {
  const char* name;
  std::string yaml;
  std::string
      expected;  // all errors, each "line:column: key: message\n"; {top} stands for the keys at the top
};

void PrintTo(const BadInput& b, std::ostream* out) {
  *out << b.name;
}

std::string keys_at_the_top() {
  const auto& fields = settings_schema().fields;
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    out += (i == 0 ? "" : i + 1 == fields.size() ? " and " : ", ") + fields[i].key;
  return out;
}

class BadInputs : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputs, AreToldWithPlaceAndRemedy) {
  Loading l;
  l.environment["NEGATIVE"] = "-1";
  l.environment["EMPTY"] = "";
  l.environment["TILDE"] = "~/x";
  l.files.make_dirs("/etc/sidelight/dir").value();
  l.files.write_file("/etc/sidelight/empty", "");
  l.files.write_file("/etc/sidelight/newline", "\r\n");
  const LoadResult r = l.load(GetParam().yaml);
  std::string expected = GetParam().expected;
  const std::string top = "{top}";
  if (const std::size_t at = expected.find(top); at != std::string::npos)
    expected.replace(at, top.size(), keys_at_the_top());
  EXPECT_EQ(text_of(r.errors), expected);
  EXPECT_FALSE(r.settings);
}

const BadInput kBad[] = {
    {"Empty", "",
     "1:1: the configuration is empty; it needs logs (with output and state_dir), or collectors\n"},
    {"OnlyComments", "# nothing\n",
     "1:1: the configuration is empty; it needs logs (with output and state_dir), or collectors\n"},
    {"NotASection", "- a\n", "1:1: expected a section of keys ({top}), got a list\n"},
    {"UnknownKeyNearAKnownOne", around("memory_bugdet: 1\n"),
     "5:1: memory_bugdet: unknown key; did you mean \"memory_budget\"?\n"},
    {"CamelCaseKey", around("memoryBudget: 16MiB\n"),
     "5:1: memoryBudget: unknown key; did you mean \"memory_budget\"?\n"},
    {"UnknownKeyThatBelongsElsewhere", around("hosts: [http://h]\n"),
     "5:1: hosts: unknown key; did you mean output.elasticsearch.hosts? known at the top: {top}\n"},
    {"UnknownKeyNearNothing", around("log: {zzzzzzzz: 1}\n"),
     "5:7: log.zzzzzzzz: unknown key; known here: level, format and file\n"},
    {"WrongTypeListForNumber", around("tailing: {max_files: [1]}\n"),
     "5:22: tailing.max_files: expected a whole number, got a list; for example \"max_files: 1\"\n"},
    {"WordForNumber", around("tailing: {max_files: four}\n"),
     "5:22: tailing.max_files: expected a whole number, got \"four\"; for example \"max_files: 1\"\n"},
    {"FractionForNumber", around("tailing: {max_files: 1.5}\n"),
     "5:22: tailing.max_files: expected a whole number, got \"1.5\"; for example \"max_files: 1\"\n"},
    {"OutOfBounds", around("tailing: {max_files: 10000001}\n"),
     "5:22: tailing.max_files: must be from 1 to 10000000, got \"10000001\"\n"},
    {"TooSmall", around("memory_budget: 1MiB\n"),
     "5:16: memory_budget: must be from 8MiB to 1TiB, got \"1MiB\"\n"},
    {"ASampleIsWithinItsBounds",
     "logs: [{paths: [/a], max_event_bytes: lots}]\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:39: logs[0].max_event_bytes: expected a size, got \"lots\"; for example \"max_event_bytes: "
     "16MiB\"\n"},
    {"Utf16InAContainer",
     "logs: [{paths: [/a], container: cri, encoding: utf-16le}]\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:48: logs[0].encoding: container logs are never UTF-16: the encoding does not go with a container "
     "format\n"},
    {"NginxFormatThatIsNone",
     "logs: [{paths: [/a], format: nginx, nginx_log_format: '$status$status'}]\noutput: {stdout: {}}\n"
     "state_dir: /s\n",
     "1:55: logs[0].nginx_log_format: nginx log_format: $status and the variable behind it have nothing "
     "between "
     "them\n"},
    {"EventAgainstBudget",
     "logs: [{paths: [/a], max_event_bytes: 16MiB}]\noutput: {stdout: {}}\nstate_dir: /s\nmemory_budget: "
     "8MiB\n",
     "1:39: logs[0].max_event_bytes: an event of this size takes 16MiB while it is read, and memory_budget "
     "is "
     "8MiB; memory_budget must be at least 32MiB\n"},
    {"JoinedEventAgainstBudget",
     "logs: [{paths: [/a], max_event_bytes: 16MiB, container: auto, multiline: java}]\noutput: {stdout: {}}\n"
     "state_dir: /s\n",
     "1:39: logs[0].max_event_bytes: an event of this size takes 64MiB while it is read, and memory_budget "
     "is "
     "32MiB; memory_budget must be at least 128MiB\n"},
    {"SizeOutsideInt64", around("memory_budget: 99999999999GiB\n"),
     "5:16: memory_budget: expected a size, got \"99999999999GiB\"; for example \"memory_budget: 32MiB\"\n"},
    {"DurationWithoutUnit", around("shutdown_deadline: 5\n"),
     "5:20: shutdown_deadline: expected a duration, got \"5\"; for example \"shutdown_deadline: 1s\"\n"},
    {"NoValue", around("tailing:\n  max_files:\n"),
     "6:3: tailing.max_files: expected a whole number, got nothing; for example \"max_files: 1\"\n"},
    {"WrongWord", around("log:\n  level: warning\n"),
     "6:10: log.level: expected one of debug, info, warn, error, got \"warning\"; did you mean \"warn\"?\n"},
    {"ScalarForSection", around("log: debug\n"),
     "5:6: log: expected a section of keys (level, format and file), got a single value\n"},
    {"ValueForList", "logs: /a\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:7: logs: expected a list, each item beginning with \"- \"; got a single value\n"},
    {"OneWithoutItsDash", "logs: {path: [/a]}\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:8: logs.path: unknown key; did you mean \"paths\"?\n"},
    {"EmptyList", "logs: []\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:7: logs: the list is empty; at least one item is required\n"},
    {"NoPaths", "logs:\n  - service: a\noutput: {stdout: {}}\nstate_dir: /s\n",
     "2:5: logs[0].paths: required, but missing; for example \"paths: [/var/log/app/*.log]\"\n"},
    {"MisspeltRequiredKeyIsToldOnce", "logs:\n  - path: [/a]\noutput: {stdout: {}}\nstate_dir: /s\n",
     "2:5: logs[0].path: unknown key; did you mean \"paths\"?\n"},
    {"NoOutput", "logs: [{paths: [/a]}]\nstate_dir: /s\n",
     "1:1: output: required, but missing; for example \"output: {file: {path: ./out.ndjson}}\"\n"},
    {"OutputWithoutKind", "logs: [{paths: [/a]}]\noutput: {flush_interval: 1s}\nstate_dir: /s\n",
     "2:9: output: one of elasticsearch, logstash, file and stdout is required\n"},
    {"TwoOutputs", "logs: [{paths: [/a]}]\noutput: {stdout: {}, file: {path: /o}}\nstate_dir: /s\n",
     "2:18: output.stdout: excludes file; give only one of elasticsearch, logstash, file and stdout\n"},
    {"NothingToDo", "http: off\n", "1:1: nothing to do: give logs, or targets under collectors\n"},
    {"EachRuleIsToldAtItsPlace",
     around("log_metrics:\n  rules:\n    - {name: a}\n    - {name: b_total, when: {level: '/(/'}}\n"
            "    - {name: c_total}\n    - {name: c_total}\n"),
     "7:7: log_metrics.rules[0]: log metric a: the name of a counter ends in _total\n"
     "8:7: log_metrics.rules[1]: log metric b_total: not a regular expression of RE2: missing ): (\n"
     "10:7: log_metrics.rules[3]: log metric c_total: another rule or preset makes it already\n"},
    {"OneRuleWithoutItsDash", around("log_metrics:\n  rules: {name: a}\n"),
     "6:10: log_metrics.rules: log metric a: the name of a counter ends in _total\n"},
    {"PresetGivenTwice", around("log_metrics: {presets: [app, app]}\n"),
     "5:24: log_metrics.presets: log metric app_requests_total: another rule or preset makes it already\n"},
    {"TwoObjectives",
     around("objectives:\n  mes_queue_drain_seconds: ${NEGATIVE}\n  mes_cache_hit_ratio: 2\n  nonsense: 1\n"),
     "6:28: objectives.mes_queue_drain_seconds: must be above 0, got \"${NEGATIVE}\"\n"
     "7:24: objectives.mes_cache_hit_ratio: must be below 1: it is a share of the whole, got \"2\"\n"
     "8:3: objectives.nonsense: unknown objective; config/REFERENCE.md lists them\n"},
    {"UnknownObjective", around("objectives: {mes_queue_drain_second: 5}\n"),
     "5:14: objectives.mes_queue_drain_second: unknown objective; did you mean "
     "\"mes_queue_drain_seconds\"?\n"},
    {"ObjectiveBeyondTheHistogram", around("objectives: {gateway_request_duration_seconds: 10}\n"),
     "5:48: objectives.gateway_request_duration_seconds: must be below 10: it is the largest bucket of that "
     "histogram, and what is beyond cannot be told apart, got \"10\"\n"},
    {"ObjectiveOfNothing", around("objectives: {mes_queue_drain_seconds: 0}\n"),
     "5:39: objectives.mes_queue_drain_seconds: must be above 0, got \"0\"\n"},
    {"ObjectiveNoNumber", around("objectives: {mes_queue_drain_seconds: 5m}\n"),
     "5:39: objectives.mes_queue_drain_seconds: expected a number in the metric's unit, got \"5m\"\n"},
    {"TwoTargetsOfOneName", around("collectors: {nginx: [{url: http://h/a}, {url: http://h/b}]}\n"),
     "5:41: collectors.nginx[1]: its name \"h:80\" is taken by another nginx target; give it a name of its "
     "own\n"},
    {"LaterVersionsKeys", around("insight: {}\n"), "5:1: insight: unknown key; known at the top: {top}\n"},
    {"MissingVariable", around("memory_budget: ${BUDGET}\n"),
     "5:16: memory_budget: the environment variable BUDGET is not set; set it, or give a default: "
     "${BUDGET:-default}\n"},
    {"OpenVariable", around("log: {file: '${X'}\n"),
     "5:13: log.file: ${ without its }; write $${ for a literal ${\n"},
    {"BadVariableName", around("log: {file: '${1-2}'}\n"),
     "5:13: log.file: ${...} must hold the name of an environment variable, as in ${VAR} or ${VAR:-default}; "
     "write "
     "$${ for a literal ${\n"},
    {"DuplicateKey", around("http: off\nhttp: {}\n"),
     "6:1: duplicate key \"http\"; it is already set on line 5\n"},
    {"SecondDocument", around("---\nhttp: off\n"),
     "6:1: a second YAML document; a configuration is one document\n"},
    {"TabIndentation", "logs:\n\t- paths: [/a]\n",
     "2:1: a tab in the indentation; YAML allows spaces only\n"},
    {"BrokenYaml", "logs: [\n", "2:1: not valid YAML: end of sequence flow not found\n"},
    {"GlobWithoutQuotes", "logs:\n  - paths: [*.log]\n",
     "2:13: not valid YAML: the referenced anchor is not defined; a value that begins with * needs quotes, "
     "as in "
     "'*.log'\n"},
    {"GlobWithBracesWithoutQuotes", "logs:\n  - paths: *.{log,txt}\n",
     "2:14: not valid YAML: illegal character found while scanning alias; a value that begins with * needs "
     "quotes, as in '*.log'\n"},
    {"AmpersandWithoutQuotes", "a: & b\n",
     "1:5: not valid YAML: anchor not found after &; a value that begins with & needs quotes\n"},
    {"AsteriskElsewhere", "a: 'x*' [\n", "1:9: not valid YAML: end of map not found\n"},
    {"MergeKey", around("log: &l {level: info}\nhttp: {<<: *l}\n"),
     "6:8: merge keys (<<) are not supported; repeat the keys, or use aliases for values\n"},
    {"ListAsKey", around("? [a]\n: b\n"), "5:3: a key must be plain text\n"},
    {"BadPattern",
     "logs:\n  - paths: [/a]\n    multiline: {start_pattern: '('}\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:32: logs[0].multiline.start_pattern: not a regular expression of RE2: a parenthesis has no partner, "
     "got "
     "\"(\"; for example \"start_pattern: '^\\d{4}-\\d\\d-\\d\\d '\"\n"},
    {"PatternWithoutItsFormat",
     "logs:\n  - paths: [/a]\n    pattern: a\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:14: logs[0].pattern: is of use only with format: regex\n"},
    {"FormatWithoutItsPattern",
     "logs:\n  - paths: [/a]\n    format: regex\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:13: logs[0].format: format: regex needs a pattern; for example \"pattern: '(?P<message>.*)'\"\n"},
    {"TwoMultilineRules",
     "logs:\n  - paths: [/a]\n    multiline: {preset: java, start_pattern: a}\noutput: {stdout: "
     "{}}\nstate_dir: /s\n",
     "3:46: logs[0].multiline.start_pattern: excludes preset; give only one of preset and start_pattern\n"},
    {"UnknownField",
     "logs:\n  - paths: [/a]\n    fields: {shop.id: 1}\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:14: logs[0].fields.shop.id: no field of the schema that documents follow; put it under labels\n"},
    {"ConstantsThatTheirFieldsCannotTake",
     "logs:\n  - paths: [/a]\n    fields:\n      http.response.status_code: abc\n      client.ip: "
     "${NEGATIVE}\n"
     "      event.duration: 1.5\n      process.pid: ''\n      faas.coldstart: yes\n"
     "      event.start: 22.11.2026 20:01:02\n      event.end: 2026-11-22T20:01:02+03:00\n"
     "      process.exit_code: 0\n      server.ip: '::1'\n      service.environment: 5\n"
     "output: {stdout: {}}\nstate_dir: /s\n",
     "4:34: logs[0].fields.http.response.status_code: the field takes a whole number, got \"abc\"\n"
     "5:18: logs[0].fields.client.ip: the field takes an IPv4 or IPv6 address, got \"${NEGATIVE}\"\n"
     "6:23: logs[0].fields.event.duration: the field takes a whole number, got \"1.5\"\n"
     "7:20: logs[0].fields.process.pid: the field takes a whole number, got \"\"\n"
     "8:23: logs[0].fields.faas.coldstart: the field takes true or false, got \"yes\"\n"
     "9:20: logs[0].fields.event.start: the field takes a time such as 2026-11-22T20:01:02Z, got "
     "\"22.11.2026 "
     "20:01:02\"\n"},
    {"SameNameTwice",
     "logs:\n- {paths: [/a], name: x}\n- {paths: [/b], name: x}\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:23: logs[1].name: the same name as logs[0]; names are unique\n"},
    {"ReadsWhatItWrites",
     "logs: [{paths: [/x/*.ndjson]}]\noutput: {file: {path: /x/out.ndjson}}\nstate_dir: /s\n",
     "2:23: output.file.path: is matched by logs[0].paths: the program would read what it writes; exclude "
     "it\n"},
    {"ReadsWhatItWritesByBracesAndAnyDepth",
     "logs: [{paths: ['/x/**/*.{log,ndjson}'], exclude: ['{a,b}.ndjson', '*.log']}]\n"
     "output: {file: {path: /x/y/z/out.ndjson}}\nlog: {file: /x/own.log}\nstate_dir: /s\n",
     "2:23: output.file.path: is matched by logs[0].paths: the program would read what it writes; exclude "
     "it\n"},
    {"OutputsThatShareAFile",
     "logs: [{paths: [/a]}]\nstate_dir: /s\noutputs:\n  - {name: a, file: {path: /o}}\n  - {name: b, file: "
     "{path: "
     "/./o}}\n  - {name: c, file: {path: /o.2}}\n  - {name: d, file: {path: /p.10}}\n  - {name: e, file: "
     "{path: "
     "/p}}\n  - {name: f, file: {path: /o.old}}\nlog: {file: /o.1}\n",
     "5:28: outputs[1].file.path: is the file of outputs[0].file.path already; give it one of its own\n"
     "6:28: outputs[2].file.path: is a name that older files of outputs[0].file.path get (PATH.1, PATH.2, "
     "...); "
     "give it another one\n"
     "6:28: outputs[2].file.path: is a name that older files of outputs[1].file.path get (PATH.1, PATH.2, "
     "...); "
     "give it another one\n"
     "8:28: outputs[4].file.path: its older files (PATH.1, PATH.2, ...) would replace the file of "
     "outputs[3].file.path; give it another name\n"
     "10:13: log.file: is a name that older files of outputs[0].file.path get (PATH.1, PATH.2, ...); give it "
     "another one\n"
     "10:13: log.file: is a name that older files of outputs[1].file.path get (PATH.1, PATH.2, ...); give it "
     "another one\n"},
    {"FilesInPlaceOfTheState",
     "logs: [{paths: [/a]}]\nstate_dir: /s\noutput: {file: {path: /s}}\nlog: {file: /s/lock}\n",
     "3:23: output.file.path: the program keeps its state there (state_dir); give it another place\n"
     "4:13: log.file: the program keeps its state there (state_dir); give it another place\n"},
    {"OneFileForDocumentsAndOwnLog",
     "logs: [{paths: [/a]}]\nstate_dir: /s\noutput: {file: {path: /s/out}}\nlog: {file: /s/out}\n",
     "4:13: log.file: is the file of output.file.path already; give it one of its own\n"},
    {"LogsInTheState", "logs: [{paths: ['/s/{logs,x}/*.log']}]\noutput: {stdout: {}}\nstate_dir: /s\n",
     "1:17: logs[0].paths[0]: leads into state_dir, which is never read: it has the program's own files; "
     "give "
     "state_dir a directory of its own\n"},
    {"WhatAShellWouldHaveReplaced",
     "logs:\n  - paths: [~/a.log, $LOGS/*.log, '${TILDE}', '${D:-$}x/y']\n    exclude: '~/*.gz'\n"
     "output: {elasticsearch: {hosts: [http://h], index: a, api_key_file: $HOME/key}}\nstate_dir: /s/$USER\n",
     "2:13: logs[0].paths[0]: ~ is not replaced here; write ${HOME}, got \"~/a.log\"; for example \"paths: "
     "[/var/log/app/*.log]\"\n"
     "2:22: logs[0].paths[1]: a variable needs braces to be replaced: write ${NAME}, not $NAME, got "
     "\"$LOGS/*.log\"; for example \"paths: [/var/log/app/*.log]\"\n"
     "2:35: logs[0].paths[2]: ~ is not replaced here; write ${HOME}, got \"${TILDE}\"; for example \"paths: "
     "[/var/log/app/*.log]\"\n"
     "3:14: logs[0].exclude: ~ is not replaced here; write ${HOME}, got \"~/*.gz\"; for example \"exclude: "
     "['*.gz', '*.tmp']\"\n"
     "4:69: output.elasticsearch.api_key_file: a variable needs braces to be replaced: write ${NAME}, not "
     "$NAME\n"
     "5:12: state_dir: a variable needs braces to be replaced: write ${NAME}, not $NAME, got \"/s/$USER\"; "
     "for "
     "example \"state_dir: ./state\"\n"},
    {"BadOffset", "logs:\n  - paths: [/a]\n    timezone: +3\noutput: {stdout: {}}\nstate_dir: /s\n",
     "3:15: logs[0].timezone: an offset is written as +03:00, got \"+3\"; for example \"timezone: "
     "Europe/Moscow\"\n"},
    {"BadListen", around("http: {listen: 9464}\n"),
     "5:16: http.listen: the port is missing, got \"9464\"; for example \"listen: 127.0.0.1:9464\"\n"},
    {"BadPort", around("http: {listen: 'h:70000'}\n"),
     "5:16: http.listen: the port must be a number from 0 to 65535, got \"h:70000\"; for example \"listen: "
     "127.0.0.1:9464\"\n"},
    {"UrlWithoutScheme", elasticsearch("    hosts: [localhost:9200]\n    index: a\n"),
     "6:13: output.elasticsearch.hosts[0]: must begin with one of http://, https://, got \"localhost:9200\"; "
     "for "
     "example \"hosts: [http://127.0.0.1:9200]\"\n"},
    {"NoTarget", elasticsearch("    hosts: [http://h]\n"),
     "6:5: output.elasticsearch: one of data_stream and index is required\n"},
    {"BothTargets", elasticsearch("    hosts: [http://h]\n    index: a\n    data_stream: b\n"),
     "7:12: output.elasticsearch.index: excludes data_stream; give only one of data_stream and index\n"},
    {"UpperCaseIndex", elasticsearch("    hosts: [http://h]\n    index: Shop\n"),
     "7:12: output.elasticsearch.index: must be in lower case, got \"Shop\"; for example \"index: "
     "shop-%Y.%m.%d\"\n"},
    {"DateInADataStream", elasticsearch("    hosts: [http://h]\n    data_stream: logs-%Y.%d\n"),
     "7:18: output.elasticsearch.data_stream: % stands for dates in index only; a data stream has one name "
     "for "
     "all days, got \"logs-%Y.%d\"; for example \"data_stream: logs-shop-default\"\n"},
    {"BadIndexDate", elasticsearch("    hosts: [http://h]\n    index: a-%y\n"),
     "7:12: output.elasticsearch.index: after % only Y, m, d or H may stand, as in shop-%Y.%m.%d, got "
     "\"a-%y\"; for "
     "example \"index: shop-%Y.%m.%d\"\n"},
    {"MissingSecretFile",
     elasticsearch("    hosts: [http://h]\n    index: a\n    username: u\n    password_file: ./pw\n"),
     "9:20: output.elasticsearch.password_file: cannot read /etc/sidelight/pw: No such file or directory\n"},
    {"DirectoryAsSecretFile", elasticsearch("    hosts: [http://h]\n    index: a\n    api_key_file: dir\n"),
     "8:19: output.elasticsearch.api_key_file: /etc/sidelight/dir is a directory\n"},
    {"TargetsThatLetNobodyInWithoutAPassword",
     "collectors:\n  rabbitmq: {url: http://h, queues: [q], username: u}\n"
     "  elasticsearch: [{url: http://h, username: u}, {url: http://i, username: u, password: '${UNSET}'}]\n"
     "  memcached: {address: h, username: u}\n"
     "  redis: {sentinel: {master: m, hosts: [h], username: u}}\n"
     "  nginx: {url: http://h, username: u}\n",
     "2:52: collectors.rabbitmq.username: needs a password; give password_file\n"
     "3:45: collectors.elasticsearch[0].username: needs a password; give password_file\n"
     "3:88: collectors.elasticsearch[1].password: the environment variable UNSET is not set; set it, or give "
     "a "
     "default: ${UNSET:-default}\n"
     "4:37: collectors.memcached.username: needs a password; give password_file\n"
     "5:55: collectors.redis.sentinel.username: needs a password; give password_file\n"},
    {"EmptySecretFiles",
     elasticsearch(
         "    hosts: [http://h]\n    index: a\n    username: u\n    password_file: empty\n"
         "http: {token_file: newline}\ncollectors: {nginx: {url: http://h, token_file: newline}}\n"),
     "9:20: output.elasticsearch.password_file: /etc/sidelight/empty is empty\n"
     "10:20: http.token_file: /etc/sidelight/newline is empty\n"
     "11:49: collectors.nginx.token_file: /etc/sidelight/newline is empty\n"},
    {"SecretsThatCannotBeHadAreToldOnce",
     around("processors:\n  - redact: {action: hash, key_file: ./none}\n  - parse: {format: regex, pattern: "
            "'('}\n"
            "collectors:\n  redis:\n    - {url: redis://a, username: u, password: '${UNSET}'}\n"
            "    - {url: redis://b, username: u, password_file: ./none}\n"
            "    - {url: redis://c, username: u, password: '${EMPTY}'}\n"),
     "6:38: processors[0].redact.key_file: cannot read /etc/sidelight/none: No such file or directory\n"
     "7:37: processors[1].parse.pattern: not a regular expression of RE2: a parenthesis has no partner, got "
     "\"(\"; for example \"pattern: 'order (?P<order>\\d+) took (?P<took_ms>\\d+) ms'\"\n"
     "10:47: collectors.redis[0].password: the environment variable UNSET is not set; set it, or give a "
     "default: "
     "${UNSET:-default}\n"
     "11:52: collectors.redis[1].password_file: cannot read /etc/sidelight/none: No such file or directory\n"
     "12:34: collectors.redis[2].username: needs a password; give password_file\n"},
    {"UnsetPasswordOfAnOutput",
     elasticsearch("    hosts: [http://h]\n    index: a\n    username: u\n    password: ${UNSET}\n"),
     "9:15: output.elasticsearch.password: the environment variable UNSET is not set; set it, or give a "
     "default: ${UNSET:-default}\n"},
    {"PasswordWithoutUser", elasticsearch("    hosts: [http://h]\n    index: a\n    password: p\n"),
     "8:15: output.elasticsearch.password: is of use only together with username, which is missing\n"},
    {"UserWithoutPassword", elasticsearch("    hosts: [http://h]\n    index: a\n    username: u\n"),
     "8:15: output.elasticsearch.username: needs a password; give password_file\n"},
    {"TwoKindsOfCredentials",
     elasticsearch("    hosts: [http://h]\n    index: a\n    api_key: k\n    bearer_token: t\n"),
     "9:19: output.elasticsearch.bearer_token: excludes api_key; give only one of password, password_file, "
     "api_key, "
     "api_key_file, bearer_token and bearer_token_file\n"
     "9:19: output.elasticsearch.bearer_token: excludes api_key; give only one of username, api_key, "
     "api_key_file, "
     "bearer_token and bearer_token_file\n"},
    {"BackoffTheWrongWayRound",
     elasticsearch("    hosts: [http://h]\n    index: a\n    backoff_initial: 10s\n    backoff_max: 1s\n"),
     "8:22: output.elasticsearch.backoff_initial: backoff_initial must not be longer than backoff_max\n"},
    {"BatchAgainstBudget", "logs: [{paths: [/a]}]\noutput: {stdout: {}, batch_bytes: 17MiB}\nstate_dir: /s\n",
     "2:35: output.batch_bytes: batch_bytes must not be more than half of memory_budget\n"},
    {"ControlBytesStayOffTheTerminal", around("\"\\e[31m\": 1\nmemory_budget: 0\n"),
     "5:1: \\x1b[31m: unknown key; known at the top: {top}\n"
     "6:16: memory_budget: must be from 8MiB to 1TiB, got \"0\"\n"},
};

INSTANTIATE_TEST_SUITE_P(Config, BadInputs, testing::ValuesIn(kBad),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(BadInput, MissingFileIsToldWithoutAPlace) {
  MemoryFileSystem files;
  const LoadResult r =
      load_config(files, "/no.yaml", [](const std::string&) { return std::optional<std::string>(); });
  EXPECT_EQ(text_of(r.errors), "/no.yaml: cannot read the configuration: No such file or directory\n");
}

TEST(BadInput, AliasBombEndsInAnError) {
  std::string yaml = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    yaml += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) yaml += std::string(i ? "," : "") + "*" + static_cast<char>(c - 1);
    yaml += "]\n";
  }
  Loading l;
  EXPECT_NE(text_of(l.load(yaml).errors).find("too many nodes"), std::string::npos);
}

TEST(BadInput, DeepNestingEndsInAnError) {
  Loading l;
  EXPECT_FALSE(l.load(std::string(100'000, '[')).settings);
  EXPECT_FALSE(l.load("a: " + std::string(100, '[') + std::string(100, ']')).settings);
}

TEST(Report, EndsWithTheNumbers) {
  Loading l;
  const LoadResult r = l.load(around("memory_budget: 0\nhttp: {listen: '0.0.0.0:1'}\n"));
  EXPECT_EQ(
      render_problems(r.errors, r.warnings),
      "/etc/sidelight/sidelight.yaml:5:16: memory_budget: must be from 8MiB to 1TiB, got \"0\"\n"
      "/etc/sidelight/sidelight.yaml:6:16: http.listen: warning: metrics and health are open to everyone who "
      "can reach this machine\n"
      "1 error, 1 warning\n");
}

TEST(BadInput, ANulInATextIsToldWithItsPlace) {
  Loading l;
  const std::string bad =
      text_of(l.load("logs:\n  - paths: [\"/a\\0.log\", '/b\\0.log']\n    fields: {host.name: \"h\\0\"}\n"
                     "output: {file: {path: ./out.ndjson}}\nstate_dir: \"./s\\0t\"\n")
                  .errors);
  for (const char* place :
       {"2:13: logs[0].paths[0]: holds a NUL character",
        "3:25: logs[0].fields.host.name: holds a NUL character", "5:12: state_dir: holds a NUL character"})
    EXPECT_NE(bad.find(place), std::string::npos) << place << " in\n" << bad;
  EXPECT_EQ(std::count(bad.begin(), bad.end(), '\n'), 3) << bad;
}

}  // namespace
}  // namespace sidelight
