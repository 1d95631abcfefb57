"""The closed lists of the exam itself: English names, French labels. A stored value is the upper-case name."""

from enum import StrEnum

from django.db.models import IntegerChoices, TextChoices


class QuestionKind(TextChoices):
    """How a question is asked and marked; `docs/glossary.md` gives each one in words."""

    QRU = "QRU", "Question à réponse unique"
    QRM = "QRM", "Question à réponses multiples"
    QRP = "QRP", "Question à nombre de réponses précisé"
    QRPL = "QRPL", "Question à réponses précisées, liste longue"
    QROC = "QROC", "Question à réponse ouverte et courte"
    TCS = "TCS", "Test de concordance de script"
    ZAP = "ZAP", "Zone à pointer"


class CaseKind(TextChoices):
    """What binds several questions together."""

    DP = "DP", "Dossier progressif"
    MINI_DP = "MINI_DP", "Mini-dossier progressif"
    KFP = "KFP", "Key-feature problem"
    LCA = "LCA", "Lecture critique d’article"
    TCS = "TCS", "Dossier de concordance de script"


class PropositionStatus(TextChoices):
    """What the key says of a proposition (R2C general marking rules, 31 January 2023)."""

    TRUE = "TRUE", "Vraie"
    FALSE = "FALSE", "Fausse"
    REQUIRED = "REQUIRED", "Indispensable"
    FORBIDDEN = "FORBIDDEN", "Inacceptable"


class PartCode(TextChoices):
    """The parts whose points make the total: DP, QI and LCA in an ECNi, UC and LCA in an EDN."""

    DP = "DP", "Dossiers progressifs"
    QI = "QI", "Questions isolées"
    UC = "UC", "Unités de composition"
    LCA = "LCA", "Lecture critique d’articles"


class PartShare(TextChoices):
    """Between what the points of a part are shared equally."""

    UNIT = "UNIT", "Entre les unités (dossiers, questions isolées)"
    QUESTION = "QUESTION", "Entre les questions"


class PaperState(TextChoices):
    """A paper is written, then sealed once; a sealed paper never changes."""

    DRAFT = "DRAFT", "En préparation"
    SEALED = "SEALED", "Scellé"


class CentreSittingState(TextChoices):
    """Where one centre stands in one sitting."""

    PLANNED = "PLANNED", "Prévue"
    LOBBY = "LOBBY", "Accueil"
    OPEN = "OPEN", "Ouverte"
    PAUSED = "PAUSED", "En pause"
    CLOSED = "CLOSED", "Close"
    SIGNED = "SIGNED", "Signée"


class SheetState(TextChoices):
    """Where one answer sheet stands. Offline or calling for help are flags beside the state, never states."""

    EXPECTED = "EXPECTED", "Attendu"
    ADMITTED = "ADMITTED", "Admis"
    READY = "READY", "Prêt"
    COMPOSING = "COMPOSING", "Compose"
    PAUSED = "PAUSED", "En pause"
    SUBMITTED = "SUBMITTED", "Remis"
    CLOSED = "CLOSED", "Clos"
    ABSENT = "ABSENT", "Absent"
    WITHDRAWN = "WITHDRAWN", "Retiré"
    EXCLUDED = "EXCLUDED", "Exclu"


class OfflineClock(TextChoices):
    """What becomes of the time of a tablet without network that waits for the next step of a case (agency's choice)."""

    RUN = "RUN", "Le temps continue"
    STOP = "STOP", "Le temps d’attente est rendu"


class GrantCause(TextChoices):
    """Why seconds were given during a sitting."""

    DECISION = "DECISION", "Décision"
    OUTAGE = "OUTAGE", "Attente sans réseau"


class LimitName(TextChoices):
    """What a process counts so that a full one touches nobody who is already in."""

    SOCKETS = "SOCKETS", "Connexions par processus"
    RESERVE = "RESERVE", "Connexions de réserve par processus"
    LOGINS = "LOGINS", "Entrées par seconde et par processus"


class Lack(StrEnum):
    """For want of what a limit is lower, in one process, than the staff set it."""

    NOTHING = ""
    DESCRIPTORS = "descriptors"
    PAGES = "pages"

    @classmethod
    def _missing_(cls, _value: object) -> "Lack":
        """Take what a process of another version says for nothing."""
        return cls.NOTHING


class GuardName(TextChoices):
    """What turns a tablet away for what it is or does, whoever it is."""

    FRAME_RATE = "FRAME_RATE", "Rythme des messages"
    ORIGIN = "ORIGIN", "Origine des connexions"
    ADDRESS = "ADDRESS", "Réseau du centre"
    SEB = "SEB", "Clé de Safe Exam Browser"


class GuardMode(TextChoices):
    """Whether a guard turns away, or only counts what it would have turned away."""

    ENFORCE = "ENFORCE", "Active"
    OBSERVE = "OBSERVE", "En observation"


class OpKind(IntegerChoices):
    """What a candidate's act is. The number is stored in the journal, the lower-case name travels on the wire."""

    ANSWER = 1, "Réponse"
    SEAL = 2, "Validation définitive"
    FLAG = 3, "Signalement"
    STRIKE = 4, "Proposition barrée"
    SUBMIT = 5, "Remise"
