#include "agent/base/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

namespace sidelight {
namespace {

namespace asio = boost::asio;
using SystemError = boost::system::error_code;

// OpenSSL's reason behind an error of Asio's ssl category; 0 for other categories.
int reason_of(const SystemError& error) {
  if (error.category() != asio::error::get_ssl_category()) return 0;
  return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
}

std::string authorities(const TlsOptions& options) {
  return options.ca_file.empty() ? "the system's authorities" : "the authorities in " + options.ca_file;
}

std::string explain_verification(long result, const std::string& host, const TlsOptions& options) {
  switch (result) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the server's certificate is not valid yet (compare the clocks)";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the server's certificate has expired";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is for another name than " + host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "the server's certificate is not signed by " + authorities(options);
    default:
      return "the server's certificate is not accepted";
  }
}

std::string words(const SystemError& error) {
  return " [" + error.message() + "]";
}

}  // namespace

Expected<std::unique_ptr<asio::ssl::context>> make_tls_context(const TlsOptions& options) {
  std::unique_ptr<asio::ssl::context> context;
  try {
    context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  } catch (const boost::system::system_error& e) {
    return fail(std::string("TLS cannot be set up: ") + e.what());
  }
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SystemError error;
  context->set_verify_mode(options.verify ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else if (context->load_verify_file(options.ca_file, error)) {
    return fail("the CA file " + options.ca_file + " cannot be used" + words(error));
  }
  if (!options.certificate_file.empty()) {
    const std::string ours = "our client certificate " + options.certificate_file + " or its key " +
                             options.key_file + " cannot be used";
    if (context->use_certificate_chain_file(options.certificate_file, error))
      return fail(ours + words(error));
    if (context->use_private_key_file(options.key_file, asio::ssl::context::pem, error))
      return fail(ours + words(error));
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
      return fail(ours + " [they do not belong together]");
  }
  return context;
}

Expected<void> expect_server_name(SSL* connection, const std::string& host, const TlsOptions& options) {
  SystemError not_an_address;
  asio::ip::make_address(host, not_an_address);
  // RFC 6066: the name indication carries no addresses.
  // (The macro SSL_set_tlsext_host_name is this with a cast of the old style.)
  const auto ask_for = [&] {
    return SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(host.c_str()));
  };
  if (not_an_address && ask_for() != 1) return fail(host + " is no name that TLS can ask for");
  if (!options.verify) return {};
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = not_an_address ? X509_VERIFY_PARAM_set1_host(expected, host.c_str(), 0)
                                 : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str());
  if (set != 1) return fail("the certificate of " + host + " cannot be verified");
  return {};
}

bool is_client_certificate_refused(const SystemError& error) {
  switch (reason_of(error)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return true;
    default:
      return false;
  }
}

std::string explain_tls_error(SSL* connection, const SystemError& error, const std::string& host,
                              const TlsOptions& options) {
  const long verified = connection == nullptr ? X509_V_OK : SSL_get_verify_result(connection);
  if (options.verify && verified != X509_V_OK)
    return explain_verification(verified, host, options) + " [" + X509_verify_cert_error_string(verified) +
           "]";
  if (is_client_certificate_refused(error)) {
    const std::string mine = options.certificate_file.empty()
                                 ? "the server wants a client certificate, and none is configured"
                                 : "the server refused our client certificate " + options.certificate_file;
    return mine + words(error);
  }
  switch (reason_of(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
      return "the server does not speak TLS on this port" + words(error);
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "the server speaks neither TLS 1.2 nor 1.3" + words(error);
    default:
      return "the TLS handshake failed" + words(error);
  }
}

}  // namespace sidelight
