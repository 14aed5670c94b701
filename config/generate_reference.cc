#include <map>
#include <string_view>

#include "config/generate.h"
#include "config/reader.h"
#include "config/schema.h"

namespace sidelight {
namespace {

// Text inside a table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(const std::string& text) {
  return "`" + cell(text) + "`";
}

std::string type_cell(const KeySpec& key) {
  if (key.type == KeyType::choice) {
    std::string out;
    for (const std::string& c : key.choices) out += (out.empty() ? "" : ", ") + code(c);
    return out;
  }
  const std::string bounds = bounds_text(key);
  return type_name(key.type) + (bounds.empty() ? "" : ", " + bounds);
}

// Empty strings and lists say nothing; a section's defaults stand at its keys.
std::string default_cell(const KeySpec& key, const void* defaults) {
  if (key.required) return "**required**";
  if (!key.required_with.empty())
    return "**required** with " + code(key.required_with) +
           (key.unless.empty() ? "" : ", unless " + code(key.unless) + " is there");
  if (!key.default_note.empty()) return key.default_note;
  if (key.object) return "";
  const std::string value = format_value(key, key.get(defaults));
  return value == "''" || value == "[]" || value == "{}" ? "" : code(value);
}

std::string meaning_cell(const KeySpec& key) {
  std::string out = key.help;
  if (!key.example.empty() && key.example != "{}") out += " Example: " + code(key.example) + ".";
  if (key.restart) out += " A change needs a restart.";
  if (key.is_secret()) out += " Never printed.";
  if (key.type == KeyType::secret_file || key.type == KeyType::readable_file) {
    out += " The file must be there and readable at the start.";
  }
  return cell(out);
}

void write_rules(const ObjectSchema& schema, std::string& out) {
  for (const KeyGroup& group : schema.exclusive) {
    out += group.one_needed ? "- Exactly one of " : "- At most one of ";
    for (const std::string& key : group.keys) out += (key == group.keys.front() ? "" : ", ") + code(key);
    out += ".\n";
  }
  for (const auto& [key, other] : schema.needs) out += "- " + code(key) + " needs " + code(other) + ".\n";
}

// Where a section was described that can stand in several places.
using Described = std::map<const ObjectSchema*, std::string>;

void write_section(const ObjectSchema& schema, const std::string& path, Described& described,
                   std::string& out) {
  if (schema.fields.empty()) return;
  out += "## " + (path.empty() ? std::string("The file") : code(path)) + "\n\n" + schema.help + "\n\n";
  const auto [before_this, first] = described.emplace(&schema, path);
  if (!first) {
    out += "The same keys as " + code(before_this->second) + ".\n\n";
    return;
  }
  out += "| Key | Type | Default | Meaning |\n|---|---|---|---|\n";
  const std::shared_ptr<void> defaults = schema.make();
  for (const KeySpec& key : schema.fields) {
    out += "| " + code(key.key) + " | " + type_cell(key) + " | " + default_cell(key, defaults.get()) + " | " +
           meaning_cell(key) + " |\n";
  }
  out += "\n";
  const std::size_t before = out.size();
  write_rules(schema, out);
  if (out.size() != before) out += "\n";
  for (const KeySpec& key : schema.fields) {
    if (!key.object) continue;
    write_section(*key.object, join_key(path, key.key) + (key.type == KeyType::object_list ? "[]" : ""),
                  described, out);
  }
}

constexpr std::string_view kIntroduction = R"(# Configuration reference

Generated from the schema in `config/schema_*.cc` by `sidelight schema --reference`; do not edit.

One YAML document. `sidelight check --config FILE` tells everything that is wrong with it, each problem as
`file:line:column: key: message`, and exits with 2 if there is an error. On SIGHUP, and when the file changes, a running
program reads it again; a bad file leaves the old configuration in force.

- **Sizes**: a whole number with `B`, `KiB`, `MiB`, `GiB`, `TiB` (or `Ki`, `Mi`, `Gi`, `Ti`), or `KB`, `MB`, `GB`, `TB` for
  powers of 1000; without a unit, bytes.
- **Durations**: whole numbers with `ms`, `s`, `m` or `h`, as in `250ms` or `1m30s`.
- **Paths**: relative ones start from the directory of the configuration file.
- **Lists**: a single value may stand without brackets.
- **Environment**: `${VAR}` is replaced by the variable, which must be set; `${VAR:-default}` takes the default when it is
  unset or empty; `$${` is a plain `${`. Values only, not keys. An empty value leaves the default.
- **Secrets** come from the environment or, better, from files: the keys that end in `_file`. Their values are never
  printed.
- **Added to every document** where the variable is set: `HOSTNAME` as `host.name`, `CLUSTER_NAME` as
  `kubernetes.cluster.name`, `CONTAINER_NAME` as `kubernetes.container.name`, `POD_NAMESPACE` as `kubernetes.namespace`,
  `NODE_NAME` as `kubernetes.node.name`, `POD_IP` as `kubernetes.pod.ip`, `POD_NAME` as `kubernetes.pod.name`, `POD_UID` as
  `kubernetes.pod.uid`. In Kubernetes, set them by the downward API.

)";

}  // namespace

std::string generate_reference() {
  std::string out(kIntroduction);
  Described described;
  write_section(settings_schema(), {}, described, out);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace sidelight
