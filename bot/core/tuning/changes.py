"""What counts for and against a change: its moment, its versions, its neighbours and its diff."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChangeWeights:
    """How well a change before the onset fits. By hand: no public set holds changes, the demo's seeds do."""

    half_life: float = 480.0
    """Seconds without a symptom after which a change is half as suspect: most bad changes bite at once."""
    slow_share: float = 0.15
    """What is left for a change that bites late (a leak, a cache that runs dry); it fades over the lookback."""
    scaling: float = 0.6
    """Another number of pods: it rarely breaks a service, and often answers its trouble."""
    other_kind: float = 0.5
    """A change of no known kind."""
    version_carries: float = 1.35
    """The change's version alone shows the symptom."""
    version_unclear: float = 0.8
    """Another version shows some of it."""
    versions_alike: float = 0.1
    """All versions show it alike: the change is not the cause."""
    least_errors: float = 0.02
    """Share of the usual level by which a version must fail more to show the symptom at all; absolute where none was usual."""
    least_slowness: float = 0.5
    """The same of latency: new pods are slower for a while, until their caches are warm."""
    alone_below: float = 0.25
    """Share of the version's shift below which another version does not show the symptom."""
    alike_above: float = 0.6
    """Share of the version's shift above which another version shows it alike."""
    levels_apart: float = 1.25
    """So many times as often as another version one has to fail, where both fail seldom, to be told apart from it."""
    sure_within: float = 600.0
    """Seconds before the onset within which a change is sure without a breakdown by version."""
    rival_within: float = 3600.0
    """Seconds before the onset within which another change nearby makes this one's moment say nothing."""
    explained_share: float = 0.75
    """Share of the attribution that a change counts with at least whose diff explains the trouble."""
    neighbour_share: float = 0.06
    """The same of a change on a neighbour of what fails: it stays a candidate even where that one looks normal."""
    coincident_share: float = 0.75
    """The same of the one change just before of which nobody knows whether what fails rests on it."""
    coincident_within: float = 300.0
    """Seconds before the onset that are just before."""
    beside_share: float = 0.8
    """The same of what was changed on the alerting service, or on what it depends on, or clearly began there while the outage
    before ran on."""
    of_outage_before: float = 0.4
    """The likely cause of that outage, where there is such a cause."""
    explained: float = 0.95
    """Fit of a change whose diff explains the trouble."""
    explained_half_life: float = 14400.0
    """Seconds without a symptom after which such a change is half as suspect, unless what it does bites late."""
    explained_least: float = 0.3
    """What is left of it in any case."""
    unexplained: float = 0.3
    """A change whose diff was read and has little to do with the trouble."""
    nearly_explained: float = 0.65
    """One whose diff nearly explains it."""
    unrelated: float = 0.15
    """One whose diff was read and has nothing to do with it."""
    consequential: float = 0.6
    """One whose diff surely changes what its service does, though nothing that is seen tells of that."""
    coincident: float = 0.55
    """The one change just before of which nobody knows whether what fails rests on it, unless nothing of it can do anything."""
    beside_measured: float = 0.7
    """One whose diff explains the trouble, beside another with which something was seen to begin before the failure."""
    unread_beside_explained: float = 0.4
    """One whose code was not read, while the diff of another explains the trouble."""
    drift: float = 0.7
    """A change since which a resource of its service has climbed, whatever its age."""
    drift_from_before: float = 0.25
    """Where the climb had begun before what was read: the last change before that is one of many that may have brought it."""
    first_sign: float = 0.9
    """One with which a resource or the traffic of its service, or of what it calls, moved minutes before the failure."""
    jump: float = 0.85
    """One with which a signal of its service jumped, minutes before the failure."""
    first_to_fail: float = 0.7
    """Share of a service that failed at once after its change, and before the alerting service did."""
    jump_share: float = 0.7
    """Share of the attribution that such a change counts with at least, where its service stands next to what fails."""
    jump_share_apart: float = 0.5
    """The same where nobody knows how its service and what fails belong together."""
    jump_lead: float = 240.0
    """Seconds before the onset within which a jump may be a part of the failure itself."""
    exhausted_drift: float = 0.95
    """The same where new lines say that this resource has run out."""
    drift_within: float = 900.0
    """Seconds after the change within which the climb must begin."""
    unnamed_flag: float = 0.6
    """A flag whose name has no word in common with what is logged."""
    flag_half_life: float = 120.0
    """Seconds without a symptom, beyond `flag_delay`, after which such a flag is half as suspect."""
    flag_delay: float = 60.0
    """Seconds within which every process has read a flag that was flipped: most clients poll or are told more often."""
    after_trouble: float = 0.3
    """A resource was running out, or a provider failing, before the change came."""
    after_rollback: float = 0.6
    """Somebody went back to the version before, and the alert still fires."""
    rollback_seconds: float = 180.0
    """After which a rollback should have helped."""


