#include "config/checks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "agent/decode/framer.h"
#include "agent/parse/parser.h"
#include "agent/tail/glob.h"
#include "config/checks_collectors.h"
#include "config/checks_files.h"
#include "config/checks_logstash.h"
#include "config/checks_processors.h"
#include "config/names.h"
#include "config/proxy.h"
#include "config/quantities.h"

namespace sidelight {
namespace {

constexpr std::size_t kSizeGrain = 512 * 1024;

// A list of one may stand without its dash.
std::string input_path(std::size_t i, const Findings& findings) {
  const std::string item = "logs[" + std::to_string(i) + "]";
  return findings.given(item) ? item : "logs";
}

void check_format(const LogInput& input, const std::string& path, Findings& findings) {
  const bool has_pattern = findings.given(path + ".pattern");
  if (input.parse.format == Format::regex && !has_pattern) {
    findings.error_at(path + ".format",
                      "format: regex needs a pattern; for example \"pattern: '(?P<message>.*)'\"");
  }
  if (input.parse.format != Format::regex && has_pattern) {
    findings.error_at(path + ".pattern", "is of use only with format: regex");
  }
  if (input.parse.format != Format::nginx_access && findings.given(path + ".nginx_log_format")) {
    findings.error_at(path + ".nginx_log_format", "is of use only with format: nginx");
  }
}

// What the stages themselves refuse, told with its place.
void check_decoding(const Settings& settings, const LogInput& input, const std::string& path,
                    Findings& findings) {
  const auto framer = make_framer(input.decode);
  if (!framer) {
    const bool wrapped = findings.given(path + ".encoding") && findings.given(path + ".container");
    findings.error_at(path + (wrapped ? ".encoding" : ".multiline"), framer.error().message);
    return;
  }
  // An event is read in one piece, which is charged to the budget; half of it stays for batches. What lines
  // are wrapped in is left out, so that round numbers are enough.
  const std::size_t piece = (*framer)->window_bytes() / kSizeGrain * kSizeGrain;
  if (piece <= settings.memory_budget / 2) return;
  const auto text = [](std::size_t bytes) { return format_bytes(static_cast<std::int64_t>(bytes)); };
  findings.error_at(findings.given(path + ".max_event_bytes") ? path + ".max_event_bytes" : "memory_budget",
                    "an event of this size takes " + text(piece) +
                        " while it is read, and memory_budget is " + text(settings.memory_budget) +
                        "; memory_budget must be at least " + text(2 * piece));
}

void check_parsing(const LogInput& input, const std::string& path, Findings& findings) {
  if (input.parse.format == Format::regex && input.parse.pattern.empty()) return;  // told already
  if (const auto parser = make_parser(input.parse); !parser) {
    const bool nginx = input.parse.format == Format::nginx_access;
    findings.error_at(path + (nginx ? ".nginx_log_format" : ".pattern"), parser.error().message);
  }
}

// Names label metrics, so they are unique.
void name_inputs(Settings& settings, Findings& findings) {
  std::map<std::string, std::size_t> owners;
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    const std::string& name = settings.logs[i].name;
    if (name.empty()) continue;
    const auto [first, is_new] = owners.emplace(name, i);
    if (!is_new) {
      findings.error_at(input_path(i, findings) + ".name",
                        "the same name as " + input_path(first->second, findings) + "; names are unique");
    }
  }
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    LogInput& input = settings.logs[i];
    if (!input.name.empty() || input.tail.paths.empty()) continue;
    const std::string& base = input.tail.paths.front();
    input.name = base;
    for (int n = 2; !owners.emplace(input.name, i).second; ++n) input.name = base + "#" + std::to_string(n);
  }
}

std::string glob_path(const Settings& settings, std::size_t input, std::size_t glob,
                      const Findings& findings) {
  const std::string list = input_path(input, findings) + ".paths";
  const std::string item = list + "[" + std::to_string(glob) + "]";
  // A list of one may stand without brackets.
  return settings.logs[input].tail.paths.size() == 1 && !findings.given(item) ? list : item;
}

