"""What labels are about where an exporter, a probe or an agent reports of something else: its own name is no service."""

import re
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

_NAMING = ("service", "app", "app_kubernetes_io_name", "deployment", "job")
"""Labels that usually name a service, the likeliest first."""
_OF_TARGET = ("job", "instance", "service", "namespace", "pod", "container")
"""What Prometheus attaches to all that it reads from one place. Where a series has such a label itself, that one is renamed
to `exported_...`: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config (honor_labels)."""
PODS = ("pod", "pod_name", "kubernetes_pod_name", "service_instance", "instance_id", "task_id")
HOSTS = ("node", "nodename", "kubernetes_node", "host", "hostname", "host_name")
_WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob", "job_name")
_OBJECTS = ("horizontalpodautoscaler", "persistentvolumeclaim", "ingress")
"""Other kinds of Kubernetes that rules are about; an autoscaler and an ingress are mostly called like what they serve."""
_CALLEES = (
    "destination_workload", "destination_service_name", "destination_canonical_service", "destination_app", "dst_deployment",
    "dst_service", "destination_service",
)  # fmt: skip
"""How meshes name who is called. Either end may report a call; who is called answers it badly."""
_UNKNOWN = "unknown"
"""What meshes write for an end that they do not know."""
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters from which Kubernetes draws the ends of names."""
_POD = re.compile(rf"(?P<workload>[a-z0-9][a-z0-9.-]*?)(?:-{_RANDOM}{{6,10}})?-(?:{_RANDOM}{{5}}|\d{{1,4}})")
_RUN = re.compile(r"-\d{8,10}$")
"""The end of the name of one run of a CronJob: when it was due, in minutes or seconds since 1970."""

_PROBING = frozenset({"blackbox", "probe", "probes", "prober", "ping", "icmp", "snmp"})
"""Words in the names of what looks at its targets from outside."""
_REPORTING = _PROBING | frozenset(
    {
        *("exporter", "exporters", "metrics", "monitor", "monitoring", "stats", "scrape", "federate", "federation"),
        *("pushgateway", "collector", "agent", "telegraf", "kubelet", "cadvisor", "kubernetes", "pods", "endpoints"),
    }
)
"""Words in the names of what measures others."""
_PASSING_ON = _REPORTING | {"prometheus"}
"""Words in the names of what also passes on the jobs of others."""
_OF_HOSTS = re.compile(r"(node|windows|process|systemd|ipmi)[-_.]?exporter|kubelet|telegraf", re.IGNORECASE)
"""Names of what measures the machine that it runs on."""
_HOST_JOBS = frozenset({"node", "unix", "linux", "windows"})
"""Jobs that are often called after what is measured; a service of such a name is one, as of an application in Node.js."""
_OF_CLUSTERS = re.compile(r"kube[-_.]?state", re.IGNORECASE)
"""Names of what reports of a cluster's objects, its machines among them: of others a `node` is where they run themselves."""
_WORD = re.compile(r"[a-z0-9]+")
_ADDRESS = re.compile(r"\[(?P<v6>[^\[\]]+)\](:\d+)?|(?P<host>[^:]+):\d+", re.ASCII)


class Subject(NamedTuple):
    """What labels are about."""

    labels: Mapping[str, str]
    """Without those of who reports it."""
    names: Sequence[str]
    """Names of the service that they give, the likeliest first."""
    is_host: bool
    """Whether a machine is measured, and nothing that runs on it."""


def subject_of(labels: Mapping[str, str], services: Container[str] = ()) -> Subject:
    """What labels are about: what they name, or what an exporter that they name reports of.

    `services`: names of the catalogue, which are taken as they are. Who reports of nothing else is itself meant.
    """
    about, own = _of_series(labels), _names(labels)
    names = _names(about)
    reporters = [n for n in dict.fromkeys([*own, *names]) if n not in services and _reports(n, about, labels)]
    others = [name for name in names if name not in reporters]
    if not any(name in services for name in others):
        others = [*(name for name in [*own, *map(_last, own), workload_of(about)] if name in services), *others]
    thing, of_reporter = _thing(about, reporters) if reporters or not names else ("", ())
    is_host = any(map(_measures_hosts, reporters)) and thing in ("", _machine(about, reporters))
    if reporters:
        about = {label: value for label, value in about.items() if label not in of_reporter}
    is_host = is_host and not any(about.get(label) for label in PODS)
    return Subject(about, [*others, thing] if thing else others or own, is_host)


def is_exporter(name: str) -> bool:
    """Whether what is called so only measures others: no service that people run for its own sake."""
    words = _words(_last(name))
    return bool(words & {"exporter", "exporters", "blackbox"}) or _measures_hosts(name) or bool(_OF_CLUSTERS.search(name))


def exporter_of(labels: Mapping[str, str], service: str) -> str:
    """The job that measures the service and is none of its own processes; "" where it is measured by itself."""
    job = _last(labels.get("job", ""))
    if not job or job == service or workload_of(labels) == service:
        return ""
    return job if list(subject_of(labels).names[:1]) == [service] else ""


def workload_of(labels: Mapping[str, str]) -> str:
    """The workload that labels name, or that the name of their pod begins with; "" where they name none."""
    named = next((labels[label] for label in _WORKLOADS if labels.get(label)), "")
    pod = None if named else _POD.fullmatch(labels.get("pod", ""))
    return _RUN.sub("", pod["workload"] if pod else named)


