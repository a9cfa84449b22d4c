"""Rules of who may call whom, and who may do what."""

import re
from collections.abc import Iterator

from bot.core.diffs.effects.safeguards import RIGHTS
from bot.core.diffs.effects.settings import CONFIGURATION, effect_fact
from bot.core.diffs.patches import Patch, both_sides, first_matches
from bot.core.facts.code import EffectFact

ALLOWED_BEFORE = "what was allowed"
"""Who could be called before a rule of the network names who can be."""
_NETWORK_RULES = re.compile(
    r"\b(NetworkPolicy|policyTypes|(?i:network[-_]?polic\w+|netpol\w*)|CiliumNetworkPolicy|AuthorizationPolicy|aws_security_group\w*|aws_network_acl\w*|google_compute_firewall|"
    r"azurerm_network_security_\w+)\b"
)
_RIGHTS = re.compile(
    r"aws_iam_\w+|iam_policy_document|PolicyDocument|\"Statement\"|google_\w+_iam_\w+|kind: (Cluster)?Role\b|\bverbs:|"
    r"\b(GRANT|REVOKE)\b"
)
"""Where a file says who may do what."""
_NARROWS = re.compile(r"^\s*\"?condition\"?\s*[:={]|\bDeny\b|\bREVOKE\b.*", re.I)
_RIGHT = re.compile(
    r"\"((?!redis|http)[a-z][a-z0-9-]*:[A-Z*]\w*)\"|[\"']?\b(get|list|watch|create|update|patch|delete)\b[\"']?(?=\s*[,\]]|\s*$)"
)
"""Rights as AWS (`kms:Decrypt`) and Kubernetes (`delete`) name them."""


def network_rules(patch: Patch) -> Iterator[EffectFact]:
    """Rules of who may call whom, which a manifest adds or changes: what they do not name is called no longer.

    To one that stands and only grows nobody is lost.
    """
    lines = (*patch.added, *((*patch.removed, *patch.around, patch.path) if patch.removed else ()))
    if CONFIGURATION.search(patch.path) and (rule := next(first_matches(_NETWORK_RULES, lines), "")):
        yield effect_fact("address", rule, patch.path, ALLOWED_BEFORE, "what it names")


def permissions(patch: Patch) -> Iterator[EffectFact]:
    """Rights of roles that are taken back, or given under a further condition."""
    if not any(_RIGHTS.search(line) for line in (patch.path, *patch.added, *patch.removed, *patch.around)):
        return
    before, after = both_sides(
        patch, lambda lines: {right for line in lines for names in _RIGHT.findall(line) for right in names if right}
    )
    narrowed = next(first_matches(_NARROWS, patch.added), "") or next(iter(sorted(before - after)), "")
    if narrowed:
        yield effect_fact("access", RIGHTS, patch.path, "as they were", narrowed.rstrip(" {=:["))
