// The documents derived from the schema. They are committed in config/; a test compares them. To regenerate:
//   sidelight schema --reference   > config/REFERENCE.md
//   sidelight schema --json-schema > config/schema.json
//   sidelight schema --example     > config/example.yaml
#pragma once

#include <string>

#include "config/settings.h"

namespace sidelight {

std::string generate_reference();    // Markdown
std::string generate_json_schema();  // JSON Schema, draft 2020-12, for editors
std::string generate_example();      // a configuration that loads, with every key in it or commented out

// Settings as YAML, defaults included, secrets replaced by "(secret)"; those apart, it loads and gives the
// same settings.
std::string render_settings(const Settings& settings);

}  // namespace sidelight
