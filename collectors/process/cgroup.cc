#include "collectors/process/cgroup.h"

#include <algorithm>
#include <cstdint>

#include "agent/base/number.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxFile = 1u << 20;
constexpr double kMicro = 1e-6;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

std::string_view trimmed(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// proc(5): blanks within the names of mountinfo are octal escapes.
std::string unescape(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && name.substr(i).starts_with("\\040")) {
      out += ' ';
      i += 3;
    } else {
      out += name[i];
    }
  }
  return out;
}

struct Mount {
  std::string root;
  std::string point;
};

std::optional<Mount> find_mount(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    std::string_view line = take_line(mountinfo);
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view rest = line.substr(dash + 3);
    if (take_word(rest) != "cgroup2") continue;
    for (int i = 0; i < 3; ++i) take_word(line);  // ids, device
    Mount mount;
    mount.root = unescape(take_word(line));
    mount.point = unescape(take_word(line));
    return mount;
  }
  return std::nullopt;
}

std::optional<std::string> own_path(std::string_view own_cgroup) {
  while (!own_cgroup.empty()) {
    const std::string_view line = take_line(own_cgroup);
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return std::nullopt;
}

// "pod" and an id, as both of the kubelet's drivers name a pod's group: "pod1f..",
// "kubepods-burstable-pod1f...slice".
bool is_pod(std::string_view segment) {
  constexpr std::size_t kIdLength = 36;
  const std::size_t at = segment.find("pod", segment.starts_with("kubepods") ? 8 : 0);
  if (at == std::string_view::npos || segment.size() < at + 3 + kIdLength) return false;
  const std::string_view id = segment.substr(at + 3, kIdLength);
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-' || c == '_';
  });
}

// Up to the group of the pod, if there is one on the way.
std::string pod_level(const std::string& path) {
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    if (is_pod(std::string_view(path).substr(at + 1, end - at - 1))) return path.substr(0, end);
    at = end;
  }
  return path;
}

// Reads the files of one group and remembers which are not there.
class GroupFiles {
 public:
  GroupFiles(FileSystem& fs, const std::string& dir, std::vector<std::string>& missing)
      : fs_(fs), dir_(dir), missing_(missing) {}
  std::optional<std::string> read(const char* name) {
    auto text = fs_.read_file(dir_ + "/" + name, kMaxFile);
    if (text) return std::move(*text);
    missing_.emplace_back(name);
    return std::nullopt;
  }

 private:
  FileSystem& fs_;
  const std::string& dir_;
  std::vector<std::string>& missing_;
};

std::optional<double> micro(const std::optional<double>& usec) {
  return usec ? std::optional(*usec * kMicro) : std::nullopt;
}

void read_cpu(GroupFiles& files, CgroupReading& out) {
  if (const auto stat = files.read("cpu.stat")) {
    out.cpu_user_seconds = micro(flat_value(*stat, "user_usec"));
    out.cpu_system_seconds = micro(flat_value(*stat, "system_usec"));
    out.cpu_periods = flat_value(*stat, "nr_periods");
    out.cpu_throttled_periods = flat_value(*stat, "nr_throttled");
    out.cpu_throttled_seconds = micro(flat_value(*stat, "throttled_usec"));
  }
  if (const auto max = files.read("cpu.max")) {
    std::string_view words = trimmed(*max);
    const auto quota = parse_count(take_word(words));
    const auto period = parse_count(take_word(words));
    if (quota && period && *period > 0) out.cpu_limit_cores = *quota / *period;
  }
}

void read_memory(GroupFiles& files, CgroupReading& out) {
  if (const auto current = files.read("memory.current")) out.memory_bytes = parse_count(trimmed(*current));
  if (const auto stat = files.read("memory.stat"); stat && out.memory_bytes) {
    if (const auto inactive = flat_value(*stat, "inactive_file"))
      out.memory_working_set_bytes = std::max(0.0, *out.memory_bytes - *inactive);
  }
  if (const auto max = files.read("memory.max")) out.memory_limit_bytes = parse_count(trimmed(*max));
  if (const auto events = files.read("memory.events")) out.oom_kills = flat_value(*events, "oom_kill");
}

}  // namespace

std::optional<double> flat_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == key) return parse_count(take_word(line));
  }
  return std::nullopt;
}

std::optional<double> pressure_seconds(std::string_view text, std::string_view kind) {
  constexpr std::string_view kTotal = "total=";
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) != kind) continue;
    while (!line.empty()) {
      const std::string_view word = take_word(line);
      if (word.starts_with(kTotal)) return micro(parse_count(word.substr(kTotal.size())));
    }
  }
  return std::nullopt;
}

Expected<std::string> locate_cgroup(std::string_view mountinfo, std::string_view own_cgroup) {
  const auto mount = find_mount(mountinfo);
  if (!mount) return fail("no cgroup v2 is mounted here (version 1 is not read)");
  auto path = own_path(own_cgroup);
  if (!path) return fail("this process is in no cgroup v2");
  // Without a namespace of its own a container sees paths of the host, and a mount of its part of them.
  if (mount->root != "/" && path->starts_with(mount->root)) path = path->substr(mount->root.size());
  // Outside of the namespace's root: "/..".
  if (*path == "/" || path->starts_with("/..")) path->clear();
  return mount->point + pod_level(*path);
}

Expected<std::string> find_cgroup(FileSystem& fs) {
  const auto mountinfo = fs.read_file("/proc/self/mountinfo", kMaxFile);
  if (!mountinfo) return std::unexpected(mountinfo.error());
  const auto own = fs.read_file("/proc/self/cgroup", kMaxFile);
  if (!own) return std::unexpected(own.error());
  return locate_cgroup(*mountinfo, *own);
}

CgroupReading read_cgroup(FileSystem& fs, const std::string& dir) {
  CgroupReading out;
  GroupFiles files(fs, dir, out.missing);
  read_cpu(files, out);
  read_memory(files, out);
  if (const auto pids = files.read("pids.current")) out.tasks = parse_count(trimmed(*pids));
  for (const char* resource : {"cpu", "memory", "io"}) {
    const auto text = files.read((std::string(resource) + ".pressure").c_str());
    if (!text) continue;
    for (const char* kind : {"some", "full"})
      if (const auto seconds = pressure_seconds(*text, kind))
        out.pressure.push_back({resource, kind, *seconds});
  }
  return out;
}

}  // namespace sidelight