@dataclass(frozen=True)
class NeighbourWeights:
    """How far what fails is handed down to changed services next to it (core/ranking/changes/changed_neighbours). By hand."""

    handed: float = 0.6
    """Share of the attribution that is handed down where all that fails stands next to a change."""
    failing: float = 0.5
    """Doublings of errors or latency from which on a service fails."""
    noticed: float = 0.1
    """Share of its usual latency by which a service must be slower to count as failing."""
    least_own: float = 0.2
    """Share of a symptom that no callee explains from which on it is a failure of its own."""
    within: float = 1800.0
    """Seconds before the onset within which a change is handed anything."""
    itself: float = 1.0
    callee: float = 0.9
    """A change of what the failing service calls."""
    caller: float = 0.4
    """A change of who calls it: wrong requests fail where they arrive."""
    carried: float = 6.0
    """Its version alone shows a symptom."""
    silent: float = 4.0
    """Its version serves nothing, while the one before goes on."""
    own_symptom: float = 2.5
    """Its service shows a symptom of its own."""
    uncalled: float = 0.3
    """No version of it is called any more: it is hurt by whoever called it."""
    alike: float = 0.2
    """The version before shows the symptom alike."""


@dataclass(frozen=True)
class DiffWeights:
    """Points for what a diff has in common with the trouble (core/diffs/explanation). By hand."""

    name: float = 3.0
    """A compound name that the diff adds or removes stands in new lines, and not in usual ones."""
    mention: float = 1.4
    """It stands only in new log lines that tell of no failure, or is a number: a request may have put it there."""
    most_of_mentions: float = 2.0
    """Points that a diff gets at most where such lines are needed: users of a service must not make a change guilty."""
    gone_name: float = 2.5
    """One that it removes stands in lines that fell silent."""
    missing: float = 4.0
    """New lines miss a table, field or key that the diff queries, renames or drops."""
    missing_call: float = 2.5
    """New lines miss something, and the diff no longer makes a call that brings such things in."""
    frame: float = 1.6
    """It changes the function or file that the innermost stack frame of a new failure names."""
    outer_frame: float = 1.1
    """It changes one that a frame around that names: code that was only passed on the way."""
    effect: float = 2.2
    """A setting or statement of a kind that brings such symptoms about, changed far enough."""
    signal: float = 0.7
    """Factor where only the name of a signal that deviates says so, and no line."""
    beside_failures: float = 0.6
    """The same where a line that tells of no failure says so, and other new lines of its service tell of failures."""
    of_another: float = 0.6
    """The same where only another service's line or signal says so."""
    shown_by_another: float = 0.95
    """The same of what brings more calls about, which is felt by who is called, and of a service that shows nothing itself."""
    at_midnight: float = 0.9
    """It began with a day, and the diff calculates or writes days otherwise: a lead, and with a line that says so an
    explanation."""
    came_due: float = 3.0
    """A schedule that it sets came due just as the trouble began, and for the first time in a while."""
    spawn: float = 0.6
    """Factor of an effect that starts a task or process: how many it starts is not known."""
    guard: float = 0.4
    """Factor of a condition that was added or removed beside another one."""
    new_setting: float = 0.3
    """Factor of a setting that stood nowhere before: its default may have been the same."""
    kept_ready: float = 0.3
    """Factor of how many a pool keeps ready at least: with fewer it is filled later, and holds no fewer."""
    unread_setting: float = 0.5
    """Factor of a setting whose levels are no numbers."""
    whole_from: float = 1.0
    """Doublings of a setting's level from which on its change counts whole."""
    accumulation: float = 2.5
    """The same of something that grows without a limit, where memory runs out."""
    dependency: float = 3.0
    """New lines name a package whose version changed."""
    startup: float = 1.5
    """New lines say that something does not start, and the version of a package changed that they do not name."""
    small_step: float = 1.0
    """The same where only the last number of its version changed."""
    further: float = 0.5
    """Factor for the second and third reason."""
    word: float = 0.7
    """A word of a name that was added or removed stands in new lines, and not in usual ones."""
    nearby_word: float = 0.3
    """A word of a path, or of a name that stands on both sides of changed lines."""
    most_of_words: float = 1.8
    """Points that words earn at most: vocabulary alone explains nothing."""
    moved: float = 0.2
    """Factor for code that was only put elsewhere."""
    consequential: float = 0.9
    """Share of an effect that counts, from which on it is one whatever the trouble is."""
    explained: float = 2.2
    """Points from which on a diff explains the trouble."""
    related: float = 1.0
    """Points below which it has nothing to do with it."""