void warn_same_globs(const Settings& settings, Findings& findings) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    for (std::size_t j = 0; j < settings.logs[i].tail.paths.size(); ++j) {
      const auto [first, is_new] = seen.emplace(settings.logs[i].tail.paths[j], i);
      if (is_new) continue;
      findings.warning_at(glob_path(settings, i, j, findings),
                          "the same paths as in " + input_path(first->second, findings) +
                              "; a file is read once, by the first input that matches it");
    }
  }
}

template <class Test>
bool any_alternative(const std::string& glob, const Test& test) {
  const auto all = expand_braces(glob);
  return std::any_of(all.begin(), all.end(), test);
}

// Does the glob match nothing but what is in `dir`?
bool leads_into(const std::string& glob, const std::string& dir) {
  return any_alternative(glob, [&](const std::string& g) {
    const std::string fixed = g.substr(0, g.find_first_of("*?["));
    return fixed.starts_with(dir) && fixed.size() > dir.size() &&
           (dir.ends_with('/') || fixed[dir.size()] == '/');
  });
}

// The state is never read, so that logs in its directory would be left out without a word.
void check_logs_outside_state(const Settings& settings, Findings& findings) {
  if (settings.state_dir.empty()) return;
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    for (std::size_t j = 0; j < settings.logs[i].tail.paths.size(); ++j) {
      if (!leads_into(settings.logs[i].tail.paths[j], settings.state_dir)) continue;
      findings.error_at(glob_path(settings, i, j, findings),
                        "leads into state_dir, which is never read: it has the program's own files; give "
                        "state_dir a directory of its own");
    }
  }
}

// A file that the program writes and also reads would never end.
void check_own_file(const Settings& settings, const std::string& file, const std::string& path,
                    Findings& findings) {
  if (file.empty()) return;
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    const TailOptions& tail = settings.logs[i].tail;
    const auto matches = [&](const std::string& glob) {
      return any_alternative(glob, [&](const std::string& g) { return match_path(g, file); });
    };
    const auto leaves_out = [&](const std::string& glob) {
      return any_alternative(glob, [&](const std::string& g) {
        return g.contains('/') ? match_path(g, file) : match_segment(g, base_name(file));
      });
    };
    if (!std::any_of(tail.paths.begin(), tail.paths.end(), matches)) continue;
    if (std::any_of(tail.exclude.begin(), tail.exclude.end(), leaves_out)) continue;
    findings.error_at(path, "is matched by " + input_path(i, findings) +
                                ".paths: the program would read what it writes; exclude it");
  }
}

void check_inputs(Settings& settings, Findings& findings) {
  for (std::size_t i = 0; i < settings.logs.size(); ++i) {
    LogInput& input = settings.logs[i];
    check_format(input, input_path(i, findings), findings);
    if (!input.decode.multiline.start_pattern.empty())
      input.decode.multiline.preset = MultilinePreset::custom;
    check_decoding(settings, input, input_path(i, findings), findings);
    check_parsing(input, input_path(i, findings), findings);
    // A service given by both ways would be two values for one field.
    const auto names_service = [](const auto& field) { return field.first == "service.name"; };
    if (!input.service.empty() && std::any_of(input.fields.begin(), input.fields.end(), names_service)) {
      findings.error_at(input_path(i, findings) + ".fields.service.name", "is already set by service");
    }
  }
  name_inputs(settings, findings);
  warn_same_globs(settings, findings);
  check_logs_outside_state(settings, findings);
}

void check_elasticsearch(const std::string& path, const Environment& environment, ElasticsearchOptions& es,
                         Findings& findings) {
  if (es.backoff_initial > es.backoff_max) {
    findings.error_at(
        path + (findings.given(path + ".backoff_initial") ? ".backoff_initial" : ".backoff_max"),
        "backoff_initial must not be longer than backoff_max");
  }
  const auto given = [&](const char* key) { return findings.given(path + key); };
  if (!es.username.empty() && !given(".password") && !given(".password_file")) {
    findings.error_at(path + ".username", "needs a password; give password_file");
  }
  if (!es.tls.verify) {
    findings.warning_at(
        path + ".tls.verify",
        "certificates are not verified: anyone on the way can read and change the logs; set ca_file instead");
  }
  if (es.proxy == "off") {
    es.proxy.clear();
  } else if (es.proxy.empty()) {
    const ProxyChoice choice = proxy_from_environment(es.hosts, environment);
    if (choice.mixed) {
      findings.warning_at(
          path + ".hosts",
          "the environment's proxy variables treat these hosts differently, so no proxy is used; set proxy");
    }
    es.proxy = choice.proxy;
    if (!es.proxy.empty() && !check_proxy_url(es.proxy).empty()) {
      findings.error_at(path + ".hosts", "the proxy in the environment's " + choice.variable +
                                             " is no good: " + check_proxy_url(es.proxy) +
                                             "; set proxy, or proxy: off");
    }
  }
}

