#include "tests/fakes/memory_filesystem.h"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <system_error>

namespace sidelight {
namespace {

enum class NodeKind { file, directory, symlink };
constexpr int kMaxLinks = 40;  // as Linux has it

std::unexpected<Error> os_error(const std::string& what, int code) {
  return fail(what + ": " + std::generic_category().message(code), code);
}

struct Node {
  NodeKind kind = NodeKind::file;
  std::uint64_t inode = 0;
  std::uint32_t permissions = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t birth_ns = 0;
  std::uint32_t links = 0;
  std::string bytes;  // file: content; symlink: target
  std::map<std::string, std::shared_ptr<Node>> children;
  std::weak_ptr<void> lock_holder;
  // What a power cut cannot take away; kept only while that is tracked.
  std::string synced;
  std::vector<std::map<std::string, std::shared_ptr<Node>>> listings;  // since the last sync, oldest first
};
using NodePtr = std::shared_ptr<Node>;

FileStat stat_of(const Node& n) {
  FileStat s;
  s.dev = 1;
  s.inode = n.inode;
  s.size = n.bytes.size();
  s.mtime_ns = n.mtime_ns;
  s.birth_ns = n.birth_ns;
  s.links = n.links;
  const std::uint32_t type = n.kind == NodeKind::file        ? S_IFREG
                             : n.kind == NodeKind::directory ? S_IFDIR
                                                             : S_IFLNK;
  s.mode = type | n.permissions;
  s.uid = n.uid;
  s.gid = n.gid;
  return s;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

struct MemoryFileSystem::State {
  std::mutex mutex;
  NodePtr root;
  std::uint64_t next_inode = 2;
  std::int64_t ticks = 1'000'000'000;
  std::uint64_t free_bytes = std::numeric_limits<std::uint64_t>::max();
  bool reuse = false;
  bool tracking = false;
  std::deque<std::uint64_t> freed;
  std::map<std::string, std::deque<int>> faults;

  // Where a path leads: its directory, its last name, and what is there (null: nothing).
  struct Place {
    NodePtr dir;
    std::string name;
    NodePtr node;
    std::string real;  // without symlinks
  };

  std::int64_t tick() { return ticks += 1'000'000; }

  int fault(const std::string& op) {
    auto& queue = faults[op];
    if (queue.empty()) return 0;
    const int code = queue.front();
    queue.pop_front();
    return code;
  }

  NodePtr make(NodeKind kind, std::uint32_t permissions) {
    // The number goes back when the last name and the last open descriptor are gone.
    NodePtr node(new Node, [this](Node* n) {
      freed.push_back(n->inode);
      delete n;
    });
    node->kind = kind;
    node->permissions = permissions;
    if (reuse && !freed.empty()) {
      node->inode = freed.front();
      freed.pop_front();
    } else {
      node->inode = next_inode++;
    }
    node->mtime_ns = node->birth_ns = tick();
    return node;
  }

  Expected<Place> walk(const std::string& path, bool follow_last) {
    std::deque<std::string> rest;
    for (auto& part : split(path)) rest.push_back(std::move(part));
    std::vector<std::pair<std::string, NodePtr>> trail;  // from the root down
    int links = 0;
    Place place{root, "", root, "/"};
    while (!rest.empty()) {
      const std::string part = rest.front();
      rest.pop_front();
      const NodePtr here = trail.empty() ? root : trail.back().second;
      if (here == nullptr) return os_error(path, ENOENT);
      if (here->kind != NodeKind::directory) return os_error(path, ENOTDIR);
      if ((here->permissions & 0111) == 0) return os_error(path, EACCES);
      if (part == ".") continue;
      if (part == "..") {
        if (!trail.empty()) trail.pop_back();
        continue;
      }
      const auto it = here->children.find(part);
      NodePtr child = it == here->children.end() ? nullptr : it->second;
      if (child && child->kind == NodeKind::symlink && (follow_last || !rest.empty())) {
        if (++links > kMaxLinks) return os_error(path, ELOOP);
        if (child->bytes.starts_with('/')) trail.clear();
        const auto target = split(child->bytes);
        rest.insert(rest.begin(), target.begin(), target.end());
        continue;
      }
      trail.emplace_back(part, std::move(child));
    }
    if (trail.empty()) return place;
    place.name = trail.back().first;
    place.node = trail.back().second;
    place.dir = trail.size() > 1 ? trail[trail.size() - 2].second : root;
    place.real.clear();
    for (const auto& [name, node] : trail) place.real.append("/").append(name);
    return place;
  }

  Expected<NodePtr> find(const std::string& path, bool follow) {
    auto place = walk(path, follow);
    if (!place) return std::unexpected(place.error());
    if (!place->node) return os_error(path, ENOENT);
    return place->node;
  }

  void attach(const Place& place, const NodePtr& node) {
    place.dir->children[place.name] = node;
    ++node->links;
    place.dir->mtime_ns = tick();
  }

  void detach(const Place& place) {
    --place.node->links;
    place.dir->children.erase(place.name);
    place.dir->mtime_ns = tick();
  }

  Expected<NodePtr> open_or_create(const std::string& path, std::uint32_t permissions) {
    auto place = walk(path, true);
    if (!place) return std::unexpected(place.error());
    if (place->node) return place->node;
    NodePtr node = make(NodeKind::file, permissions);
    attach(*place, node);
    changed(*place->dir);
    return node;
  }

  Expected<void> make_directories(const std::string& dir) {
    std::string so_far;
    for (const std::string& part : split(dir)) {
      so_far += "/" + part;
      auto place = walk(so_far, true);
      if (!place) return std::unexpected(place.error());
      if (place->node && place->node->kind != NodeKind::directory) return os_error(so_far, ENOTDIR);
      if (place->node) continue;
      const NodePtr node = make(NodeKind::directory, 0750);
      attach(*place, node);
      changed(*place->dir);
    }
    return {};
  }

  // One change of a directory is done: it reaches the disk whole, and in its turn.
  void changed(Node& dir) const {
    if (tracking) dir.listings.push_back(dir.children);
  }

  void all_is_synced(Node& node) {
    node.synced = node.bytes;
    node.listings.assign(1, node.children);
    for (const auto& [name, child] : node.children) all_is_synced(*child);
  }

  void cut_power(Node& node, const Chooser& choose) {
    if (node.kind == NodeKind::file && node.bytes != node.synced) {
      const bool appended = node.bytes.starts_with(node.synced);
      const auto unsynced = appended ? node.bytes.size() - node.synced.size() : 0;
      switch (choose(4)) {
        case 0:
          break;  // it happened to be written
        case 1:
          if (appended) node.bytes.resize(node.synced.size() + choose(unsynced + 1));
          break;
        case 2:
          if (appended) node.bytes.replace(node.synced.size(), unsynced, unsynced, '\0');
          break;
        default:
          node.bytes = node.synced;
      }
    }
    if (node.listings.size() > 1) node.children = node.listings[choose(node.listings.size())];
    for (const auto& [name, child] : node.children) cut_power(*child, choose);
  }

  void forget_links(Node& node) {
    node.links = 0;
    for (const auto& [name, child] : node.children) forget_links(*child);
  }
  void count_links(Node& node) {
    for (const auto& [name, child] : node.children) {
      ++child->links;
      count_links(*child);
    }
  }

  void resize(Node& node, std::uint64_t size) {
    if (size < node.bytes.size()) give_back(node.bytes.size() - size);
    node.bytes.resize(size);
    node.mtime_ns = tick();
  }
  void give_back(std::uint64_t bytes) {
    if (free_bytes != std::numeric_limits<std::uint64_t>::max()) free_bytes += bytes;
  }

  Expected<void> append(Node& node, std::string_view bytes) {
    const bool fits = bytes.size() <= free_bytes;
    if (!fits) bytes = bytes.substr(0, static_cast<std::size_t>(free_bytes));
    if (free_bytes != std::numeric_limits<std::uint64_t>::max()) free_bytes -= bytes.size();
    node.bytes += bytes;
    node.mtime_ns = tick();
    if (!fits) return os_error("write", ENOSPC);
    return {};
  }
};

namespace {

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryFileSystem::State> state, NodePtr node, OpenMode mode,
             std::shared_ptr<void> held = nullptr)
      : state_(std::move(state)), node_(std::move(node)), mode_(mode), held_(std::move(held)) {}
  ~MemoryFile() override {
    const std::lock_guard guard(state_->mutex);
    node_.reset();
    held_.reset();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  Expected<FileStat> stat() const override {
    const std::lock_guard guard(state_->mutex);
    return stat_of(*node_);
  }
  Expected<std::size_t> read_at(char* to, std::size_t n, std::uint64_t offset) const override {
    const std::lock_guard guard(state_->mutex);
    if (const int code = state_->fault("read")) return os_error("read", code);
    if (node_->kind == NodeKind::directory) return os_error("read", EISDIR);
    if (offset >= node_->bytes.size()) return std::size_t{0};
    return node_->bytes.copy(to, n, static_cast<std::size_t>(offset));
  }
  Expected<void> write(std::string_view bytes) override {
    const std::lock_guard guard(state_->mutex);
    if (const int code = state_->fault("write")) return os_error("write", code);
    if (mode_ == OpenMode::read) return os_error("write", EBADF);
    return state_->append(*node_, bytes);
  }
  Expected<void> truncate(std::uint64_t size) override {
    const std::lock_guard guard(state_->mutex);
    if (const int code = state_->fault("truncate")) return os_error("truncate", code);
    if (mode_ == OpenMode::read) return os_error("truncate", EINVAL);
    state_->resize(*node_, size);
    return {};
  }
  Expected<void> sync() override {
    const std::lock_guard guard(state_->mutex);
    if (const int code = state_->fault("sync")) return os_error("sync", code);
    if (state_->tracking) node_->synced = node_->bytes;
    return {};
  }
  Expected<void> give_to(std::uint32_t uid, std::uint32_t gid) override {
    const std::lock_guard guard(state_->mutex);
    if (const int code = state_->fault("give_to")) return os_error("change the owner", code);
    node_->uid = uid;
    node_->gid = gid;
    return {};
  }

 private:
  std::shared_ptr<MemoryFileSystem::State> state_;
  NodePtr node_;
  OpenMode mode_;
  std::shared_ptr<void> held_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem() : state_(std::make_shared<State>()) {
  state_->root = state_->make(NodeKind::directory, 0755);
  state_->root->links = 1;
}

MemoryFileSystem::~MemoryFileSystem() {
  // Nodes tell the state their numbers when they go, so they go while it is whole.
  const std::lock_guard guard(state_->mutex);
  state_->root.reset();
}

Expected<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("open")) return os_error("open " + path, code);
  auto node = mode == OpenMode::read ? state_->find(path, true)
                                     : state_->open_or_create(path, mode == OpenMode::append ? 0640 : 0600);
  if (!node) return std::unexpected(node.error());
  const std::uint32_t wanted = mode == OpenMode::read ? 0444 : 0222;
  if (((*node)->permissions & wanted) == 0) return os_error("open " + path, EACCES);
  if (mode != OpenMode::read && (*node)->kind == NodeKind::directory) return os_error("open " + path, EISDIR);
  if (mode == OpenMode::create_new) state_->resize(**node, 0);
  return std::make_unique<MemoryFile>(state_, *node, mode);
}

Expected<FileStat> MemoryFileSystem::stat(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("stat")) return os_error("stat " + path, code);
  auto node = state_->find(path, true);
  if (!node) return std::unexpected(node.error());
  return stat_of(**node);
}

Expected<FileStat> MemoryFileSystem::lstat(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("lstat")) return os_error("lstat " + path, code);
  auto node = state_->find(path, false);
  if (!node) return std::unexpected(node.error());
  return stat_of(**node);
}

