"""A broker's address as people write it."""

import pytest

from daemon.devices.address import Address


def test_an_address_is_read_and_its_password_stays_hidden() -> None:
    address = Address.parse("mqtts://casa:s%40nha@broker.local?ca=/etc/ca.pem")
    assert (address.host, address.port, address.user, address.password) == ("broker.local", 8883, "casa", "s@nha")
    assert address.tls
    assert address.ca == "/etc/ca.pem"
    assert "nha" not in repr(address)
    assert str(Address.parse("mqtt://h")) == "h:1883"
    for wrong in ("http://x", "mqtt://", "mqtt://h:x:y", "mqtt://u:segredo@h:99999"):
        with pytest.raises(ValueError, match="endereço do broker") as caught:
            Address.parse(wrong)
        assert "segredo" not in str(caught.value)
