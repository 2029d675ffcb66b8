"""Which addresses belong to which mode: keys and money of one network never meet another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from bot4.config.faults import Faults
from bot4.config.schema import Config, Mode, ParadexConfig, VestConfig

TESTNET: Final[Mapping[str, Mapping[str, str]]] = {
    # Source: Vest API docs, development hosts and contract, seen 2026-11.
    "vest": {
        "rest_url": "https://server-dev.hz.vestmarkets.com/v2",
        "ws_url": "wss://ws-dev.hz.vestmarkets.com/ws-api?version=1.0",
        "verifying_contract": "0x8E4D87AEf4AC4D5415C35A12319013e34223825B",
    },
    # Source: Paradex API docs, testnet, seen 2026-11.
    "paradex": {
        "rest_url": "https://api.testnet.paradex.trade/v1",
        "ws_url": "wss://ws.api.testnet.paradex.trade/v1",
        "chain_id": "PRIVATE_SN_POTC_SEPOLIA",
    },
}

HOSTS: Final = {"vest": ".vestmarkets.com", "paradex": ".paradex.trade"}
LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


def network_defaults(mode: Mode, venue: str) -> dict[str, str]:
    """Return the fields of a venue's section that the mode changes."""
    return dict(TESTNET[venue]) if mode is Mode.TESTNET else {}


def check_networks(config: Config, faults: Faults) -> None:
    """Refuse a host, contract or chain of another network. Simulation has its own addresses."""
    if config.mode is Mode.SIMULATION:
        return
    for venue, section in (("vest", config.vest), ("paradex", config.paradex)):
        for field in ("rest_url", "ws_url"):
            _check_host(
                config.mode, venue, getattr(section, field), f"venues.{venue}.{field}", faults
            )
    contracts = {
        Mode.LIVE: VestConfig().verifying_contract,
        Mode.TESTNET: TESTNET["vest"]["verifying_contract"],
    }
    wanted = contracts[config.mode]
    if config.vest.verifying_contract.lower() != wanted.lower():
        what = f"is not the contract of mode {config.mode}: it must be {wanted}, or leave it out"
        faults.add("venues.vest.verifying_contract", what)
    mainnet = ParadexConfig().chain_id
    if (config.paradex.chain_id == mainnet) is not (config.mode is Mode.LIVE):
        what = f"is {config.paradex.chain_id}, not a chain of mode {config.mode}: leave it out"
        faults.add("venues.paradex.chain_id", what)


def _check_host(mode: Mode, venue: str, url: str, path: str, faults: Faults) -> None:
    host = urlsplit(url).hostname or ""
    if mode is Mode.TESTNET and host in LOOPBACK:
        return
    if not host.endswith(HOSTS[venue]):
        faults.add(path, f"has the host {host}: it must end with {HOSTS[venue]}, or leave it out")
        return
    labels = set(host.removesuffix(HOSTS[venue]).replace("-", ".").split("."))
    foreign = {"dev", "testnet", "staging"} if mode is Mode.LIVE else {"prod"}
    if labels & foreign:
        faults.add(path, f"has the host {host}, which is not of mode {mode}: leave it out")
