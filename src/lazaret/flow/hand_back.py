"""The next hop of a message that its MTA keeps: nothing is sent, the MTA goes on with it."""

from lazaret.model.delivery import Answer, Extensions, Outgoing
from lazaret.model.errors import Reply

CONTINUE = Reply(250, "2.5.0", "Ok, continue delivery")


class HandBack:
    """Takes the copies of one message (the Protocol `flow.needs.Relay`), to be looked at afterwards."""

    def __init__(self) -> None:
        self.copies: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> tuple[Answer, ...]:
        self.copies.append(outgoing)
        return tuple(Answer(r.address, CONTINUE) for r in outgoing.recipients)

    async def extensions(self) -> Extensions:
        return Extensions(eightbit=True, smtputf8=True, dsn=True)

    @property
    def recipients(self) -> set[str]:
        """Those with whose copies the MTA goes on."""
        return {r.address for copy in self.copies for r in copy.recipients}
