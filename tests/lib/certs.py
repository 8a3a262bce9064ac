"""Certificates for tests of TLS, by the openssl command: CAs, and what they sign."""

import os
import ssl
import subprocess
import warnings


def _openssl(*words, cwd):
    done = subprocess.run(["openssl", *words], cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Authority:
    """A CA of its own in a directory of its own."""

    def __init__(self, directory, name="test CA", issuer=None):
        self.directory = os.fspath(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.cert = os.path.join(self.directory, "ca.crt")
        self.key = os.path.join(self.directory, "ca.key")
        extension = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        if issuer is not None:
            self.cert, self.key = issuer.sign(name, extension, directory=self.directory)
            return
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", "/CN=" + name, "-keyout", self.key, "-out", self.cert,
                 cwd=self.directory)

    @property
    def fingerprint(self):
        text = _openssl("x509", "-in", self.cert, "-noout", "-fingerprint", "-sha256",
                        cwd=self.directory)
        return text.strip().split("=", 1)[1]

    def sign(self, name, extension, directory=None, days=2, passphrase=None):
        """A new key and its certificate: (certificate, key)."""
        directory = directory or self.directory
        serial = int.from_bytes(os.urandom(8), "big")
        base = os.path.join(directory, "%s-%x" % (name.replace(" ", "_"), serial))
        key = ["-nodes"] if passphrase is None else ["-passout", "pass:" + passphrase]
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *key, "-subj",
                 "/CN=" + name, "-keyout", base + ".key", "-out", base + ".csr", cwd=directory)
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write(extension)
        _openssl("x509", "-req", "-in", base + ".csr", "-CA", self.cert, "-CAkey", self.key,
                 "-set_serial", str(serial), "-days", str(days),
                 "-extfile", base + ".ext", "-out", base + ".crt", cwd=directory)
        return base + ".crt", base + ".key"

    def server(self, name="server", hosts=("IP:127.0.0.1", "DNS:localhost"), days=2):
        return self.sign(name, "subjectAltName=%s\nextendedKeyUsage=serverAuth\n" % ",".join(hosts),
                         days=days)

    def client(self, name="client", passphrase=None):
        return self.sign(name, "extendedKeyUsage=clientAuth\n", passphrase=passphrase)


def chain(path, *certificates):
    """One file of several certificates."""
    with open(path, "w", encoding="ascii") as out:
        for one in certificates:
            with open(one, encoding="ascii") as f:
                out.write(f.read())
    return os.fspath(path)


def context(certificate, key, clients=None, highest=None):
    """A server's TLS; clients: a CA file, then every client needs a certificate of it."""
    one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if highest is not None:
        one.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
            one.minimum_version = ssl.TLSVersion.TLSv1
            one.maximum_version = highest
    one.load_cert_chain(certificate, key)
    if clients is not None:
        one.verify_mode = ssl.CERT_REQUIRED
        one.load_verify_locations(clients)
    return one
