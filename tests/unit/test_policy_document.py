"""policy.yaml holds what decides rights, whole or not at all; what one file says the other does not."""

from pathlib import Path

import pytest

from bot.core.approvals.policy import policy_version
from bot.core.config import Config
from bot.core.config.actions import SoloMode
from bot.core.errors import ConfigurationError
from bot.settings import load_config

BASE = """people: {alice: {slack: U1}, bob: {slack: U2}}
actions:
  rollback: {kind: silence_alert}
"""
POLICY = """version: 1
approvers: {deputies: [bob], admins: [alice]}
solo: off
limits: {targets_an_hour: 2}
tiers: {rollback: 3}
"""


def files(folder: Path, base: str = BASE, policy: str | None = POLICY) -> Path:
    (folder / "tocsin.yaml").write_text(base)
    if policy is not None:
        (folder / "policy.yaml").write_text(policy)
    return folder / "tocsin.yaml"


def loaded(folder: Path, base: str = BASE, policy: str | None = POLICY) -> Config:
    return load_config(files(folder, base, policy))


def test_what_policy_yaml_says_is_in_force_as_if_tocsin_yaml_said_it(tmp_path: Path) -> None:
    config = loaded(tmp_path)

    assert config.approvers.deputies == ("bob",) and config.solo is SoloMode.OFF
    assert config.limits.targets_an_hour == 2 and config.actions["rollback"].tier == 3


def test_a_configuration_without_policy_yaml_means_what_it_meant(tmp_path: Path) -> None:
    config = loaded(tmp_path, BASE + "solo: immediate\n", policy=None)

    assert config.solo is SoloMode.IMMEDIATE and config.limits.targets_an_hour == 5


@pytest.mark.parametrize(
    ("base", "policy", "error"),
    [
        (BASE + "solo: after\n", POLICY, "tocsin.yaml:4: solo: stands in {folder}/policy.yaml too: say it in one of the two"),
        (
            BASE.replace("silence_alert", "silence_alert, tier: 2"),
            POLICY,
            "tocsin.yaml:3: actions.rollback.tier: stands in {folder}/policy.yaml too",
        ),
        (BASE, POLICY.replace("rollback", "rolback"), "policy.yaml:5: tiers.rolback: 'rolback' is not among actions of"),
        (BASE, POLICY.replace("rollback: 3", "rollback: 0"), "policy.yaml:5: tiers.rollback: 0 is no tier of an action"),
        (BASE, POLICY.replace("bob", "bub"), "policy.yaml:2: approvers.deputies.0: 'bub' is not among people"),
        (BASE, POLICY.replace("deputies", "deputys"), "policy.yaml:2: approvers.deputys: unknown key"),
        (BASE, POLICY.replace("hour: 2", "hour: 50"), "policy.yaml:4: limits.targets_an_hour: must be at most"),
        (BASE, POLICY + "people: {mallory: {slack: U3}}\n", "policy.yaml:6: people: unknown key"),
        (BASE, POLICY.replace("version: 1", "version: 2"), "policy.yaml:1: version: must be 1, and is"),
        (BASE, POLICY.replace("version: 1\n", ""), "policy.yaml:{line}version: is missing"),
        (BASE, "approvers: {deputies: [bob]\n", "policy.yaml:1: the bracket that opens here is never closed"),
        (BASE, "", "policy.yaml: version: is missing"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(tmp_path: Path, base: str, policy: str, error: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, base, policy)

    assert error.format(folder=tmp_path, line=" ") in str(raised.value)


@pytest.mark.parametrize(
    "changed",
    [
        POLICY.replace("[bob]", "[]"),
        POLICY.replace("solo: off", "solo: after"),
        POLICY.replace("hour: 2", "hour: 3"),
        POLICY.replace("rollback: 3", "rollback: 2"),
        POLICY + "freezes: [{starts: 2026-01-01T00:00:00Z, ends: 2026-01-02T00:00:00Z, reason: sale}]\n",
    ],
)
def test_every_part_of_the_policy_is_in_the_version_that_decisions_carry(tmp_path: Path, changed: str) -> None:
    before = policy_version(loaded(tmp_path))

    assert policy_version(loaded(tmp_path, policy=changed)) != before


def test_the_same_policy_in_either_file_has_the_same_version(tmp_path: Path) -> None:
    own_file = policy_version(loaded(tmp_path, BASE, "version: 1\nsolo: immediate\n"))
    (tmp_path / "policy.yaml").unlink()

    assert policy_version(loaded(tmp_path, BASE + "solo: immediate\n", None)) == own_file
