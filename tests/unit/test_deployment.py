"""What stands in deploy/ fits the product (ports, probes, variables, user, volumes) and the schemas of Kubernetes."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from typer.main import get_command

from bot.app import SENDER_SECONDS, SERVER_SECONDS, SOCKET_SECONDS, STEPS_SECONDS
from bot.cli import app
from bot.settings import Secrets, parse_config
from bot.web.health import Health

ROOT = Path(__file__).parents[2]
COMPOSE, KUBERNETES = ROOT / "deploy" / "compose", ROOT / "deploy" / "kubernetes"
IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SINGLE, REPLICATED = "single", "replicated"
VARIANTS = (SINGLE, REPLICATED)
SCHEMAS = ("1.28", "1.37")
"""The oldest and the newest that the validator ships."""
PORT = Secrets.model_fields["port"].default
Json = dict[str, Any]


def read(path: Path) -> Json:
    loaded: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def resources(folder: Path) -> list[Json]:
    """All resources of a kustomization, those of what it builds on included."""
    return [
        resource
        for name in read(folder / "kustomization.yaml")["resources"]
        for resource in (resources(folder / name) if (folder / name).is_dir() else [read(folder / name)])
    ]


def of_kind(variant: str, kind: str) -> Json:
    (only,) = (resource for resource in resources(KUBERNETES / variant) if resource["kind"] == kind)
    return only


def workload(variant: str) -> Json:
    return of_kind(variant, "StatefulSet" if variant == SINGLE else "Deployment")


def pod(variant: str) -> Json:
    template: Json = workload(variant)["spec"]["template"]
    return template


def containers(variant: str) -> list[Json]:
    spec = pod(variant)["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def server(variant: str) -> Json:
    (only,) = pod(variant)["spec"]["containers"]
    found: Json = only
    return found


def built_in(name: str) -> str:
    """An ENV of the image."""
    (value,) = re.findall(rf"{name}=(\S+)", IMAGE)
    return str(value)


def commands() -> set[str]:
    """Every command of `tocsin`, e.g. `serve` and `db upgrade`."""
    group: Any = get_command(app)
    nested = {f"{name} {sub}" for name, one in group.commands.items() for sub in getattr(one, "commands", ())}
    return set(group.commands) | nested


# ---------------------------------------------------------------- Kubernetes


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_resource_fits_the_schema_of_kubernetes(variant: str, version: str) -> None:
    checked = resources(KUBERNETES / variant)
    for resource in checked:
        kubernetes_validate.validate(resource, version, strict=True)

    assert "Service" in {resource["kind"] for resource in checked}


@pytest.mark.parametrize("version", SCHEMAS)
def test_the_account_for_actions_fits_the_schema_and_may_only_patch_workloads(version: str) -> None:
    checked = {resource["kind"]: resource for resource in resources(KUBERNETES / "writer")}
    for resource in checked.values():
        kubernetes_validate.validate(resource, version, strict=True)

    patched = {name for rule in checked["Role"]["rules"] if "patch" in rule["verbs"] for name in rule["resources"]}
    assert patched == {"deployments", "statefulsets", "daemonsets"}
    assert {verb for rule in checked["Role"]["rules"] for verb in rule["verbs"]} == {"get", "list", "patch"}


def test_a_misspelt_field_would_be_refused() -> None:
    broken = workload(SINGLE)
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, SCHEMAS[-1], strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_names_each_image_and_namespace_that_it_uses(variant: str) -> None:
    kustomization = read(KUBERNETES / variant / "kustomization.yaml")

    assert {one["image"] for one in containers(variant)} == {one["name"] for one in kustomization["images"]}
    assert of_kind(variant, "Namespace")["metadata"]["name"] == kustomization["namespace"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_selects_the_pods_that_are_made(variant: str) -> None:
    labels = pod(variant)["metadata"]["labels"]
    spec = workload(variant)["spec"]
    budgets = [one for one in resources(KUBERNETES / variant) if one["kind"] == "PodDisruptionBudget"]
    selectors = [spec["selector"]["matchLabels"], of_kind(variant, "Service")["spec"]["selector"]]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in budgets]
    selectors += [of_kind(variant, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]]

    assert all(selector == labels for selector in selectors) and len(selectors) == (3 if variant == SINGLE else 4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_port_is_the_one_that_the_image_listens_on(variant: str) -> None:
    (port,) = server(variant)["ports"]
    (offered,) = of_kind(variant, "Service")["spec"]["ports"]
    (rule,) = of_kind(variant, "NetworkPolicy")["spec"]["ingress"]

    assert (port["containerPort"], offered["port"]) == (PORT, PORT) and f"EXPOSE {PORT}" in IMAGE
    assert port["name"] == offered["targetPort"] == rule["ports"][0]["port"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_probes_call_paths_that_are_served(variant: str) -> None:
    served = {route.path for route in Health({}).routes()}
    probes = {name: probe["httpGet"] for name, probe in server(variant).items() if name.endswith("Probe")}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {probe["path"] for probe in probes.values()} <= served and {probe["port"] for probe in probes.values()} == {"http"}
    assert of_kind(variant, "Service")["metadata"]["annotations"]["prometheus.io/path"] in served


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pod_runs_as_the_images_user_and_writes_only_where_it_may(variant: str) -> None:
    security, user = pod(variant)["spec"]["securityContext"], int(re.findall(r"USER (\d+)", IMAGE)[0])

    assert {security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {user} and security["runAsNonRoot"]
    for one in containers(variant):
        mounts = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
        assert mounts == {
            "config": str(Path(built_in("TOCSIN_CONFIG")).parent),
            "data": built_in("TOCSIN_DATA_DIR"),
            "tmp": "/tmp",
        }
        assert one["securityContext"]["readOnlyRootFilesystem"] and one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_configuration_is_mounted_under_the_name_that_the_image_reads(variant: str) -> None:
    (generator,) = read(KUBERNETES / "base" / "kustomization.yaml")["configMapGenerator"]
    (mounted,) = (one for one in pod(variant)["spec"]["volumes"] if one["name"] == "config")

    assert mounted["configMap"]["name"] == generator["name"]
    assert generator["files"] == [Path(built_in("TOCSIN_CONFIG")).name]
    assert parse_config((KUBERNETES / "base" / "tocsin.yaml").read_text(encoding="utf-8")).sources


def test_one_process_keeps_its_data_on_a_volume_and_is_never_two() -> None:
    spec = workload(SINGLE)["spec"]
    (claim,) = spec["volumeClaimTemplates"]

    assert (spec["replicas"], claim["metadata"]["name"], claim["spec"]["accessModes"]) == (1, "data", ["ReadWriteOnce"])
    assert "data" not in {volume["name"] for volume in pod(SINGLE)["spec"]["volumes"]}


def test_replicas_of_two_versions_never_run_at_once_and_the_schema_comes_first() -> None:
    spec = workload(REPLICATED)["spec"]
    (schema,) = pod(REPLICATED)["spec"]["initContainers"]

    assert spec["replicas"] >= 2 and spec["strategy"] == {"type": "Recreate"}
    assert " ".join(schema["args"]) in commands() and schema["envFrom"] == server(REPLICATED)["envFrom"]
    assert [one["name"] for one in pod(REPLICATED)["spec"]["volumes"] if "emptyDir" in one] == ["data", "tmp"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stop_takes_longer_than_draining_at_its_longest(variant: str) -> None:
    longest = SERVER_SECONDS + SOCKET_SECONDS + SENDER_SECONDS + STEPS_SECONDS
    compose = int(read(COMPOSE / "compose.yaml")["services"]["tocsin"]["stop_grace_period"].removesuffix("s"))

    assert min(pod(variant)["spec"]["terminationGracePeriodSeconds"], compose) >= longest + 10


# ---------------------------------------------------------------- Compose


class _Merging(yaml.SafeLoader):
    """Compose's own tag says that a list replaces the one that it is laid over."""


