"""The exam, its parts and its sittings."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from exams.enums import OfflineClock, PartCode, PartShare


class Exam(models.Model):
    """One national session, such as a "concours blanc"."""

    name = models.CharField(_("nom"), max_length=120)
    slug = models.SlugField(_("identifiant"), unique=True)
    blank_is_zero = models.BooleanField(
        _("question blanche notée zéro"),
        default=True,
        help_text=_(
            "Paramètre publié : sans lui, la règle des discordances peut donner des points à une question blanche."
        ),
    )
    rank_a_minimum = models.DecimalField(
        _("note minimale de rang A, sur 20"),
        max_digits=4,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(20)],
        help_text=_("Paramètre publié : en dessous, pas d’appariement (EDN, 14). Vide pour une ECNi."),
    )

    seb_config_key = models.CharField(
        _("clé de configuration de Safe Exam Browser"),
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"\A[0-9a-f]{64}\Z", _("64 chiffres hexadécimaux en minuscules."))],
        help_text=_("La « Config Key » du fichier .seb. Vide : tout navigateur est accepté."),
    )

    class Meta:
        verbose_name = _("examen")
        verbose_name_plural = _("examens")

    def __str__(self) -> str:
        return self.name


class ExamPart(models.Model):
    """A share of the total; within it every unit (case or isolated question), or every question, is worth the same."""

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="parts", verbose_name=_("examen"))
    code = models.CharField(_("partie"), max_length=10, choices=PartCode.choices)
    points = models.PositiveIntegerField(_("points"), validators=[MinValueValidator(1)])
    shared_by = models.CharField(_("points partagés"), max_length=10, choices=PartShare.choices, default=PartShare.UNIT)

    class Meta:
        verbose_name = _("partie")
        verbose_name_plural = _("parties")
        constraints = [models.UniqueConstraint(fields=["exam", "code"], name="exampart_once_per_exam")]

    def __str__(self) -> str:
        return f"{self.code} ({self.points} points)"


class Sitting(models.Model):
    """One dated and timed paper of the exam (épreuve); reserve slots are sittings too."""

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="sittings", verbose_name=_("examen"))
    number = models.PositiveSmallIntegerField(_("numéro"))
    title = models.CharField(_("titre"), max_length=120)
    starts_at = models.DateTimeField(_("heure prévue"))
    duration_seconds = models.PositiveIntegerField(_("durée (secondes)"), default=10_800)
    grace_seconds = models.PositiveSmallIntegerField(
        _("délai d’acheminement (secondes)"),
        default=30,
        help_text=_("Ce qui est fait dans les temps peut encore arriver pendant ce délai."),
    )
    offline_clock = models.CharField(
        _("temps sans réseau"),
        max_length=4,
        choices=OfflineClock.choices,
        default=OfflineClock.RUN,
        help_text=_("Pour une tablette qui attend, sans réseau, la question suivante d’un dossier."),
    )
    is_reserve = models.BooleanField(_("créneau de réserve"), default=False)

    class Meta:
        verbose_name = _("épreuve")
        verbose_name_plural = _("épreuves")
        constraints = [models.UniqueConstraint(fields=["exam", "number"], name="sitting_number_once_per_exam")]

    def __str__(self) -> str:
        return self.title