void check_output(const std::string& path, const Environment& environment, const Settings& settings,
                  OutputSettings& out, Findings& findings) {
  if (out.elasticsearch)
    check_elasticsearch(path + ".elasticsearch", environment, *out.elasticsearch, findings);
  if (out.logstash) check_logstash(path + ".logstash", *out.logstash, findings);
  if (out.file) check_own_file(settings, out.file->path, path + ".file.path", findings);
  // Of several outputs each has its share.
  const std::size_t most = settings.memory_budget / 2 / std::max<std::size_t>(settings.outputs.size(), 1);
  if (out.batch_bytes > most) {
    findings.error_at(findings.given(path + ".batch_bytes") ? path + ".batch_bytes" : "memory_budget",
                      settings.outputs.empty()
                          ? "batch_bytes must not be more than half of memory_budget"
                          : "batch_bytes must not be more than half of an output's share of memory_budget (" +
                                std::to_string(most) + " bytes)");
  }
}

void check_outputs(const Environment& environment, Settings& settings, Findings& findings) {
  if (settings.outputs.empty()) check_output("output", environment, settings, settings.output, findings);
  for (std::size_t i = 0; i < settings.outputs.size(); ++i) {
    const std::string item = "outputs[" + std::to_string(i) + "]";
    check_output(findings.given(item) ? item : "outputs", environment, settings, settings.outputs[i],
                 findings);
  }
  place_dead_letters(settings);
  check_own_file(settings, settings.log.file, "log.file", findings);
  check_files(settings, findings);
  check_routes(settings, findings);
}

void check_http(const Settings& settings, Findings& findings) {
  if (!settings.http) return;
  const std::string& listen = settings.http->listen;
  if (listen.starts_with("0.0.0.0:") || listen.starts_with("[::]:") || listen.starts_with("*:")) {
    findings.warning_at("http.listen", "metrics and health are open to everyone who can reach this machine");
  }
}

// The downward API gives a container these under any names; the ones that manifests commonly use.
void add_host_fields(const Environment& environment, Settings& settings) {
  constexpr auto kFields = std::to_array<std::pair<const char*, const char*>>({
      {"HOSTNAME", "host.name"},
      {"CLUSTER_NAME", "kubernetes.cluster.name"},
      {"CONTAINER_NAME", "kubernetes.container.name"},
      {"POD_NAMESPACE", "kubernetes.namespace"},
      {"NODE_NAME", "kubernetes.node.name"},
      {"POD_IP", "kubernetes.pod.ip"},
      {"POD_NAME", "kubernetes.pod.name"},
      {"POD_UID", "kubernetes.pod.uid"},
  });
  for (const auto& [variable, field] : kFields) {
    if (auto value = environment(variable); value && !value->empty()) {
      settings.host_fields.emplace_back(field, *std::move(value));
    }
  }
}

}  // namespace

void place_dead_letters(Settings& settings) {
  const std::string dir = settings.state_dir + "/dead-letters";
  if (settings.output.elasticsearch) settings.output.elasticsearch->dead_letters.dir = dir;
  for (OutputSettings& o : settings.outputs) {
    if (o.elasticsearch) o.elasticsearch->dead_letters.dir = dir + "/" + o.name;
  }
}

void complete_settings(const Environment& environment, Settings& settings, Findings& findings) {
  check_inputs(settings, findings);
  complete_processors(environment, settings, findings);
  check_outputs(environment, settings, findings);
  check_http(settings, findings);
  add_host_fields(environment, settings);
  complete_collectors(settings, findings);
}

}  // namespace sidelight
