#include "agent/pipeline/inputs.h"

#include <algorithm>

namespace sidelight {
namespace {

// The input's own processors, then everyone's.
Expected<std::unique_ptr<Chain>> make_chain(const Settings& settings, const LogInput& log, FileSystem& fs) {
  std::vector<ProcessorOptions> all = log.processors;
  all.insert(all.end(), settings.processors.begin(), settings.processors.end());
  if (all.empty()) return nullptr;
  // A regular expression may cut a line anywhere.
  return Chain::make(all, fs, {log.parse.format != Format::regex, log.parse.timezone});
}

Expected<std::size_t> place_of(const std::string& output, const std::vector<const OutputSettings*>& outputs) {
  const auto it =
      std::find_if(outputs.begin(), outputs.end(), [&](const auto* o) { return o->name == output; });
  if (it == outputs.end()) return fail("no output is named '" + output + "'");
  return static_cast<std::size_t>(it - outputs.begin());
}

// The input's own routes, then everyone's; then the input's output, or the first one.
Expected<Routing> make_routing(const Settings& settings, const LogInput& log) {
  const auto outputs = settings.all_outputs();
  Routing routing;
  for (const auto* routes : {&log.routes, &settings.routes}) {
    for (const RouteOptions& r : *routes) {
      auto when = Condition::make(r.when);
      if (!when) return std::unexpected(when.error());
      auto place = place_of(r.output, outputs);
      if (!place) return std::unexpected(place.error());
      routing.routes.push_back({std::move(*when), *place, r.copy});
    }
  }
  if (!log.output.empty()) {
    auto place = place_of(log.output, outputs);
    if (!place) return std::unexpected(place.error());
    routing.otherwise = *place;
  }
  return routing;
}

Expected<WorkerInput> make_input(const Settings& settings, const LogInput& log, FileSystem& fs) {
  WorkerInput in;
  in.name = log.name;
  auto framer = make_framer(log.decode);
  if (!framer) return std::unexpected(framer.error());
  auto parser = make_parser(log.parse);
  if (!parser) return std::unexpected(parser.error());
  auto chain = make_chain(settings, log, fs);
  if (!chain) return std::unexpected(chain.error());
  auto routing = make_routing(settings, log);
  if (!routing) return std::unexpected(routing.error());
  in.framer = std::move(*framer);
  in.parser = std::move(*parser);
  in.chain = std::move(*chain);
  in.routing = std::move(*routing);
  in.constants.service = log.service;
  in.constants.fields = settings.host_fields;
  for (const auto& field : log.fields) {  // the input's own win over the environment's
    std::erase_if(in.constants.fields, [&](const auto& f) { return f.first == field.first; });
    in.constants.fields.push_back(field);
  }
  in.constants.labels = log.labels;
  return in;
}

}  // namespace

Expected<std::vector<WorkerInput>> make_inputs(const Settings& settings, FileSystem& fs) {
  std::vector<WorkerInput> inputs;
  for (const auto& log : settings.logs) {
    auto in = make_input(settings, log, fs);
    if (!in) return fail("log input " + log.name + ": " + in.error().message, in.error().code);
    inputs.push_back(std::move(*in));
  }
  return inputs;
}

}  // namespace sidelight