Expected<std::string> MemoryFileSystem::real_path(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("real_path")) return os_error("real path of " + path, code);
  auto place = state_->walk(path, true);
  if (!place) return std::unexpected(place.error());
  if (!place->node) return os_error("real path of " + path, ENOENT);
  return place->real;
}

Expected<std::vector<DirEntry>> MemoryFileSystem::list(const std::string& dir) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("list")) return os_error("list " + dir, code);
  auto node = state_->find(dir, true);
  if (!node) return std::unexpected(node.error());
  if ((*node)->kind != NodeKind::directory) return os_error("list " + dir, ENOTDIR);
  if (((*node)->permissions & 0444) == 0) return os_error("list " + dir, EACCES);
  std::vector<DirEntry> out;
  for (const auto& [name, child] : (*node)->children) {
    out.push_back({name, child->inode, child->kind != NodeKind::file});
  }
  return out;
}

Expected<void> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("rename")) return os_error("rename " + from, code);
  auto source = state_->walk(from, false);
  if (!source) return std::unexpected(source.error());
  auto target = state_->walk(to, false);
  if (!target) return std::unexpected(target.error());
  if (!source->node) return os_error("rename " + from, ENOENT);
  if (source->node == target->node) return {};  // two names of one file: nothing happens
  if (target->real.starts_with(source->real + "/")) return os_error("rename " + from, EINVAL);
  if (target->node) {
    const bool source_is_dir = source->node->kind == NodeKind::directory;
    const bool target_is_dir = target->node->kind == NodeKind::directory;
    if (target_is_dir && !source_is_dir) return os_error("rename " + from, EISDIR);
    if (!target_is_dir && source_is_dir) return os_error("rename " + from, ENOTDIR);
    if (!target->node->children.empty()) return os_error("rename " + from, ENOTEMPTY);
    if (target->node->links == 1) state_->give_back(target->node->bytes.size());
    state_->detach(*target);
  }
  const NodePtr node = source->node;
  state_->detach(*source);
  state_->attach(*target, node);
  state_->changed(*source->dir);
  if (target->dir != source->dir) state_->changed(*target->dir);
  return {};
}

