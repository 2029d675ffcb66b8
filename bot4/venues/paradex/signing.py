"""What Paradex wants signed: the log-in and orders, by SNIP-12 revision 0 on the Stark curve.

A message is a chain of Pedersen hashes; the parts that never change (domain, account, type) are
hashed once. Hash and signature come from Rust and take under a millisecond.

Source: Paradex API docs, Signing, seen 2026-11; note that the domain's type names chainId
before version, unlike SNIP-12's own example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final, TypeVar

from Crypto.Hash import keccak
from fast_stark_crypto import get_public_key, pedersen_hash, sign

from bot4.secret import Secret

T = TypeVar("T")

FIELD_PRIME: Final = 2**251 + 17 * 2**192 + 1
CURVE_ORDER: Final = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
"""Source: Starknet documentation, STARK curve, seen 2026-11."""

AUTH_PATH: Final = "/v1/auth"
"""What is signed, whatever the URL is. Source: Paradex API docs, Authentication, seen 2026-11."""

_DOMAIN_TYPE: Final = "StarkNetDomain(name:felt,chainId:felt,version:felt)"
_ORDER_TYPE: Final = (
    "Order(timestamp:felt,market:felt,side:felt,orderType:felt,size:felt,price:felt)"
)
_REQUEST_TYPE: Final = "Request(method:felt,path:felt,body:felt,timestamp:felt,expiration:felt)"
_TYPE_BITS: Final = 250
_SHORT_CHARS: Final = 31
_BUY: Final = 1
_SELL: Final = 2
_LARGEST_NUMBER: Final = 2**128
"""Of sizes, prices and times we sign. Source: ours, far beyond any market."""


def short_string(text: str) -> int:
    """Return a text of at most 31 ASCII characters as a field element.

    Raises:
        ValueError: it is longer or not ASCII.
    """
    if len(text) > _SHORT_CHARS or not text.isascii():
        raise ValueError("not a short ASCII text")
    return int.from_bytes(text.encode(), "big")


def type_hash(text: str) -> int:
    """Return the hash of a type string: Keccak-256 cut to 250 bits."""
    digest = keccak.new(digest_bits=256, data=text.encode()).digest()
    return int.from_bytes(digest, "big") % (1 << _TYPE_BITS)


def _rust(call: Callable[..., T], *values: int) -> T:
    """Call the Rust library.

    Raises:
        ValueError: it refused, or panicked: its panic is a ``BaseException`` that would tear
            down the whole nursery. Its words are dropped, they may quote the key.
    """
    try:
        return call(*values)
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ValueError("the Stark library refused its input") from None  # noqa: ASYNC104
        raise


def pedersen(left: int, right: int) -> int:
    """Return the Pedersen hash of two field elements."""
    return _rust(pedersen_hash, left, right)


def chain(start: int, values: Iterable[int]) -> int:
    """Hash further values onto a chain."""
    return reduce(pedersen, values, start)


def hash_all(*values: int) -> int:
    """Return the hash of an array: the chain from 0, with the length at its end."""
    return pedersen(chain(0, values), len(values))


def _number(text: str, limit: int, name: str) -> int:
    try:
        number = int(text.strip(), 16)
    except ValueError:
        number = 0
    if not 1 <= number < limit:
        raise ValueError(f"{name} is not a hexadecimal number in range")
    return number


class StarkSigner:
    """Signs for one account with its key, or with a subkey of it.

    Args:
        account: the main account's address, hexadecimal.
        private_key: of the account or of a registered subkey, hexadecimal.
        chain_id: ``PRIVATE_SN_PARACLEAR_MAINNET`` or another network's.

    Raises:
        ValueError: one of them is out of range. The text never quotes it.
    """

    def __init__(self, account: Secret, private_key: Secret, chain_id: str) -> None:
        address = _number(account.reveal(), FIELD_PRIME, "the Paradex account")
        self._private_key = private_key
        self.account = hex(address)
        self.public_key = hex(_rust(get_public_key, self._key()))
        domain = hash_all(
            type_hash(_DOMAIN_TYPE), short_string("Paradex"), short_string(chain_id), 1
        )
        self._message = chain(0, (short_string("StarkNet Message"), domain, address))
        self._order = pedersen(0, type_hash(_ORDER_TYPE))
        self._request = pedersen(0, type_hash(_REQUEST_TYPE))
        self._words: dict[str, int] = {}

    def _key(self) -> int:
        # Checked before the library sees it: its panics print.
        return _number(self._private_key.reveal(), CURVE_ORDER, "the Paradex private key")

    def order_hash(
        self,
        time_ms: int,
        market: str,
        order_type: str,
        size: int,
        price: int,
        *,
        buy: bool,
    ) -> int:
        """Return the hash of an order. Size and price are integers of 1e-8.

        Raises:
            ValueError: a number is negative or absurd.
        """
        numbers = (time_ms, size, price)
        if not all(0 <= number < _LARGEST_NUMBER for number in numbers):
            raise ValueError("a number of the order is out of range")
        side = _BUY if buy else _SELL
        fields = (time_ms, self._word(market), side, self._word(order_type), size, price)
        return self._close(chain(self._order, (*fields, 7)))

    def auth_hash(self, time_s: int, expiration_s: int) -> int:
        """Return the hash of a log-in request: POST, the path, an empty body, two times."""
        fields = (short_string("POST"), short_string(AUTH_PATH), 0, time_s, expiration_s, 6)
        return self._close(chain(self._request, fields))

    def sign(self, message: int) -> str:
        """Sign a hash: ``["r","s"]``, decimal.

        Raises:
            ValueError: the library refused.
        """
        first, second = _rust(sign, self._key(), message)
        return f'["{first}","{second}"]'

    def _close(self, struct: int) -> int:
        return chain(self._message, (struct, 4))

    def _word(self, text: str) -> int:
        word = self._words.get(text)
        if word is None:
            word = self._words[text] = short_string(text)
        return word
