"""The same readers under atheris, which looks where each case leads and breaks it further there.

Runs in an environment of its own that the script makes. Where atheris has no build for this
Python, that is said, and the seeded mutator is all there is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from conformancelib.environments import ROOT, NotInstallable, environment

ATHERIS: Final = ("atheris>=3.0,<3.1",)
LONGEST: Final = 8192
"""Bytes of a case; longer ones are the seeded mutator's."""
START_S: Final = 120
"""What installing, importing and instrumenting may take beyond the time asked for."""


def guide(seconds: int) -> int:
    """Run atheris for so long; return 0 when nothing unexpected came out, or it is not to be had.

    The last line is the figures.
    """
    try:
        python = environment("atheris", ATHERIS)
    except NotInstallable as why:
        print(f"fuzz: SKIPPED: atheris is not installable on this Python: {why}")
        return 0
    paths = (ROOT / "scripts", ROOT, sysconfig.get_paths()["purelib"])
    with TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        _plant(corpus)
        command = [str(python), "-m", "fuzzlib.guided", str(corpus), f"-max_total_time={seconds}"]
        command += [f"-max_len={LONGEST}", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
            },
            timeout=seconds + START_S,
            check=False,
        )
    cases = re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr)
    found = re.findall(r"cov: (\d+)", done.stderr)
    words = done.stdout + done.stderr
    fault = re.findall(r"^\s*([\w.]*(?:Error|Exception|Broken)\b.*)$", words, re.MULTILINE)
    if done.returncode or not cases:
        print(f"FAULT  {(fault or done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    print(
        f"fuzz: {cases[-1] if cases else 0} cases of atheris in {seconds} s, "
        f"{found[-1] if found else 0} branches reached (at first {found[0] if found else 0}); "
        f"{'faults' if done.returncode or not cases else '0 faults'}"
    )
    return 1 if done.returncode or not cases else 0


def _plant(folder: Path) -> None:
    """Write every good message as a seed: two bytes choose its reader, then the message."""
    from fuzzlib.corpus import corpus

    for number, sample in enumerate(corpus()):
        seed = number.to_bytes(2, "little") + sample.data
        (folder / f"{number:03d}").write_bytes(seed[:LONGEST])


def _inside() -> None:
    """Run below atheris: this process is its own, and ends with its exit code."""
    import atheris  # type: ignore[import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["bot4.venues", "bot4.domain"]):
        from fuzzlib.targets import STATUSES, Readers

    from fuzzlib.corpus import corpus

    samples, readers = corpus(), [Readers()]
    count = 0

    def one(data: bytes) -> None:
        nonlocal count
        count += 1
        if count % 20_000 == 0:
            readers[0] = Readers()
        if len(data) < 2:
            return
        chosen = int.from_bytes(data[:2], "little")
        sample = samples[chosen % len(samples)]
        text, status = sample.is_json and chosen % 3 > 0, STATUSES[chosen % len(STATUSES)]
        readers[0].read(sample, data[2:], text, status)

    atheris.Setup([sys.argv[0], *sys.argv[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    _inside()
