"""LogQL, written from typed parts. Grammar: https://grafana.com/docs/loki/latest/query/ (strings follow Go's escapes)."""

from bot.core.metrics.promql import Matcher, literal_pattern, quote, selector


def line_query(label: str, service: str, text: str, *, pod_label: str = "", pod: str = "") -> str:
    """Lines of one service that hold `text`, upper and lower case alike; an empty text asks for all lines.

    With a `pod`, its lines alone. Raises ValueError if a label is no label name.
    """
    of_pod = [Matcher(pod_label, pod)] if pod else []
    streams = selector("", [Matcher(label, service), *of_pod])
    return f"{streams} |~ {quote('(?i)' + literal_pattern(text))}" if text else streams
