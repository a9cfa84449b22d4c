"""One entry for each human: whoever has two accounts is named by the main one everywhere."""

from bot.core.config import Config
from bot.core.config.services import OnCall


def with_main_entries(config: Config) -> Config:
    """The configuration with every second entry's key replaced by its main one wherever rights are given."""
    if not any(person.same_as for person in config.people.values()):
        return config

    def mains(keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(config.person_key, keys)))

    def rota(on_call: OnCall) -> OnCall:
        return on_call.model_copy(update={"rotation": mains(on_call.rotation)})

    services = {
        name: service.model_copy(update={"owners": mains(service.owners), "on_call": rota(service.on_call)})
        for name, service in config.services.items()
    }
    approvers = config.approvers.model_copy(
        update={"deputies": mains(config.approvers.deputies), "admins": mains(config.approvers.admins)}
    )
    return config.model_copy(
        update={
            "services": services,
            "approvers": approvers,
            "default_on_call": rota(config.default_on_call),
            "break_glass": mains(config.break_glass),
        }
    )
