#include "agent/send/elasticsearch/index_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/ecs_fields.h"

namespace sidelight {
namespace {

using nlohmann::json;

// Above the built-in templates of Elasticsearch (logs-*-* has 100), which do not know our labels.
constexpr int kPriority = 200;
constexpr int kKeywordLimit = 1024;
constexpr int kLabelLimit = 8191;  // 4 bytes a character stay below Lucene's 32766 bytes a term
constexpr int kLabelDepth = 64;
constexpr int kFieldLimit = 2000;
constexpr std::string_view kManagedBy = "sidelight";

json keyword() {
  return {{"type", "keyword"}, {"ignore_above", kKeywordLimit}};
}

json text(const TemplateDialect& dialect) {
  if (dialect.match_only_text) return {{"type", "match_only_text"}};
  return {{"type", "text"}, {"norms", false}};
}

json labels(const TemplateDialect& dialect) {
  switch (dialect.labels) {
    case TemplateDialect::Labels::flattened:
      return {{"type", "flattened"}, {"ignore_above", kLabelLimit}, {"depth_limit", kLabelDepth}};
    case TemplateDialect::Labels::flat_object:
      return {{"type", "flat_object"}};
    case TemplateDialect::Labels::disabled_object:
      break;
  }
  return {{"type", "object"}, {"enabled", false}};  // stored, not searchable; never a conflict
}

json mapping_of(EcsType type, const TemplateDialect& dialect) {
  switch (type) {
    case EcsType::keyword:
      return keyword();
    case EcsType::text:
      return text(dialect);
    case EcsType::long_int:
      return {{"type", "long"}};
    case EcsType::real:
      return {{"type", "double"}};
    case EcsType::date:
      return {{"type", "date"}};
    case EcsType::ip:
      return {{"type", "ip"}};
    case EcsType::boolean:
      return {{"type", "boolean"}};
  }
  return keyword();
}

void put_field(json& properties, std::string_view dotted, json mapping) {
  json* level = &properties;
  for (auto dot = dotted.find('.'); dot != std::string_view::npos; dot = dotted.find('.')) {
    level = &(*level)[std::string(dotted.substr(0, dot))]["properties"];
    dotted.remove_prefix(dot + 1);
  }
  (*level)[std::string(dotted)] = std::move(mapping);
}

json mappings(const TemplateDialect& dialect) {
  json properties = json::object();
  for (std::size_t i = 0; i < ecs_count(); ++i) {
    const auto ordinal = static_cast<EcsOrdinal>(i);
    put_field(properties, ecs_name(ordinal), mapping_of(ecs_type(ordinal), dialect));
  }
  // A data stream's own field may not ignore what is malformed.
  put_field(properties, "@timestamp", {{"type", "date"}, {"ignore_malformed", false}});
  put_field(properties, "message", text(dialect));
  put_field(properties, "log.level", keyword());
  put_field(properties, "log.file.path", keyword());
  put_field(properties, "log.offset", {{"type", "long"}});
  put_field(properties, "event.id", keyword());
  put_field(properties, "labels", labels(dialect));
  const json strings = {{"strings", {{"match_mapping_type", "string"}, {"mapping", keyword()}}}};
  return {{"dynamic", true},
          {"date_detection", false},
          {"numeric_detection", false},
          {"dynamic_templates", json::array({strings})},
          {"properties", std::move(properties)}};
}

bool has(std::string_view s, std::string_view part) {
  return s.find(part) != std::string_view::npos;
}

// A member of an object; null when it is none, or has no such member.
const json& member(const json& object, const char* key) {
  static const json kNull;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNull : *found;
}

// The template called `name` in an answer; null when it is not in it.
const json& find_template(const json& answer, const std::string& name) {
  const json& all = member(answer, "index_templates");
  static const json kNull;
  if (!all.is_array()) return kNull;
  for (const json& entry : all) {
    if (member(entry, "name") == name) return member(entry, "index_template");
  }
  return kNull;
}

// Whether all names of `wanted` are names of `pattern`; in both a star stands for anything.
bool covers(std::string_view pattern, std::string_view wanted) {
  std::size_t p = 0;
  std::size_t w = 0;
  std::size_t star = std::string_view::npos;  // the last one of `pattern`, and
  std::size_t from = 0;                       // what of `wanted` it is tried for
  while (w < wanted.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = w;
    } else if (p < pattern.size() && pattern[p] == wanted[w]) {
      ++p;
      ++w;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      w = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool any_covers(const json& patterns, std::string_view wanted) {
  if (patterns.is_string()) return covers(patterns.get_ref<const std::string&>(), wanted);
  if (!patterns.is_array()) return false;
  return std::any_of(patterns.begin(), patterns.end(), [&](const json& p) {
    return p.is_string() && covers(p.get_ref<const std::string&>(), wanted);
  });
}

}  // namespace

bool TemplateDialect::adapt(std::string_view reason) {
  if (labels == Labels::flattened && (has(reason, "flattened") || has(reason, "depth_limit"))) {
    labels = Labels::flat_object;
    return true;
  }
  if (labels == Labels::flat_object && has(reason, "flat_object")) {
    labels = Labels::disabled_object;
    return true;
  }
  if (match_only_text && has(reason, "match_only_text")) {
    match_only_text = false;
    return true;
  }
  return false;
}

std::string template_pattern(const ElasticsearchOptions& options) {
  if (!options.data_stream.empty()) return options.data_stream;
  std::string out;
  for (std::size_t i = 0; i < options.index.size(); ++i) {
    if (options.index[i] != '%') {
      out += options.index[i];
    } else {
      ++i;
      if (out.empty() || out.back() != '*') out += '*';
    }
  }
  return out;
}

std::string template_name(const ElasticsearchOptions& options) {
  std::string name = "sidelight-";
  for (const char c : template_pattern(options)) {
    if (c != '*') name += c;
  }
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name;
}

std::string index_template(const ElasticsearchOptions& options, const TemplateDialect& dialect) {
  json out = {
      {"index_patterns", json::array({template_pattern(options)})},
      {"priority", kPriority},
      {"template",
       {{"settings",
         {{"index.mapping.ignore_malformed", true}, {"index.mapping.total_fields.limit", kFieldLimit}}},
        {"mappings", mappings(dialect)}}},
      {"_meta", {{"managed_by", kManagedBy}, {"schema", "ECS 8.11"}}}};
  if (!options.data_stream.empty()) out["data_stream"] = json::object();
  return out.dump();
}

TemplateFit judge_template(std::string_view answer, const ElasticsearchOptions& options) {
  const json body = json::parse(answer, nullptr, false);
  if (!member(body, "index_templates").is_array()) return TemplateFit::not_told;
  const json& found = find_template(body, template_name(options));
  if (!found.is_object()) return TemplateFit::fits;
  const bool kind_fits = member(found, "data_stream").is_null() == options.data_stream.empty();
  if (member(member(found, "_meta"), "managed_by") != kManagedBy)
    return kind_fits ? TemplateFit::foreign : TemplateFit::foreign_unfit;
  // Patterns that somebody widened by hand are left alone.
  const bool fits = kind_fits && any_covers(member(found, "index_patterns"), template_pattern(options));
  return fits ? TemplateFit::fits : TemplateFit::outdated;
}

}  // namespace sidelight
