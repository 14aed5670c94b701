// Any bytes as a configuration: either settings or errors come out, each error with a place inside the file,
// and no secret.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "config/generate.h"
#include "config/loader.h"
#include "tests/fakes/memory_filesystem.h"

namespace {

constexpr const char* kSecret = "s3cr3t-of-the-environment";

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> environment(const std::string& name) {
  if (name == "SECRET") return kSecret;
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  sidelight::MemoryFileSystem files;
  files.write_file("/c.yaml", text);
  const sidelight::LoadResult r = sidelight::load_config(files, "/c.yaml", environment);
  require(r.settings.has_value() == r.errors.empty());
  for (const auto& p : r.errors) require(p.line >= 0 && p.column >= 0 && !p.message.empty());
  const std::string printed = sidelight::render_problems(r.errors, r.warnings);
  // What the file itself spells out is no secret of the environment.
  if (text.find(kSecret) == std::string::npos) require(printed.find(kSecret) == std::string::npos);
  if (r.settings) require(!sidelight::render_settings(*r.settings).empty());
  return 0;
}