Expected<void> MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("remove")) return os_error("remove " + path, code);
  auto place = state_->walk(path, false);
  if (!place) return std::unexpected(place.error());
  if (!place->node) return os_error("remove " + path, ENOENT);
  if (place->node->kind == NodeKind::directory) return os_error("remove " + path, EISDIR);
  if (place->node->links == 1) state_->give_back(place->node->bytes.size());
  state_->detach(*place);
  state_->changed(*place->dir);
  return {};
}

Expected<void> MemoryFileSystem::make_dirs(const std::string& dir) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("make_dirs")) return os_error("make directory " + dir, code);
  return state_->make_directories(dir);
}

Expected<void> MemoryFileSystem::sync_dir(const std::string& dir) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("sync_dir")) return os_error("sync " + dir, code);
  auto node = state_->find(dir, true);
  if (!node) return std::unexpected(node.error());
  if (state_->tracking) (*node)->listings.assign(1, (*node)->children);
  return {};
}

Expected<std::unique_ptr<File>> MemoryFileSystem::lock(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (const int code = state_->fault("lock")) return os_error("lock " + path, code);
  auto node = state_->open_or_create(path, 0640);
  if (!node) return std::unexpected(node.error());
  if (!(*node)->lock_holder.expired()) return os_error("lock " + path, EWOULDBLOCK);
  auto held = std::make_shared<int>(0);
  (*node)->lock_holder = held;
  return std::make_unique<MemoryFile>(state_, *node, OpenMode::append, held);
}

