"""A certificate authority for tests, and what it signed, as PEM files made by the openssl command."""

import subprocess


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self.make_ca("ca")
        self.make_ca("other-ca")
        self.sign("server", "ca", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.sign("wrong-name", "ca", "subjectAltName=DNS:elsewhere.example")
        self.sign("expired", "ca", "subjectAltName=IP:127.0.0.1", "-not_after", "20200102000000Z", "-not_before", "20200101000000Z")
        self.sign("client", "ca", "extendedKeyUsage=clientAuth")
        self.sign("other-client", "other-ca", "extendedKeyUsage=clientAuth")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def make_ca(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext", "basicConstraints=critical,CA:TRUE")

    def sign(self, name, authority, extension, *dates):
        """Dates need `openssl ca`, which keeps a database; x509 of older versions knows days alone."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
        (self.folder / "index.txt").write_text("", encoding="ascii")
        (self.folder / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\nrand_serial=yes\n"
                                            "default_md=sha256\ndefault_days=2\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n"
                                            f"[e]\n{extension}\n", encoding="ascii")
        times = {"-not_before": "-startdate", "-not_after": "-enddate"}
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key", "-in", f"{name}.csr",
                     "-out", f"{name}.pem", "-notext", *(times.get(d, d) for d in dates))

    def path(self, name):
        return str(self.folder / name)
