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
    const auto say = [&, this](LogLevel level, const char* what, const char* more) {
      const auto& paths = inputs_[i].paths;
      log_.write(level, "tail.no_files " + paths.front(),
                 what + paths.front() + (paths.size() > 1 ? " and the like" : "") + more);
    };
    if (files[i] > 0) {
      if (told == Told::still_none) say(LogLevel::info, "there are files now that match ", "");
      told = Told::nothing;
    } else if (told == Told::nothing) {
      say(LogLevel::info, "no file matches ", " yet; looking for it");
      told = Told::none_yet;
    } else if (told == Told::none_yet && late) {
      say(LogLevel::warn, "still no file matches ",
          ": compare logs.paths and logs.exclude with what the application writes, and in a container the "
          "mounts");
      told = Told::still_none;
    }
  }
}

}  // namespace sidelight
