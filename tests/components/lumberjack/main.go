// A Lumberjack v2 server on the reference implementation of the protocol (go-lumber): what Logstash's beats input is to its clients.
// Each event becomes one line of JSON in the file -out, synced to the system before it is acknowledged, so that what was acknowledged
// is there even when this process is killed. The first line on standard output is the address it listens on.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	v2 "github.com/elastic/go-lumber/server/v2"
)

func serverTLS(certificate, key, clientAuthority, newest string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if newest == "1.2" {
		config.MaxVersion = tls.VersionTLS12
	}
	if clientAuthority == "" {
		return config, nil
	}
	pem, err := os.ReadFile(clientAuthority)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", clientAuthority)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

func main() {
	bind := flag.String("bind", "127.0.0.1:0", "address to listen on")
	out := flag.String("out", "/dev/stdout", "file that the events are appended to")
	certificate := flag.String("cert", "", "PEM certificate; turns TLS on")
	key := flag.String("key", "", "its PEM key")
	clientAuthority := flag.String("ca", "", "PEM authority; a client must show a certificate that it signed")
	newest := flag.String("tls", "1.3", "newest TLS version: 1.2 or 1.3")
	delay := flag.Duration("delay", 0, "how long each window waits for its acknowledgement")
	keepalive := flag.Duration("keepalive", 3*time.Second, "interval of the keep-alives while it waits")
	flag.Parse()

	sink, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *bind)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	if *certificate != "" {
		config, err := serverTLS(*certificate, *key, *clientAuthority, *newest)
		if err != nil {
			log.Fatal(err)
		}
		listener = tls.NewListener(listener, config)
	}
	server, err := v2.NewWithListener(listener, v2.Keepalive(*keepalive), v2.Timeout(30*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewWriter(sink)
	encoder := json.NewEncoder(lines)
	for window := range server.ReceiveChan() {
		for _, event := range window.Events {
			if err := encoder.Encode(event); err != nil {
				log.Fatal(err)
			}
		}
		if err := lines.Flush(); err != nil {
			log.Fatal(err)
		}
		time.Sleep(*delay)
		window.ACK()
	}
}