void MemoryFileSystem::write_file(const std::string& path, std::string_view bytes) {
  const std::lock_guard guard(state_->mutex);
  if (!state_->make_directories(dir_name(path))) return;
  if (auto node = state_->open_or_create(path, 0644)) {
    (*node)->bytes = bytes;
    (*node)->mtime_ns = state_->tick();
  }
}

void MemoryFileSystem::append_file(const std::string& path, std::string_view bytes) {
  const std::lock_guard guard(state_->mutex);
  if (!state_->make_directories(dir_name(path))) return;
  if (auto node = state_->open_or_create(path, 0644)) {
    (*node)->bytes += bytes;
    (*node)->mtime_ns = state_->tick();
  }
}

void MemoryFileSystem::truncate_file(const std::string& path, std::uint64_t size) {
  const std::lock_guard guard(state_->mutex);
  if (auto node = state_->find(path, true)) state_->resize(**node, size);
}

void MemoryFileSystem::make_symlink(const std::string& target, const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (!state_->make_directories(dir_name(path))) return;
  auto place = state_->walk(path, false);
  if (!place || place->node) return;
  const NodePtr node = state_->make(NodeKind::symlink, 0777);
  node->bytes = target;
  state_->attach(*place, node);
}

void MemoryFileSystem::make_link(const std::string& existing, const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  auto node = state_->find(existing, false);
  auto place = state_->walk(path, false);
  if (node && place && !place->node) state_->attach(*place, *node);
}

void MemoryFileSystem::chmod(const std::string& path, std::uint32_t permissions) {
  const std::lock_guard guard(state_->mutex);
  if (auto node = state_->find(path, true)) (*node)->permissions = permissions;
}

void MemoryFileSystem::chown(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  const std::lock_guard guard(state_->mutex);
  if (auto node = state_->find(path, true)) {
    (*node)->uid = uid;
    (*node)->gid = gid;
  }
}

void MemoryFileSystem::set_mtime(const std::string& path, std::int64_t ns) {
  const std::lock_guard guard(state_->mutex);
  if (auto node = state_->find(path, true)) (*node)->mtime_ns = ns;
}

void MemoryFileSystem::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard guard(state_->mutex);
  state_->free_bytes = bytes;
}

void MemoryFileSystem::fail_next(const std::string& op, int error) {
  const std::lock_guard guard(state_->mutex);
  state_->faults[op].push_back(error);
}

void MemoryFileSystem::clear_faults() {
  const std::lock_guard guard(state_->mutex);
  state_->faults.clear();
}

void MemoryFileSystem::track_syncs() {
  const std::lock_guard guard(state_->mutex);
  state_->tracking = true;
  state_->all_is_synced(*state_->root);
}

void MemoryFileSystem::cut_power(const Chooser& choose) {
  const std::lock_guard guard(state_->mutex);
  state_->cut_power(*state_->root, choose);
  state_->forget_links(*state_->root);
  state_->root->links = 1;
  state_->count_links(*state_->root);
  state_->all_is_synced(*state_->root);
}

void MemoryFileSystem::reuse_inodes(bool on) {
  const std::lock_guard guard(state_->mutex);
  state_->reuse = on;
}

}  // namespace sidelight
