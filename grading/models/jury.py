"""The jury's room: sessions, proposals, votes, decisions, spellings, minutes. Every row is written once."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from grading.enums import BallotChoice, NeutralisationMode, ProposalKind, SpellingCategory


class JurySession(AppendOnly):
    """One sitting of the jury, from its opening to the signature of its minutes, with the rules of its votes.

    `runs` are the keys of the marking runs that counted when it opened.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    quorum = models.PositiveSmallIntegerField(_("quorum"))
    casting_vote = models.BooleanField(_("voix prépondérante du président"))
    runs = models.JSONField(_("notations à l’ouverture"))
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("ouverte par")
    )
    opened_at = models.DateTimeField(_("ouverte le"))

    class Meta:
        verbose_name = _("séance du jury")
        verbose_name_plural = _("séances du jury")

    def __str__(self) -> str:
        return f"jury session {self.pk}"


class Presence(AppendOnly):
    """A member present at a session: those who are may vote."""

    session = models.ForeignKey(JurySession, models.PROTECT, related_name="presences", verbose_name=_("séance"))
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("membre"))

    class Meta:
        verbose_name = _("présence")
        verbose_name_plural = _("présences")
        constraints = [models.UniqueConstraint(fields=["session", "member"], name="presence_once_per_session")]

    def __str__(self) -> str:
        return f"presence {self.session_id}/{self.member_id}"


class Proposal(AppendOnly):
    """What the jury is asked to decide about some questions of one paper, and why.

    `questions` are their numbers in the paper; `mode` is that of a neutralisation; `key` holds the new key, in the
    form of `grading.rules.decisions.key_data`.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    paper = models.ForeignKey("exams.Paper", models.PROTECT, related_name="+", verbose_name=_("sujet"))
    kind = models.CharField(_("nature"), max_length=10, choices=ProposalKind.choices)
    questions = models.JSONField(_("questions"))
    mode = models.CharField(_("mode"), max_length=10, choices=NeutralisationMode.choices, blank=True)
    key = models.JSONField(_("nouvelle clé"), null=True)
    reason = models.TextField(_("motif"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposée par")
    )
    proposed_at = models.DateTimeField(_("proposée le"))

    class Meta:
        verbose_name = _("proposition au jury")
        verbose_name_plural = _("propositions au jury")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=ProposalKind.NEUTRALISE, mode__in=NeutralisationMode.values, key__isnull=True)
                | models.Q(kind=ProposalKind.REKEY, mode="", key__isnull=False)
                | models.Q(kind=ProposalKind.RESTORE, mode="", key__isnull=True),
                name="proposal_says_what_its_kind_needs",
            )
        ]

    def __str__(self) -> str:
        return f"proposal {self.pk}"


class Ballot(AppendOnly):
    """A member's vote on a proposal, cast by that member alone. It counts in its session: the next one votes anew."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="ballots", verbose_name=_("proposition"))
    session = models.ForeignKey(JurySession, models.PROTECT, related_name="ballots", verbose_name=_("séance"))
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("membre"))
    choice = models.CharField(_("vote"), max_length=10, choices=BallotChoice.choices)
    cast_at = models.DateTimeField(_("voté le"))

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [
            models.UniqueConstraint(fields=["proposal", "session", "member"], name="ballot_once_per_session")
        ]

    def __str__(self) -> str:
        return f"ballot {self.proposal_id}/{self.member_id}"


class Decision(AppendOnly):
    """The end of a vote: what it gave. Adopted, it counts in every marking that starts afterwards."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="decision", verbose_name=_("proposition"))
    session = models.ForeignKey(JurySession, models.PROTECT, related_name="decisions", verbose_name=_("séance"))
    is_adopted = models.BooleanField(_("adoptée"))
    votes_for = models.PositiveSmallIntegerField(_("pour"))
    votes_against = models.PositiveSmallIntegerField(_("contre"))
    abstentions = models.PositiveSmallIntegerField(_("abstentions"))
    by_casting_vote = models.BooleanField(_("par la voix prépondérante"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("vote clos par")
    )
    decided_at = models.DateTimeField(_("vote clos le"))

    class Meta:
        verbose_name = _("décision du jury")
        verbose_name_plural = _("décisions du jury")

    def __str__(self) -> str:
        return f"decision {self.proposal_id}"


class SpellingOpinion(AppendOnly):
    """What one person says of a short open answer that is in no list. Two people settle it, once for all copies.

    `form` is the normalised text that groups the copies, `text` one of its spellings. A round is two opinions, by
    two people: equal, they settle the spelling; contrary, another round may begin.
    """

    paper = models.ForeignKey("exams.Paper", models.PROTECT, related_name="+", verbose_name=_("sujet"))
    number = models.PositiveSmallIntegerField(_("question"))
    form = models.CharField(_("forme"), max_length=400)
    text = models.CharField(_("réponse"), max_length=400)
    category = models.CharField(_("catégorie"), max_length=10, choices=SpellingCategory.choices)
    round = models.PositiveSmallIntegerField(_("tour"))
    place = models.PositiveSmallIntegerField(_("rang de l’avis"))
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    given_at = models.DateTimeField(_("donné le"))

    class Meta:
        verbose_name = _("avis sur une réponse")
        verbose_name_plural = _("avis sur les réponses")
        constraints = [
            models.UniqueConstraint(
                fields=["paper", "number", "form", "round", "place"], name="spellingopinion_place_once"
            ),
            models.UniqueConstraint(
                fields=["paper", "number", "form", "round", "given_by"], name="spellingopinion_by_two_people"
            ),
            models.CheckConstraint(condition=models.Q(place__in=(1, 2)), name="spellingopinion_first_or_second"),
        ]

    def __str__(self) -> str:
        return f"spelling opinion {self.pk}"


class Remark(AppendOnly):
    """A remark of the jury on a question. It is shown without its author."""

    paper = models.ForeignKey("exams.Paper", models.PROTECT, related_name="+", verbose_name=_("sujet"))
    number = models.PositiveSmallIntegerField(_("question"))
    text = models.TextField(_("remarque"))
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    written_at = models.DateTimeField(_("écrite le"))

    class Meta:
        verbose_name = _("remarque")
        verbose_name_plural = _("remarques")

    def __str__(self) -> str:
        return f"remark {self.pk}"


class Minutes(AppendOnly):
    """The signed minutes of a session, which they close. `digest` is the SHA-256 of `content`, keys sorted."""

    session = models.OneToOneField(JurySession, models.PROTECT, related_name="minutes", verbose_name=_("séance"))
    content = models.JSONField(_("contenu"))
    digest = models.CharField(_("empreinte"), max_length=64)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("signé par")
    )
    signed_at = models.DateTimeField(_("signé le"))

    class Meta:
        verbose_name = _("procès-verbal")
        verbose_name_plural = _("procès-verbaux")

    def __str__(self) -> str:
        return f"minutes {self.session_id}"
