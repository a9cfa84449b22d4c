"""The channel that alerts of a service belong to, and what of them may stand elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.actor import NONE_KNOWN, KnownChannels, Visibility
from bot.core.service import Catalogue


@dataclass(frozen=True)
class Routing:
    """By the catalogue. `default`: the channel of services that have none of their own."""

    catalogue: Catalogue
    default: str
    channels: KnownChannels = NONE_KNOWN

    def channel_of(self, service: str) -> str:
        """Where alerts of a service stand."""
        return self.catalogue.channel_of(service, self.default)

    def common_channel_of(self, service: str) -> str:
        """Where they stand among those of all others: the default channel, or their own if not everybody may read that."""
        own = self.channel_of(service)
        return self.default if self.channels.may_share_card(Visibility(own), Visibility(self.default)) else own

    def name_of(self, labels: Mapping[str, str], service: str) -> str:
        """What an alert is called where alerts of `service` stand."""
        own = Visibility(self.channel_of(self.catalogue.of_labels(labels)))
        if not self.channels.may_name(own, self.channel_of(service)):
            return "an alert of another channel"
        return labels.get("alertname", "another alert")
