#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "config/generate.h"
#include "config/quantities.h"
#include "config/schema.h"

namespace sidelight {
namespace {

using Json = nlohmann::ordered_json;

// Any scalar may be taken from the environment.
Json environment_form() {
  return {{"type", "string"}, {"pattern", "\\$\\{"}};
}

Json any_of(std::vector<Json> forms) {
  return {{"anyOf", std::move(forms)}};
}

// Sections that can stand in several places, by the names of their definitions.
using Shared = std::map<const ObjectSchema*, std::string>;

Json object_form(const ObjectSchema& schema, const Shared& shared);

Json scalar_form(const KeySpec& key) {
  switch (key.type) {
    case KeyType::boolean:
      return any_of({{{"type", "boolean"}}, environment_form()});
    case KeyType::integer:
      return any_of({{{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}}, environment_form()});
    case KeyType::number:
      return any_of({{{"type", "number"}, {"minimum", key.min}, {"maximum", key.max}}, environment_form()});
    case KeyType::bytes:
      return any_of({{{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}},
                     {{"type", "string"}, {"pattern", "^[0-9]+ ?([KMGT]i?B|[KMGT]i|B)?$"}},
                     environment_form()});
    case KeyType::duration:
      return any_of({{{"type", "string"}, {"pattern", "^([0-9]+(ms|s|m|h))+$"}}, environment_form()});
    case KeyType::choice:
      return any_of({{{"enum", key.choices}}, environment_form()});
    case KeyType::text:
    case KeyType::secret:
      return {{"type", Json::array({"string", "number", "boolean"})}};
    default:
      return {{"type", "string"}};
  }
}

Json form(const KeySpec& key, const Shared& shared) {
  switch (key.type) {
    case KeyType::object: {
      Json section = object_form(*key.object, shared);
      std::vector<Json> forms;
      // "off" is a string to YAML 1.2 and false to YAML 1.1.
      if (key.leave_out) forms.push_back({{"enum", {"off", false}}});
      if (!key.object->short_form.empty())
        forms.push_back(form(*key.object->find(key.object->short_form), shared));
      if (!key.required && key.required_with.empty()) forms.push_back({{"type", "null"}});
      if (forms.empty()) return section;
      forms.insert(forms.begin(), std::move(section));
      return any_of(std::move(forms));
    }
    case KeyType::object_list:
      return any_of(
          {object_form(*key.object, shared),
           {{"type", "array"}, {"minItems", key.min}, {"items", object_form(*key.object, shared)}}});
    case KeyType::texts:
    case KeyType::globs:
    case KeyType::excludes:
    case KeyType::urls: {
      const Json item = {{"type", "string"}, {"minLength", 1}};
      return any_of({item, {{"type", "array"}, {"minItems", key.min}, {"items", item}}});
    }
    case KeyType::text_map:
      return {{"type", Json::array({"object", "null"})},
              {"additionalProperties", {{"type", Json::array({"string", "number", "boolean"})}}}};
    default:
      return scalar_form(key);
  }
}

Json groups(const ObjectSchema& schema) {
  Json all = Json::array();
  for (const KeyGroup& group : schema.exclusive) {
    Json forms = Json::array();
    Json any = Json::array();
    for (const std::string& key : group.keys) {
      forms.push_back({{"required", {key}}});
      any.push_back({{"required", {key}}});
    }
    if (!group.one_needed) forms.push_back({{"not", {{"anyOf", any}}}});
    all.push_back({{"oneOf", std::move(forms)}});
  }
  return all;
}

Json section_form(const ObjectSchema& schema, const Shared& shared) {
  Json out = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  const std::shared_ptr<void> defaults = schema.make();
  Json required = Json::array();
  for (const KeySpec& key : schema.fields) {
    Json property = {{"description", key.help}};
    property.update(form(key, shared));
    if (!key.object && !key.required && key.required_with.empty() && key.default_note.empty()) {
      const std::string value = format_value(key, key.get(defaults.get()));
      const bool plain = value != "''" && value != "[]" && value != "{}" && !value.empty();
      if (plain && key.type == KeyType::boolean) property["default"] = value == "true";
      if (plain && key.type == KeyType::integer)
        property["default"] = std::get<std::int64_t>(key.get(defaults.get()));
      if (plain && key.type == KeyType::number)
        property["default"] = std::get<double>(key.get(defaults.get()));
      const bool in_quotes =
          key.type != KeyType::boolean && key.type != KeyType::integer && key.type != KeyType::number;
      if (plain && in_quotes) property["default"] = value;
    }
    out["properties"][key.key] = std::move(property);
    if (key.required) required.push_back(key.key);
    if (!key.required_with.empty() && key.unless.empty())
      out["dependentRequired"][key.required_with].push_back(key.key);
  }
  if (!required.empty()) out["required"] = std::move(required);
  if (Json all = groups(schema); !all.empty()) out["allOf"] = std::move(all);
  Json dependent = Json::object();
  for (const auto& [key, other] : schema.needs) dependent[key] = {other};
  if (!dependent.empty()) out["dependentRequired"] = std::move(dependent);
  return out;
}

Json object_form(const ObjectSchema& schema, const Shared& shared) {
  const auto it = shared.find(&schema);
  return it == shared.end() ? section_form(schema, shared) : Json{{"$ref", "#/$defs/" + it->second}};
}

// Counts where each section stands; those of shared sections are counted once.
void count_places(const ObjectSchema& schema, std::vector<std::pair<const ObjectSchema*, std::string>>& once,
                  Shared& shared) {
  for (const KeySpec& key : schema.fields) {
    if (!key.object) continue;
    const auto same = [&](const auto& seen) { return seen.first == key.object.get(); };
    const auto seen = std::find_if(once.begin(), once.end(), same);
    if (seen != once.end()) {
      shared.emplace(seen->first, seen->second);
      continue;
    }
    std::string name = key.key;
    const auto taken = [&](const auto& other) { return other.second == name; };
    for (int n = 2; std::any_of(once.begin(), once.end(), taken); ++n) name = key.key + std::to_string(n);
    once.emplace_back(key.object.get(), name);
    count_places(*key.object, once, shared);
  }
}

}  // namespace

std::string generate_json_schema() {
  std::vector<std::pair<const ObjectSchema*, std::string>> once;
  Shared shared;
  count_places(settings_schema(), once, shared);
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Sidelight configuration"}};
  out.update(section_form(settings_schema(), shared));
  for (const auto& [schema, name] : once)
    if (shared.contains(schema)) out["$defs"][name] = section_form(*schema, shared);
  return out.dump(2) + "\n";
}

}  // namespace sidelight