def host_of(address: str) -> str:
    """`10.0.0.1` of `10.0.0.1:9100`, `2001:db8::1` of `[2001:db8::1]:9100`; an address without a port is itself."""
    match = _ADDRESS.fullmatch(address)
    return (match["v6"] or match["host"]) if match else address


def _names(labels: Mapping[str, str]) -> list[str]:
    return [labels[label] for label in _NAMING if labels.get(label)]


def _of_series(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of the series itself, where those of who was read stand beside them."""
    renamed = {label: value for label in _OF_TARGET if (value := labels.get(f"exported_{label}", ""))}
    if "instance" not in renamed and not _words(labels.get("job", "")) & _PASSING_ON:
        renamed.pop("job", None)  # what a worker does is a job too, and no service
    if not renamed:
        return labels
    return {label: value for label, value in labels.items() if label not in _OF_TARGET} | renamed


def _reports(name: str, about: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether what is called so measures others: its words say so, those of its job, or it asks a site of another name."""
    job = _last(labels.get("job", ""))
    words = _words(_last(name))
    if _last(name).lower() in _HOST_JOBS:
        return name in (about.get("job"), labels.get("job"))
    if words & _REPORTING or _measures_hosts(name) or (_words(job) & _REPORTING and job in name):
        return True
    site = _site_of(about)
    if not site or name != labels.get("job"):
        return False
    return bool(_words(name) & _PROBING) or not any(len(word) > 2 and word in site for word in words)


def _thing(about: Mapping[str, str], reporters: Sequence[str]) -> tuple[str, Container[str]]:
    """What is reported of, and which labels then are those of who reports it; "" where it reports of nothing else.

    Who is called, a site, a workload, another object, an address that is probed, what is exported, or a machine.
    """
    if callee := next((about[label] for label in _CALLEES if about.get(label, _UNKNOWN) != _UNKNOWN), ""):
        return _within_cluster(callee), (*PODS, "instance")
    if site := _site_of(about):
        return site, PODS
    workload = workload_of(about)
    if workload and not _is_of(workload, reporters):
        pod_is_own = _is_of(workload_of({"pod": about.get("pod", "")}), reporters)
        return workload, ("instance", *PODS) if pod_is_own else ("instance",)
    if item := next((about[label] for label in _OBJECTS if about.get(label)), ""):
        return item, (*PODS, "instance")
    # What traces and other monitoring call an exporter is an application: only what Prometheus reads has a job.
    exported = _exported(reporters) if about.get("job") else ""
    other = _probed(about, reporters) or exported or _machine(about, reporters)
    return other, PODS if other else ()


def _site_of(about: Mapping[str, str]) -> str:
    """The host of the address that is probed: `shop.example` of `https://shop.example/cart`; "" where there is none.

    Within a cluster it is the service: `cart` of `http://cart.shop.svc:8080`.
    """
    for label in ("target", "instance"):
        address = about.get(label, "")
        if "://" in address:
            try:
                return _within_cluster(urlsplit(address).hostname or "")
            except ValueError:
                return ""
    return ""


def _probed(about: Mapping[str, str], reporters: Sequence[str]) -> str:
    """The host that a probe asks without a scheme, unless it is the probe's own address."""
    if not any(_words(name) & _PROBING for name in reporters):
        return ""
    address = about.get("target") or about.get("instance", "")
    host = _within_cluster(host_of(address))
    if about.get("target"):
        return host
    is_own = _is_of(host, reporters) or (host != address and host[:1].isdigit())
    return "" if is_own else host


def _exported(reporters: Sequence[str]) -> str:
    """`postgres` of `prometheus-postgres-exporter`."""
    for name in map(_last, reporters):
        words = [word for word in re.split(r"[-_.]", name) if word]
        if words[-1:] in (["exporter"], ["exporters"]) and not _measures_hosts(name) and not _words(name) & _PROBING:
            return "-".join(word for word in words[:-1] if word != "prometheus")
    return ""


def _machine(about: Mapping[str, str], reporters: Sequence[str]) -> str:
    runs_there = any(map(_measures_hosts, reporters))
    if not runs_there and not any(map(_OF_CLUSTERS.search, reporters)):
        return ""
    host = next((about[label] for label in HOSTS if about.get(label)), "")
    return host or (host_of(about.get("instance", "")) if runs_there else "")


def _within_cluster(host: str) -> str:
    """`cart` of `cart.shop.svc.cluster.local`; any other host as it is."""
    return host.partition(".")[0] if host.endswith(".svc") or ".svc." in host else host


def _measures_hosts(name: str) -> bool:
    return _last(name).lower() in _HOST_JOBS or _OF_HOSTS.search(_last(name)) is not None


def _is_of(name: str, reporters: Sequence[str]) -> bool:
    """Whether a workload or host is called like one of those who report: `payments` is none of `payments-metrics`."""
    reports = bool(_words(name) & _REPORTING) or _measures_hosts(name)
    names = [_last(reporter) for reporter in reporters]
    return any(own in name or (reports and name in own) or _words(name) & _words(own) & _PROBING for own in names)


def _last(job: str) -> str:
    """`checkout` of `shop/checkout`: the job of a PodMonitor has its namespace before it."""
    return job.rpartition("/")[2]


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.lower()))
