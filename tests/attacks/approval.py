"""`python -m tests.attacks approval --data DIR`: plays every step script and its legitimate twin, prints passed / total.

DIR holds JSONL files; `approval` plays `approval.jsonl`, `all` every file with step scripts, a file name that file.
Exit status 0 only if every script about parts that are built passes and no twin is refused.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from tests.attacks.crash import play_crash
from tests.attacks.phrases import Kind
from tests.attacks.play import Play
from tests.attacks.script import Script, read_scripts
from tests.attacks.stage import Stage
from tests.attacks.twin import judge_twin, twin_of
from tests.attacks.verdict import judge


@dataclass(frozen=True)
class Result:
    """What came of one play."""

    script: Script
    twin: bool
    why: list[str]
    later: str = ""
    """Why it does not count yet."""


def main(arguments: list[str] | None = None) -> int:
    """Play and print; 0 if all is well."""
    options = _parse(arguments)
    scripts = [script for path in _files(options.data, options.what) for script in read_scripts(path)]
    if options.only:
        scripts = [script for script in scripts if options.only in script.id or options.only in script.technique]
    if not scripts:
        print(f"no step scripts in {options.data}")
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    results = asyncio.run(_play_all(scripts, twins=not options.no_twins))
    return _print(results)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("what", nargs="?", default="approval", help="approval, all, or the name of a JSONL file")
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files, or one file")
    parser.add_argument("--only", default="", help="part of an id or a technique")
    parser.add_argument("--no-twins", action="store_true")
    return parser.parse_args(arguments)


def _files(data: Path, what: str) -> list[Path]:
    if data.is_file():
        return [data]
    if what == "all":
        return sorted(data.glob("*.jsonl"))
    named = sorted(data.glob(f"{what.removesuffix('.jsonl')}*.jsonl"))
    return named or sorted(data.glob("*.jsonl"))


def _later(script: Script) -> str:
    if script.has(Kind.BREAK_GLASS):
        return "break-glass comes later; that nothing ran was checked"
    return "two replicas come later; played on one" if script.replicas else ""


def _crashes(script: Script) -> bool:
    return script.has(Kind.KILL)


async def _play_all(scripts: list[Script], *, twins: bool) -> list[Result]:
    plays = [(script, False) for script in scripts] + ([(twin_of(script), True) for script in scripts] if twins else [])
    staged = [(script, twin) for script, twin in plays if not _crashes(script) and not script.id.endswith(_crash_ids(scripts))]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="tocsin-attacks-") as folder:
        services = [f"svc-{number:03d}" for number in range(len(staged))]
        async with Stage(services, Path(folder)) as stage:
            for (script, twin), service in zip(staged, services, strict=True):
                results.append(await _play_one(stage, script, twin, service))
    for script in scripts:
        if _crashes(script):
            for attacked in (True, False) if twins else (True,):
                results.append(await _crash_one(script, attacked))
    return results


def _crash_ids(scripts: list[Script]) -> tuple[str, ...]:
    """Twins of crash scripts are played on the crash stage."""
    return tuple(f"{script.id} twin" for script in scripts if _crashes(script)) or ("\0",)


async def _play_one(stage: Stage, script: Script, twin: bool, service: str) -> Result:
    begun = time.monotonic()
    try:
        played = await Play(stage, script, service).run()
        why = await (judge_twin if twin else judge)(stage, script, played, service)
    except Exception as error:  # noqa: BLE001 - one script that cannot be played must not end the others
        why = [f"could not be played: {type(error).__name__}: {error}"]
    _say(script.id, why, begun)
    return Result(script, twin, why, _later(script))


async def _crash_one(script: Script, attacked: bool) -> Result:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder:
        try:
            why = await play_crash(script, Path(folder), attacked=attacked)
        except Exception as error:  # noqa: BLE001 - as above
            why = [f"could not be played: {type(error).__name__}: {error}"]
    _say(script.id if attacked else f"{script.id} twin", why, begun)
    return Result(script, not attacked, why, _later(script))


def _say(id: str, why: list[str], begun: float) -> None:
    print(f"{'FAIL' if why else 'ok  '} {id} {time.monotonic() - begun:.1f} s", *why, sep="\n       ", flush=True)


def _print(results: list[Result]) -> int:
    attacks, twins = [r for r in results if not r.twin], [r for r in results if r.twin]
    built = [r for r in attacks if not r.later]
    passed = sum(not r.why for r in built)
    refused = [r for r in twins if r.why]
    print()
    for result in attacks:
        if result.later:
            print(f"later: {result.script.id} {result.script.technique}: {result.later}; {'; '.join(result.why) or 'held'}")
    for result in (r for r in built if r.why):
        print(f"FAILED {result.script.id} {result.script.technique}: {'; '.join(result.why)}")
    for result in refused:
        print(f"FALSE REFUSAL {result.script.id}: {'; '.join(result.why)}")
    later = len(attacks) - len(built)
    print(f"passed {passed} / {len(built)} (and {later} listed as later); false refusals {len(refused)} / {len(twins)}")
    return 0 if passed == len(built) and not refused else 1


if __name__ == "__main__":
    sys.exit(main())
