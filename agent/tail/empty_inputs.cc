#include "agent/tail/empty_inputs.h"

#include <string>

namespace sidelight {

void EmptyInputs::look(const std::vector<FoundFile>& found, MonoTime now) {
  if (!first_look_) first_look_ = now;
  const bool late = now - *first_look_ >= kPatience;
  std::vector<std::uint64_t> files(inputs_.size());
  for (const FoundFile& f : found) ++files.at(f.input);
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    probe_.input_files(i, files[i]);
    Told& told = told_[i];
    const std::string globs = inputs_[i].paths.front() + (inputs_[i].paths.size() > 1 ? " and the like" : "");
    const std::string key = "tail.no_files " + inputs_[i].paths.front();
    if (files[i] > 0) {
      if (told == Told::still_none) log_.info(key, "there are files now that match " + globs);
      told = Told::nothing;
    } else if (told == Told::nothing) {
      log_.info(key, "no file matches " + globs + " yet; looking for it");
      told = Told::none_yet;
    } else if (told == Told::none_yet && late) {
      log_.warn(key, "still no file matches " + globs +
                         ": compare logs.paths and logs.exclude with what the application writes, and in a "
                         "container the mounts");
      told = Told::still_none;
    }
  }
}

}  // namespace sidelight
