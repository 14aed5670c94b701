// TLS connections of the Asio client against an OpenSSL server in a thread, with certificates made here.
#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <functional>
#include <thread>

#include "agent/base/clock.h"
#include "agent/base/stream_client.h"
#include "tests/agent/base/temp_dir.h"
#include "tests/agent/send/stream/loopback_listener.h"

namespace sidelight {
namespace {

using namespace std::chrono_literals;
using test::LoopbackListener;
using test::Socket;
using ::testing::HasSubstr;

// A self-signed certificate for `name`, as NAME.pem and NAME.key in `folder`, valid from `from` to `to`
// seconds from now.
struct Certificate {
  Certificate(const std::string& folder, const std::string& file, const char* name, long from, long to)
      : pem(folder + "/" + file + ".pem"), key(folder + "/" + file + ".key") {
    EVP_PKEY* const pair = EVP_EC_gen("P-256");
    X509* const x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from);
    X509_gmtime_adj(X509_getm_notAfter(x), to);
    X509_set_pubkey(x, pair);
    X509_NAME* const subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(file.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, subject);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name);
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x, pair, EVP_sha256());
    FILE* f = std::fopen(pem.c_str(), "w");
    PEM_write_X509(f, x);
    std::fclose(f);
    f = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(f, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(f);
    X509_free(x);
    EVP_PKEY_free(pair);
  }
  std::string pem;
  std::string key;
};

// Accepts one connection, and after the handshake runs `then` with it.
class TlsServer {
 public:
  using Then = std::function<void(SSL*, Socket&)>;
  TlsServer(const Certificate& certificate, int version, const std::string& client_ca, Then then)
      : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_max_proto_version(context_, version);
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_, certificate.pem.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, certificate.key.c_str(), SSL_FILETYPE_PEM), 1);
    if (!client_ca.empty()) {
      EXPECT_EQ(SSL_CTX_load_verify_locations(context_, client_ca.c_str(), nullptr), 1);
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    thread_ = std::thread([this, then = std::move(then)] {
      Socket s = listener.accept();
      SSL* const ssl = SSL_new(context_);
      SSL_set_fd(ssl, s.fd());
      if (SSL_accept(ssl) == 1) {
        then(ssl, s);
      } else {
        s.read(1);  // until the client has gone: our alert is to arrive
      }
      SSL_free(ssl);
    });
  }
  ~TlsServer() {
    listener.stop();
    thread_.join();
    SSL_CTX_free(context_);
  }
  LoopbackListener listener;

 private:
  SSL_CTX* context_;
  std::thread thread_;
};

struct Recorder final : StreamEvents {
  void on_open() override { opened = true; }
  void on_bytes(std::string_view bytes) override { said += bytes; }
  void on_sent(std::size_t n, bool done) override {
    sent += n;
    all_sent = done;
  }
  void on_closed(const StreamError& e) override {
    ++ends;
    error = e;
  }
  bool opened = false;
  bool all_sent = false;
  std::size_t sent = 0;
  std::string said;
  int ends = 0;
  StreamError error;
};

void echo(SSL* ssl, Socket&) {
  char bytes[4096];
  for (int n = 0; (n = SSL_read(ssl, bytes, sizeof bytes)) > 0;) SSL_write(ssl, bytes, n);
  SSL_shutdown(ssl);
}

class TlsStream : public ::testing::TestWithParam<int> {
 protected:
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds patience = 10s) {
    const SystemClock clock;
    const MonoTime end = clock.now() + patience;
    while (!done() && clock.now() < end) client->run_once(20ms);
    return done();
  }
  StreamTarget target(const TlsServer& server, const std::string& ca) const {
    return {"127.0.0.1", server.listener.port(),
            TlsOptions{.ca_file = ca, .certificate_file = {}, .key_file = {}}, 10s};
  }
  // What the client says about a server that it does not accept, or that does not accept it.
  std::string refusal(const StreamTarget& t) {
    const auto id = client->open(t, events);
    run_until([&] { return events.ends > 0 || events.opened; });
    const std::string bytes = "hello";
    if (events.opened && events.ends == 0) client->send(id, bytes);  // TLS 1.3: refused after the handshake
    run_until([&] { return events.ends > 0; });
    EXPECT_EQ(events.error.kind, StreamError::Kind::tls);
    client->close(id);
    return events.error.message;
  }

  test::TempDir dir;
  Certificate good{dir.path(), "good", "IP:127.0.0.1", -3600, 3600};
  Recorder events;
  std::unique_ptr<StreamClient> client = make_asio_stream_client();
};