_Merging.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))  # type: ignore[arg-type]


def overlay() -> Json:
    text = (COMPOSE / "compose.postgresql.yaml").read_text(encoding="utf-8")
    loaded: Json = yaml.load(text, Loader=_Merging)
    return loaded


def test_compose_serves_on_the_images_port_with_its_data_on_a_volume() -> None:
    whole = read(COMPOSE / "compose.yaml")
    service = whole["services"]["tocsin"]

    assert service["ports"] == [f"{PORT}:{PORT}"] and (COMPOSE / service["build"] / "Dockerfile").exists()
    assert service["volumes"] == [f"./tocsin.yaml:{built_in('TOCSIN_CONFIG')}:ro", f"data:{built_in('TOCSIN_DATA_DIR')}"]
    assert set(whole["volumes"]) == {"data"}


def test_composes_replicas_share_only_the_database_and_wait_for_its_schema() -> None:
    services = overlay()["services"]
    bot, schema = services["tocsin"], services["schema"]
    known = {f"TOCSIN_{name.upper()}" for name in Secrets.model_fields}

    assert set(bot["environment"]) <= known and schema["environment"] == bot["environment"]
    assert " ".join(schema["command"]) in commands()
    assert bot["depends_on"] == {"schema": {"condition": "service_completed_successfully"}}
    low, high = map(int, bot["ports"][0].partition(":")[0].split("-"))
    assert bot["deploy"]["replicas"] == high - low + 1 == 2
    assert not any(volume.startswith("data:") for volume in bot["volumes"])


def test_the_images_own_command_is_one_of_the_program() -> None:
    (command,) = re.findall(r'^CMD \["(.*)"\]', IMAGE, re.MULTILINE)

    assert command in commands() and CliRunner().invoke(get_command(app), [command, "--help"]).exit_code == 0
