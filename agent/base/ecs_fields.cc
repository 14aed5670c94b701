#include "agent/base/ecs_fields.h"

#include <algorithm>
#include <array>

namespace sidelight {
namespace {

struct Entry {
  std::string_view name;
  EcsType type;
};

using enum EcsType;

// Kept sorted; the assertion below holds the order.
constexpr auto kFields = std::to_array<Entry>({
    {"client.address", keyword},
    {"client.bytes", long_int},
    {"client.domain", keyword},
    {"client.ip", ip},
    {"client.port", long_int},
    {"client.user.id", keyword},
    {"client.user.name", keyword},
    {"cloud.account.id", keyword},
    {"cloud.availability_zone", keyword},
    {"cloud.instance.id", keyword},
    {"cloud.provider", keyword},
    {"cloud.region", keyword},
    {"container.id", keyword},
    {"container.image.name", keyword},
    {"container.name", keyword},
    {"container.runtime", keyword},
    {"destination.address", keyword},
    {"destination.bytes", long_int},
    {"destination.domain", keyword},
    {"destination.ip", ip},
    {"destination.port", long_int},
    {"error.code", keyword},
    {"error.id", keyword},
    {"error.message", text},
    {"error.stack_trace", text},
    {"error.type", keyword},
    {"event.action", keyword},
    {"event.category", keyword},
    {"event.code", keyword},
    {"event.created", date},
    {"event.dataset", keyword},
    {"event.duration", long_int},
    {"event.end", date},
    {"event.kind", keyword},
    {"event.module", keyword},
    {"event.outcome", keyword},
    {"event.provider", keyword},
    {"event.reason", keyword},
    {"event.sequence", long_int},
    {"event.severity", long_int},
    {"event.start", date},
    {"event.timezone", keyword},
    {"event.type", keyword},
    {"faas.coldstart", boolean},
    {"faas.execution", keyword},
    {"faas.id", keyword},
    {"faas.name", keyword},
    {"file.name", keyword},
    {"file.path", keyword},
    {"file.size", long_int},
    {"host.architecture", keyword},
    {"host.hostname", keyword},
    {"host.id", keyword},
    {"host.ip", ip},
    {"host.name", keyword},
    {"http.request.body.bytes", long_int},
    {"http.request.bytes", long_int},
    {"http.request.id", keyword},
    {"http.request.method", keyword},
    {"http.request.mime_type", keyword},
    {"http.request.referrer", keyword},
    {"http.response.body.bytes", long_int},
    {"http.response.bytes", long_int},
    {"http.response.mime_type", keyword},
    {"http.response.status_code", long_int},
    {"http.version", keyword},
    {"kubernetes.cluster.name", keyword},
    {"kubernetes.container.name", keyword},
    {"kubernetes.namespace", keyword},
    {"kubernetes.node.name", keyword},
    {"kubernetes.pod.ip", ip},
    {"kubernetes.pod.name", keyword},
    {"kubernetes.pod.uid", keyword},
    {"log.iostream", keyword},
    {"log.logger", keyword},
    {"log.origin.file.line", long_int},
    {"log.origin.file.name", keyword},
    {"log.origin.function", keyword},
    {"log.syslog.appname", keyword},
    {"log.syslog.facility.code", long_int},
    {"log.syslog.facility.name", keyword},
    {"log.syslog.hostname", keyword},
    {"log.syslog.msgid", keyword},
    {"log.syslog.priority", long_int},
    {"log.syslog.procid", keyword},
    {"log.syslog.severity.code", long_int},
    {"log.syslog.severity.name", keyword},
    {"network.bytes", long_int},
    {"network.protocol", keyword},
    {"network.transport", keyword},
    {"orchestrator.cluster.name", keyword},
    {"orchestrator.namespace", keyword},
    {"organization.id", keyword},
    {"organization.name", keyword},
    {"parent.id", keyword},
    {"process.command_line", keyword},
    {"process.executable", keyword},
    {"process.exit_code", long_int},
    {"process.name", keyword},
    {"process.pid", long_int},
    {"process.thread.id", long_int},
    {"process.thread.name", keyword},
    {"process.title", keyword},
    {"process.uptime", long_int},
    {"server.address", keyword},
    {"server.domain", keyword},
    {"server.ip", ip},
    {"server.port", long_int},
    {"service.environment", keyword},
    {"service.id", keyword},
    {"service.name", keyword},
    {"service.node.name", keyword},
    {"service.type", keyword},
    {"service.version", keyword},
    {"session.id", keyword},
    {"source.address", keyword},
    {"source.bytes", long_int},
    {"source.domain", keyword},
    {"source.ip", ip},
    {"source.port", long_int},
    {"source.user.name", keyword},
    {"span.id", keyword},
    {"tls.cipher", keyword},
    {"tls.version", keyword},
    {"trace.id", keyword},
    {"transaction.id", keyword},
    {"url.domain", keyword},
    {"url.extension", keyword},
    {"url.fragment", keyword},
    {"url.full", keyword},
    {"url.original", keyword},
    {"url.path", keyword},
    {"url.port", long_int},
    {"url.query", keyword},
    {"url.scheme", keyword},
    {"user.domain", keyword},
    {"user.email", keyword},
    {"user.full_name", keyword},
    {"user.group.id", keyword},
    {"user.group.name", keyword},
    {"user.hash", keyword},
    {"user.id", keyword},
    {"user.name", keyword},
    {"user.roles", keyword},
    {"user_agent.device.name", keyword},
    {"user_agent.name", keyword},
    {"user_agent.original", text},
    {"user_agent.version", keyword},
});

static_assert(std::is_sorted(kFields.begin(), kFields.end(),
                             [](const Entry& a, const Entry& b) { return a.name < b.name; }),
              "the table must be sorted by name");

constexpr std::uint64_t hash_name(std::string_view s) {
  std::uint64_t h = s.size() * 0x9E3779B97F4A7C15u;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h ^ (h >> 29);
}

constexpr std::size_t kSlots = 1024;
constexpr EcsOrdinal kEmpty = 0xFFFF;
constexpr std::size_t kLongest =
    std::max_element(kFields.begin(), kFields.end(), [](const Entry& a, const Entry& b) {
      return a.name.size() < b.name.size();
    })->name.size();

constexpr std::array<EcsOrdinal, kSlots> make_slots() {
  std::array<EcsOrdinal, kSlots> slots{};
  slots.fill(kEmpty);
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    std::size_t at = hash_name(kFields[i].name) % kSlots;
    while (slots[at] != kEmpty) at = (at + 1) % kSlots;
    slots[at] = static_cast<EcsOrdinal>(i);
  }
  return slots;
}

constexpr auto kTable = make_slots();

}  // namespace