TEST_P(TlsStream, BytesGoBothWays) {
  const TlsServer server(good, GetParam(), "", echo);
  const auto id = client->open(target(server, good.pem), events);
  ASSERT_TRUE(run_until([&] { return events.opened; })) << events.error.message;
  const std::string much(3'000'000, 'x');
  client->send(id, much);
  EXPECT_TRUE(run_until([&] { return events.all_sent && events.said.size() == much.size(); }));
  EXPECT_EQ(events.sent, much.size());
  client->close(id);
  client.reset();  // says goodbye, or the server would wait for ever
}

TEST_P(TlsStream, ClosingInTheMiddleOfASendIsSafe) {
  const TlsServer server(good, GetParam(), "", [](SSL*, Socket& s) {
    while (!s.read(1u << 16).empty()) std::this_thread::yield();
  });
  const auto id = client->open(target(server, good.pem), events);
  ASSERT_TRUE(run_until([&] { return events.opened; }));
  {
    const std::string gone(32u << 20, 'x');
    client->send(id, gone);
    run_until([&] { return events.sent > 100'000; });
    client->close(id);
  }
  run_until([] { return false; }, 700ms);
  EXPECT_EQ(events.ends, 0);
}

TEST_P(TlsStream, ACutIsToldOnce) {
  const TlsServer server(good, GetParam(), "", [](SSL* ssl, Socket& s) {
    SSL_write(ssl, "hi", 2);
    s.reset();
  });
  client->open(target(server, good.pem), events);
  ASSERT_TRUE(run_until([&] { return events.ends > 0; }));
  run_until([] { return false; }, 200ms);
  EXPECT_EQ(events.ends, 1);
  EXPECT_EQ(events.error.kind, StreamError::Kind::closed);
}

TEST_P(TlsStream, OtherAuthority) {
  const Certificate other(dir.path(), "other", "IP:127.0.0.1", -3600, 3600);
  const TlsServer server(good, GetParam(), "", echo);
  EXPECT_THAT(refusal(target(server, other.pem)),
              HasSubstr("is not signed by the authorities in " + other.pem));
}

TEST_P(TlsStream, Expired) {
  const Certificate old(dir.path(), "old", "IP:127.0.0.1", -7200, -3600);
  const TlsServer server(old, GetParam(), "", echo);
  EXPECT_THAT(refusal(target(server, old.pem)), HasSubstr("the server's certificate has expired"));
}

TEST_P(TlsStream, NotYetValid) {
  const Certificate early(dir.path(), "early", "IP:127.0.0.1", 3600, 7200);
  const TlsServer server(early, GetParam(), "", echo);
  EXPECT_THAT(refusal(target(server, early.pem)), HasSubstr("not valid yet"));
}

TEST_P(TlsStream, OtherName) {
  const Certificate stranger(dir.path(), "stranger", "DNS:elsewhere.example,IP:10.0.0.1", -3600, 3600);
  const TlsServer server(stranger, GetParam(), "", echo);
  EXPECT_THAT(refusal(target(server, stranger.pem)), HasSubstr("for another name than 127.0.0.1"));
}

TEST_P(TlsStream, ClientCertificateMissingOrRefused) {
  {
    const TlsServer server(good, GetParam(), good.pem, echo);
    EXPECT_THAT(refusal(target(server, good.pem)),
                HasSubstr("wants a client certificate, and none is configured"));
  }
  const Certificate mine(dir.path(), "mine", "DNS:me", -3600, 3600);
  const TlsServer server(good, GetParam(), good.pem, echo);
  StreamTarget t = target(server, good.pem);
  t.tls->certificate_file = mine.pem;
  t.tls->key_file = mine.key;
  events = Recorder();
  EXPECT_THAT(refusal(t), HasSubstr("the server refused our client certificate " + mine.pem));
}

TEST_P(TlsStream, AKeyOfAnotherCertificateIsTold) {
  const Certificate mine(dir.path(), "mine", "DNS:me", -3600, 3600);
  const TlsServer server(good, GetParam(), "", echo);
  StreamTarget t = target(server, good.pem);
  t.tls->certificate_file = mine.pem;
  t.tls->key_file = good.key;
  EXPECT_THAT(refusal(t), HasSubstr("our client certificate " + mine.pem + " or its key " + good.key +
                                    " cannot be used"));
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsStream, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& param) { return param.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

}  // namespace
}  // namespace sidelight
