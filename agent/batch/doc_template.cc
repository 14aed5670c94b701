#include "agent/batch/doc_template.h"

#include <algorithm>
#include <array>
#include <map>

#include "agent/base/ecs_fields.h"
#include "agent/base/json_text.h"

namespace sidelight {
namespace {

std::string literal_of(std::string_view text) {
  std::string s(escaped_bound(text.size()) + 2, '\0');
  s.resize(static_cast<std::size_t>(put_value(s.data(), text, ValueKind::text) - s.data()));
  return s;
}

// Names that the encoder writes itself; neither they nor what is above or below them can be a constant.
constexpr std::array<std::string_view, 10> kReserved = {"@timestamp", "message",   "log.level", "log.offset",
                                                        "log.file",   "log.flags", "stream",    "labels",
                                                        "ecs",        "event.id"};

bool is_above(std::string_view above, std::string_view name) {
  return name.size() > above.size() && name[above.size()] == '.' && name.starts_with(above);
}
bool collides(std::string_view a, std::string_view b) {
  return a == b || is_above(a, b) || is_above(b, a);
}

bool is_well_named(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@' || c == '.' || c == '/';
  };
  return !name.empty() && name.front() != '.' && name.back() != '.' &&
         name.find("..") == std::string_view::npos && std::all_of(name.begin(), name.end(), plain);
}

// Whether a document may carry `name` as a field of its own whatever its record brings.
bool is_free(std::string_view name) {
  if (!is_well_named(name) || is_ecs_parent(name)) return false;
  if (std::any_of(kReserved.begin(), kReserved.end(), [&](std::string_view r) { return collides(r, name); }))
    return false;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (find_ecs(name.substr(0, dot))) return false;
  }
  return true;
}

std::string_view top_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

std::string render(const std::vector<Constant>& fields, std::string_view parent) {
  std::vector<NamedValue> values;
  std::size_t bound = 0;
  for (const Constant& c : fields) {
    values.push_back(c.view());
    bound += name_bound(c.name) + c.literal.size();
  }
  std::string s(bound + kValueSlack, '\0');
  s.resize(static_cast<std::size_t>(put_fields(s.data(), values, parent) - s.data()));
  return s;
}

ConstantGroup begin_group(std::string_view top, bool leaf) {
  ConstantGroup g;
  g.begin = ecs_rank(top);
  g.end = leaf ? g.begin + (find_ecs(top) ? 1u : 0u) : ecs_rank(std::string(top) + '/');  // '/' follows '.'
  if (!leaf) g.begin = ecs_rank(std::string(top) + '.');
  return g;
}

}  // namespace

EcsRank ecs_rank(std::string_view name) {
  EcsRank low = 0;
  EcsRank high = ecs_count();
  while (low < high) {
    const EcsRank mid = (low + high) / 2;
    if (ecs_name(static_cast<EcsOrdinal>(mid)) < name) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  return low;
}

PreparedTemplate::PreparedTemplate(const DocConstants& constants, bool own_event_object) {
  std::map<std::string, std::string> fields;
  std::map<std::string, std::string> by_label(constants.labels.begin(), constants.labels.end());
  if (!constants.service.empty()) fields["service.name"] = constants.service;
  for (const auto& [name, value] : constants.fields) {
    if (is_above("labels", name)) {
      by_label[name.substr(7)] = value;
    } else if (!is_free(name)) {
      by_label.emplace(name, value);  // not lost, only elsewhere
    } else {
      fields[name] = value;
    }
  }
  // A leaf and something below it cannot both be; the map's order puts the leaf first.
  for (auto leaf = fields.begin(); leaf != fields.end(); ++leaf) {
    for (auto below = std::next(leaf); below != fields.end();) {
      if (!is_above(leaf->first, below->first)) {
        ++below;
        continue;
      }
      by_label.emplace(below->first, below->second);
      below = fields.erase(below);
    }
  }

  path = ",\"file\":{\"path\":" + literal_of(constants.path) + "}";
  for (const auto& [name, value] : fields) {
    Constant c{.name = name,
               .literal = literal_of(value),
               .rank = ecs_rank(name),
               .in_table = find_ecs(name).has_value()};
    const std::string_view top = top_of(name);
    if (top == "log") {
      log_fields.push_back(std::move(c));
    } else if (own_event_object && top == "event") {
      event_fields.push_back(std::move(c));
    } else {
      if (groups.empty() || top_of(groups.back().fields.back().name) != top)
        groups.push_back(begin_group(top, top == name));
      groups.back().fields.push_back(std::move(c));
    }
  }
  log_rendered = render(log_fields, "log");
  event_rendered = render(event_fields, "event");
  for (ConstantGroup& g : groups) {
    g.rendered_at = tail.size();
    tail += render(g.fields, "");
  }
  groups_end = tail.size();
  for (const auto& [key, value] : by_label) {
    ConstantLabel label{.key = repair_utf8(key), .literal = literal_of(key), .value = literal_of(value)};
    // Two keys may become one by repair.
    const auto same = [&](const ConstantLabel& l) { return l.key == label.key; };
    if (std::any_of(labels.begin(), labels.end(), same)) continue;
    labels_rendered += (labels_rendered.empty() ? "" : ",") + label.literal + ":" + label.value;
    labels.push_back(std::move(label));
  }
  if (!labels.empty()) tail += ",\"labels\":{" + labels_rendered + "}";
  tail += ",\"ecs\":{\"version\":\"8.11.0\"}}\n";
  bound = path.size() + log_rendered.size() + event_rendered.size() + tail.size() + 64;
  for (const ConstantGroup& g : groups) bound += 8 * g.fields.size();
}

}  // namespace sidelight
