"""Whether a diff changes the code in which a new failure arises, or only what calls that."""

from bot.core.diffs.explanation import explain
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.facts.code import DiffFact
from bot.core.tuning import TUNING
from tests.unit.core.diffs.test_explanation import diff_of

FAILURE = (
    'Exception in application: ValueError: day is out of range (File "/app/issuer/certs.py", line 32, in deviceCertificate; '
    'File "/app/issuer/api.py", line 23, in open_session)'
)
INNER = diff_of(
    "issuer/certs.py", " def deviceCertificate(device):", "-    return build(device, 1)", "+    return build(device, 2)"
)
OUTER = diff_of(
    "issuer/api.py",
    " def open_session(device):",
    "-    audit(device)",
    "+    audit(device, now)",
    "     deviceCertificate(device)",
)


def strength(diff: DiffFact, text: str, *, by: str = "issuer", of: str = "issuer") -> float:
    return explain(diff, Symptoms([SymptomText(text, "E1", by, log=True)]), service=of).strength


def test_the_innermost_frame_is_a_better_lead_than_a_frame_around_it_and_explains_nothing_alone() -> None:
    inner, outer = strength(INNER, FAILURE), strength(OUTER, FAILURE)

    assert TUNING.diffs.related <= outer < inner < TUNING.diffs.explained


def test_two_failures_of_one_place_are_one_sign() -> None:
    once, twice = ([SymptomText(FAILURE, f"E{number}", "issuer", log=True) for number in range(count)] for count in (1, 2))

    assert (
        explain(INNER, Symptoms(twice), service="issuer").strength == explain(INNER, Symptoms(once), service="issuer").strength
    )


def test_of_a_traceback_as_python_writes_it_the_last_frame_is_the_innermost() -> None:
    written = (
        'Traceback (most recent call last): File "/app/issuer/api.py", line 23, in open_session '
        'File "/app/issuer/certs.py", line 32, in deviceCertificate ValueError: day is out of range'
    )

    assert strength(INNER, written) > strength(OUTER, written)


def test_in_a_built_file_the_name_of_the_function_has_to_do() -> None:
    built = "TypeError: rules is undefined at deviceCertificate (/srv/dist/main.js:1:5318)"

    assert strength(INNER, built) >= TUNING.diffs.frame


def test_a_crash_with_its_frames_is_not_the_doing_of_a_condition_in_another_service() -> None:
    guard = diff_of("src/Cart.java", "-    if (cart.getCoupon() != null) {")
    crash = "java.lang.NullPointerException (at com.acme.policy.Rates.of(Rates.java:41))"

    assert strength(guard, crash, by="policy", of="policy") >= TUNING.diffs.explained
    assert strength(guard, crash, by="policy", of="cart") < TUNING.diffs.related
