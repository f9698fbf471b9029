"""A broker's address, as people write it: `mqtt[s]://user:password@host:port`."""

import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

PLAIN_PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and how to enter. The password never shows in a repr.

    `ca` is the path of a PEM file that replaces the system's authorities, for brokers with a certificate of their own;
    in the URL it is `?ca=/path/ca.pem`.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL. Raises ValueError, in Portuguese and without the password, when it is not a broker's."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("endereço do broker: a porta precisa ser um número de 1 a 65535") from None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ValueError("endereço do broker: precisa ser como mqtt://usuário:senha@servidor:1883")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (TLS_PORT if tls else PLAIN_PORT),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            ca=parse_qs(parts.query).get("ca", [None])[0],
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """Return the context for TLS, which always checks the certificate, or None where the link is plain."""
        return ssl.create_default_context(cafile=self.ca) if self.tls else None

    def socket_options(self, unsent_s: float) -> list[tuple[int, int, int]]:
        """Return options for a link whose messages are small and urgent, and worthless once `unsent_s` old."""
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: what the network has not taken in this time is thrown away
            options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unsent_s * 1000)))
        return options

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
