#include "agent/tail/empty_inputs.h"

#include <string>

namespace sidelight {

void EmptyInputs::look(const std::vector<FoundFile>& found, const std::vector<Overlap>& overlaps,
                       MonoTime now) {
  std::vector<std::uint64_t> files(inputs_.size());
  for (const FoundFile& f : found) ++files.at(f.input);
  std::vector<bool> read_by_another(inputs_.size());
  for (const Overlap& o : overlaps) {
    read_by_another.at(o.other) = true;
    if (!overlaps_told_.emplace(o.reads, o.other).second) continue;
    log_.warn("tail.overlap " + inputs_[o.other].paths.front(),
              o.path + " is among the paths of two inputs; it is read once, for the first of them (" +
                  inputs_[o.reads].paths.front() + "), and not for " + inputs_[o.other].paths.front());
  }
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    probe_.input_files(i, files[i]);
    // With files of its own or another's, its globs are not misspelt.
    count(i, files[i] + (read_by_another[i] ? 1 : 0), now);
  }
}

void EmptyInputs::count(std::uint32_t input, std::uint64_t files, MonoTime now) {
  Input& in = told_[input];
  const auto say = [&, this](LogLevel level, const char* what, const char* more) {
    const auto& paths = inputs_[input].paths;
    log_.write(level, "tail.no_files " + paths.front(),
               what + paths.front() + (paths.size() > 1 ? " and the like" : "") + more);
  };
  if (files > 0) {
    if (in.told == Told::still_none) say(LogLevel::info, "there are files now that match ", "");
    in.told = Told::some;
  } else if (in.told == Told::nothing || in.told == Told::some) {
    say(LogLevel::info, "no file matches ",
        in.told == Told::some ? " any more; looking for others" : " yet; looking for it");
    in.told = Told::none;
    in.empty_since = now;
  } else if (in.told == Told::none && now - in.empty_since >= kPatience) {
    say(LogLevel::warn, "still no file matches ",
        ": compare logs.paths and logs.exclude with what the application writes, and in a container the "
        "mounts");
    in.told = Told::still_none;
  }
}

}  // namespace sidelight