std::optional<EcsOrdinal> find_ecs(std::string_view dotted_name) {
  if (dotted_name.size() > kLongest) return std::nullopt;
  for (std::size_t at = hash_name(dotted_name) % kSlots; kTable[at] != kEmpty; at = (at + 1) % kSlots) {
    if (kFields[kTable[at]].name == dotted_name) return kTable[at];
  }
  return std::nullopt;
}

bool is_ecs_parent(std::string_view dotted_prefix) {
  if (dotted_prefix.empty() || dotted_prefix.size() >= kLongest) return false;
  // The names below the prefix come right behind prefix + '.', the smallest of them.
  const auto below = [&](const Entry& e) {
    const int c = e.name.substr(0, dotted_prefix.size()).compare(dotted_prefix);
    return c < 0 || (c == 0 && (e.name.size() == dotted_prefix.size() || e.name[dotted_prefix.size()] < '.'));
  };
  const auto it = std::partition_point(kFields.begin(), kFields.end(), below);
  return it != kFields.end() && it->name.size() > dotted_prefix.size() &&
         it->name.starts_with(dotted_prefix) && it->name[dotted_prefix.size()] == '.';
}

std::string_view ecs_name(EcsOrdinal ordinal) {
  return kFields[ordinal].name;
}
EcsType ecs_type(EcsOrdinal ordinal) {
  return kFields[ordinal].type;
}
std::size_t ecs_count() {
  return kFields.size();
}

}  // namespace sidelight
