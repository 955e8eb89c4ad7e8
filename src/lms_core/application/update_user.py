"""Use cases: an account as its owner sees and changes it."""

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.catalog.content import is_language
from lms_core.domain.ids import UserId
from lms_core.domain.people.user import User, display_name
from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class ReadUser:
    """Show an account to its owner or an admin."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, user: UserId) -> User:
        """Return the account; others' do not exist. Raises `NotFound`."""
        resource = Resource(owner=user)
        if not decide(actor, Action.READ_USER, resource, at=self.clock.now()):
            raise NotFound(f"no user {user:.80}", resource=user)
        with self.start(read_only=True) as work:
            return work.users.get(user)


@frozen(kw_only=True)
class UpdateUser:
    """Change how somebody is called and which language she reads."""

    start: StartWork
    clock: Clock

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        user: UserId,
        *,
        name: str | None = None,
        language: str | None = None,
    ) -> User:
        """Return the account with what was given changed, and nothing else.

        Raises:
            NotFound: there is no such account that the actor may change.
            InvalidValue: the name or language is not acceptable.
        """
        resource = Resource(owner=user)
        if not decide(actor, Action.UPDATE_USER, resource, at=self.clock.now()):
            raise NotFound(f"no user {user:.80}", resource=user)
        if language is not None and not is_language(language):
            raise InvalidValue(
                "must be a language such as en or pt-BR", place="language"
            )
        with self.start() as work:
            before = work.users.get(user)
            after = evolve(
                before,
                name=before.name if name is None else display_name(name),
                language=before.language if language is None else language,
            )
            if after != before:
                work.users.save(after)
                after = work.users.get(user)
                work.commit()
        return after
