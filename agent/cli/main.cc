#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <string>

#include "agent/cli/commands.h"

namespace {

// Where one of the three is closed, the next file opened would be it, and what is printed would go into that
// file. Opened for reading alone, so that writing fails as on a closed one.
void keep_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) (void)::open("/dev/null", O_RDONLY);
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  CLI::App app{
      "Sidelight ships logs to Elasticsearch, OpenSearch or Logstash without loss or doubles, and turns the "
      "state of "
      "queues, caches, databases and gateways into metrics."};
  app.set_version_flag("--version", "sidelight " SIDELIGHT_VERSION);
  app.require_subcommand(1);
  std::string config;

  auto* run = app.add_subcommand("run", "Tail and ship until SIGTERM; SIGHUP takes a changed configuration");
  run->add_option("--config", config, "configuration file (YAML)")->required();

  bool connect = false;
  bool print = false;
  auto* check =
      app.add_subcommand("check", "Check a configuration; exits 0 when it is good, 2 when it is not");
  check->add_option("--config", config, "configuration file (YAML)")->required();
  check->add_flag("--connect", connect,
                  "try the destinations and state_dir too; exits 1 when one cannot be used");
  check->add_flag("--print", print, "print the settings that result, secrets left out");

  auto* replay = app.add_subcommand("replay-dead-letters", "Offer dead letters to the destination again");
  replay->add_option("--config", config, "configuration file (YAML)")->required();
  std::string output;
  replay->add_option("--output", output, "of several outputs: whose dead letters");

  auto* attempt = app.add_subcommand(
      "try",
      "Show what would become of the lines on the standard input; touches no state and no destination");
  attempt->add_option("--config", config, "configuration file (YAML)")->required();
  std::string input;
  attempt->add_option("--input", input, "name of the log input that would read them; default: the first");

  auto* schema = app.add_subcommand("schema", "Print what a configuration may hold");
  bool reference = false;
  bool json = false;
  bool example = false;
  bool metrics = false;
  auto* which = schema->add_option_group("what");
  which->add_flag("--reference", reference, "config/REFERENCE.md");
  which->add_flag("--json-schema", json, "config/schema.json, for editors");
  which->add_flag("--example", example, "config/example.yaml");
  which->add_flag("--metrics", metrics, "docs/metrics.md");
  which->require_option(1);

  // The library would only say that a subcommand is missing.
  const auto is_named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    std::fprintf(stderr, "there is no command \"%s\"; sidelight --help lists them\n", argv[1]);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;  // the library has a number for each kind of mistake
  }
  if (run->parsed()) return sidelight::run_command(config);
  if (check->parsed()) return sidelight::check_command(config, connect, print);
  if (replay->parsed()) return sidelight::replay_command(config, output);
  if (attempt->parsed()) return sidelight::try_command(config, input);
  return sidelight::schema_command(reference ? "reference"
                                   : json    ? "json-schema"
                                   : example ? "example"
                                             : "metrics");
}
