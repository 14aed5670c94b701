// Somebody to send to who costs little: an HTTP server on the loopback that counts the documents of _bulk
// requests and answers as Elasticsearch does when all is well. It keeps nothing and checks nothing;
// tests/faults/fault_server.py does.
//   sink          prints its port, then serves until it is killed
//   GET /_stats   {"documents":N}
#include <libdeflate.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::atomic<unsigned long> documents{0};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// A header's value; names are looked for as written or in lower case.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = 0; (at = head.find("\r\n", at)) != head.npos; at += 2) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    const bool same = std::equal(name.begin(), name.end(), line.begin(),
                                 [](char a, char b) { return (a | 32) == (b | 32); });
    if (same) return line.substr(std::min(line.size(), line.find_first_not_of(" :", name.size())));
  }
  return {};
}

unsigned long count_lines(std::string_view text) {
  unsigned long lines = 0;
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; ++at) ++lines;
  return lines;
}

class Connection {
 public:
  explicit Connection(int socket) : socket_(socket), inflater_(libdeflate_alloc_decompressor()) {
    const int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  ~Connection() {
    libdeflate_free_decompressor(inflater_);
    close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void serve() {
    while (request()) {
    }
  }

 private:
  bool more(std::size_t at_least) {
    if (buffer_.size() < have_ + at_least) buffer_.resize(have_ + at_least);
    const ssize_t n = recv(socket_, buffer_.data() + have_, buffer_.size() - have_, 0);
    if (n <= 0) return false;
    have_ += static_cast<std::size_t>(n);
    return true;
  }

  bool send_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  bool request() {
    std::size_t end = std::string_view::npos;
    while ((end = std::string_view(buffer_.data(), have_).find("\r\n\r\n")) == std::string_view::npos)
      if (!more(1 << 16)) return false;
    const std::string head(buffer_.data(), end + 2);
    if (!header(head, "Expect").empty() && !send_all("HTTP/1.1 100 Continue\r\n\r\n")) return false;
    const std::size_t begin = end + 4;
    const std::size_t size =
        begin + std::strtoul(std::string(header(head, "Content-Length")).c_str(), nullptr, 10);
    while (have_ < size)
      if (!more(size - have_)) return false;
    const std::string_view target = std::string_view(head).substr(0, head.find("\r\n"));
    const std::string body = answer(target, head, std::string_view(buffer_.data() + begin, size - begin));
    std::memmove(buffer_.data(), buffer_.data() + size, have_ - size);
    have_ -= size;
    return send_all(
        "HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: "
        "application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  std::string answer(std::string_view target, std::string_view head, std::string_view body) {
    if (target.find("/_stats") != target.npos)
      return "{\"documents\":" + std::to_string(documents.load()) + "}";
    if (target.find("/_bulk") == target.npos) return "{}";
    if (header(head, "Content-Encoding") == "gzip") body = inflated(body);
    const unsigned long count = count_lines(body) / 2;
    documents += count;
    std::string item = R"({"create":{"status":201}})";
    if (target.find("items.*._index") != target.npos) item = R"({"create":{"_index":"bench","status":201}})";
    std::string out = R"({"errors":false,"items":[)";
    out.reserve(out.size() + count * (item.size() + 1) + 2);
    for (unsigned long i = 0; i < count; ++i) out.append(i == 0 ? "" : ",").append(item);
    return out + "]}";
  }

  std::string_view inflated(std::string_view packed) {
    std::size_t size = 0;
    if (plain_.empty()) plain_.resize(16 << 20);
    while (libdeflate_gzip_decompress(inflater_, packed.data(), packed.size(), plain_.data(), plain_.size(),
                                      &size) == LIBDEFLATE_INSUFFICIENT_SPACE)
      plain_.resize(2 * plain_.size());
    return {plain_.data(), size};
  }

  int socket_;
  libdeflate_decompressor* inflater_;
  std::vector<char> buffer_;
  std::size_t have_ = 0;
  std::vector<char> plain_;
};

}  // namespace

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || getsockname(listener, generic, &size) != 0 ||
      listen(listener, 64) != 0)
    fail("listen");
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (;;) {
    const int socket = accept(listener, nullptr, nullptr);
    if (socket < 0) fail("accept");
    std::thread([socket] { Connection(socket).serve(); }).detach();
  }
}
