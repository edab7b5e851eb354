"""The words by which a name is guessed: of statuses, kinds of record, priorities and fields, without case and accents.

They are of English, German, French, Spanish, Portuguese, Italian and Dutch: the languages in which trackers and
helpdesks are found most. A word stands for all that begin with it; `_` is a space; in each table the first that fits
is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sync.model import Dimension, FeedbackType, Severity, Status


def _any(words: str) -> re.Pattern[str]:
    """Any of these words, each at the beginning of a word of the name."""
    return re.compile(rf"\b(?:{'|'.join(words.split())})".replace("_", " "))


STATUS_WORDS: Sequence[tuple[Status, re.Pattern[str]]] = (
    # The order counts: `waiting for review` waits, before it is under way.
    (
        Status.CLOSED,
        _any(r"""
            won.?t wont cancel declin reject duplicat abandon obsolet invalid withdrawn archiv abgelehnt
            abgebrochen storniert verworfen nicht_(gemacht|umgesetzt|behoben) wird_nicht annul refus rejet
            descart rechaz rejeit rifiut afgewezen geannuleerd
        """),
    ),
    (
        Status.WAITING,
        _any(r"""
            wait block hold pending paus suspend postpon deferr stalled parked impede wart blockiert angehalten
            zuruckgestellt ruckfrage attente bloqu suspendu espera pendiente aguard attesa sospes wacht on.?ijs
            feedback
        """),
    ),
    (
        Status.RESOLVED,
        _any(r"""
            done resolv fixed complet finish closed shipped releas deploy deliver solved live verified merged
            fertig erledigt gelost behoben abgeschlossen geschlossen ausgeliefert veroffentlicht termine fini
            resolu ferme livre hecho resuelt cerrad terminad conclu feito fechad fatto risolt chius gereed
            klaar opgelost gesloten
        """),
    ),
    (
        Status.IN_PROGRESS,
        _any(r"""
            progress review test develop doing implement work started active qa\b build investigat triaged
            arbeit bearbeitung entwicklung prufung umsetzung cours revision curso progreso andamento corso
            lavorazione behandeling uitvoering bezig staging approv assigned accepted
        """),
    ),
    (
        Status.NEW,
        _any(r"""
            to.?do open new backlog triage selected ready reported submitted inbox incoming planned reopen
            created neu offen zu_(tun|prufen|erledigen) geplant bereit eingang a_faire nouveau ouvert por_hacer
            nuevo abiert a_fazer novo aberto da_fare nuovo apert te_doen nieuw
        """),
    ),
)

TYPE_WORDS: Sequence[tuple[FeedbackType, re.Pattern[str]]] = (
    (
        FeedbackType.SECURITY,
        _any(r"""
            securit vulnerab sicherheit securite segurid
        """),
    ),
    (
        FeedbackType.PERFORMANCE,
        _any(r"""
            perform slow latency langsam
        """),
    ),
    (
        FeedbackType.BUG,
        _any(r"""
            bug defect error fault incident problem fix outage crash fehler storung panne anomalie bogue
            incidencia erro guasto storing hotfix
        """),
    ),
    (
        FeedbackType.INTEGRATION,
        _any(r"""
            integrat api\b webhook
        """),
    ),
    (
        FeedbackType.USABILITY,
        _any(r"""
            usab ux\b question how.?to help support frage hilfe pregunta aide vraag
        """),
    ),
    (
        FeedbackType.POSITIVE,
        _any(r"""
            praise kudos compliment lob\b
        """),
    ),
    (
        FeedbackType.FEATURE,
        _any(r"""
            feature story epic task improv enhanc request change idea initiative spike chore sub.?task aufgabe
            verbesser anforder wunsch idee tache recit mejora tarea historia melhoria taak
        """),
    ),
)

SEVERITY_WORDS: Sequence[tuple[Severity, re.Pattern[str]]] = (
    (
        Severity.CRITICAL,
        _any(r"""
            block critic highest urgent p0 p1\b sev.?[01]\b emergency immediate showstop kritisch hochst
            dringend notfall critique critic maxim plus_haut
        """),
    ),
    (
        Severity.LOW,
        _any(r"""
            low minor trivial p[45]\b sev.?[45]\b niedrig gering unwichtig bass baixa baja faible laag kleine
        """),
    ),
    (
        Severity.HIGH,
        _any(r"""
            high major p2\b sev.?2\b hoch wichtig alta haut eleve hoog important
        """),
    ),
    (
        Severity.MEDIUM,
        _any(r"""
            medium normal default moderate p3\b sev.?3\b mittel moyen media gemiddeld
        """),
    ),
)

DIMENSION_WORDS: Sequence[tuple[Dimension, re.Pattern[str]]] = (
    (
        Dimension.PLATFORM,
        _any(r"""
            platform device browser \bos\b operating_system plattform gerat plateforme plataforma
        """),
    ),
    (
        Dimension.ENVIRONMENT,
        _any(r"""
            environment umgebung environnement entorno ambiente omgeving
        """),
    ),
    (
        Dimension.RELEASE,
        _any(r"""
            release version ausgabe
        """),
    ),
    (
        Dimension.SEGMENT,
        _any(r"""
            segment plan\b tier customer_(type|group) kundengruppe tarif account_type
        """),
    ),
    (
        Dimension.INTEGRATION,
        _any(r"""
            integration connector partner schnittstelle
        """),
    ),
    (
        Dimension.COMPONENT,
        _any(r"""
            component module modul service komponente composant componente onderdeel
        """),
    ),
    (
        Dimension.AREA,
        _any(r"""
            \barea product feature topic section bereich produkt thema domaine zone
        """),
    ),
)
