"""What customers write: templates per theme, tone and language, and planted personal data.

A comment's body speaks of the theme of the contact; its opening fits the score. Personal data uses
values that are reserved or published for tests, so that nobody's is ever shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nps_warehouse.sample.draws import Floats, Ints
from nps_warehouse.sample.world import LANGUAGES, THEMES

# Openings by language, for a detractor, a passive and a promoter.
OPENINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("Very disappointed. ", "Not good enough. ", "", "I am annoyed: ", "😡 ", "Honestly?\n"),
        ("It was okay. ", "Fine, but not special. ", "", "Average, really. "),
        ("Great service! ", "Very happy. ", "", "Would recommend. ", "👍 ", "Excellent, thanks! "),
    ),
    "es": (
        ("Muy decepcionado. ", "Fatal. ", "", "Estoy molesto: ", "😡 ", "La verdad,\n"),
        ("Estuvo bien. ", "Correcto, sin más. ", "", "Normal. "),
        ("¡Excelente servicio! ", "Muy contento. ", "", "Lo recomiendo. ", "👍 ", "¡Gracias! "),
    ),
    "de": (
        (
            "Sehr enttäuscht. ",
            "So geht das nicht. ",
            "",
            "Ich bin verärgert: ",
            "😡 ",
            "Ehrlich gesagt:\n",
        ),
        ("War in Ordnung. ", "Ganz okay, mehr nicht. ", "", "Durchschnittlich. "),
        ("Super Service! ", "Sehr zufrieden. ", "", "Gerne wieder. ", "👍 ", "Ausgezeichnet! "),
    ),
}

# Bodies without a theme, by language, for a detractor, a passive and a promoter.
PLAIN: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("I expect more from you.", "Thinking about leaving.", "Not what I pay for."),
        ("Nothing to complain about.", "Could be better, could be worse.", "n/a"),
        ("Keep it up.", "Everything went well.", "All good, no complaints."),
    ),
    "es": (
        ("Esperaba más de ustedes.", "Estoy pensando en irme.", "No es lo que pago."),
        ("Nada que reprochar.", "Podría ser mejor.", "-"),
        ("Sigan así.", "Todo salió bien.", "Todo perfecto, sin quejas."),
    ),
    "de": (
        ("Ich erwarte mehr von Ihnen.", "Ich überlege zu kündigen.", "Dafür zahle ich nicht."),
        ("Nichts zu beanstanden.", "Könnte besser sein.", "."),
        ("Weiter so.", "Alles lief gut.", "Alles bestens, keine Beschwerden."),
    ),
}

BODIES: dict[str, dict[str, tuple[str, ...]]] = {
    "promise_broken": {
        "en": (
            "You promised to call back and nobody did.",
            "The promised callback never came.",
            'I was told "within two days", and nothing happened.',
        ),
        "es": (
            "Prometieron llamarme y nadie llamó.",
            "Nunca me devolvieron la llamada prometida.",
            'Me dijeron "en dos días", y no pasó nada.',
        ),
        "de": (
            "Der versprochene Rückruf kam nie.",
            "Man hat mir einen Rückruf zugesagt, aber niemand rief an.",
            'Es hieß "in zwei Tagen", passiert ist nichts.',
        ),
    },
    "not_listening": {
        "en": (
            "The agent did not listen to me.",
            "Nobody listened, just a script.",
            "I was interrupted all the time, nobody listened.",
        ),
        "es": (
            "El agente no me escuchó.",
            "Nadie escucha, solo leen un guion.",
            "Me interrumpían todo el tiempo, no me escucharon.",
        ),
        "de": (
            "Man hat mir nicht zugehört.",
            "Niemand hört zu, es wird nur abgelesen.",
            "Ich wurde ständig unterbrochen, keiner hörte zu.",
        ),
    },
    "repeat_myself": {
        "en": (
            "I had to repeat myself to three people.",
            "Passed from one department to the next, explaining everything again.",
            "Why do I have to explain it again and again?",
        ),
        "es": (
            "Tuve que repetir todo a tres personas.",
            "Me pasaron de un departamento a otro, explicando todo otra vez.",
            "¿Por qué tengo que explicarlo una y otra vez?",
        ),
        "de": (
            "Ich musste alles dreimal wiederholen.",
            "Von Abteilung zu Abteilung gereicht, immer wieder alles erklären.",
            "Warum muss ich es immer wieder erklären?",
        ),
    },
    "wrong_diagnosis": {
        "en": (
            "They misunderstood the problem completely.",
            "Wrong diagnosis, so the fault is still there.",
            "The agent did not understand what the problem was.",
        ),
        "es": (
            "No entendieron el problema en absoluto.",
            "Diagnóstico equivocado, la avería sigue ahí.",
            "El agente no entendió cuál era el problema.",
        ),
        "de": (
            "Das Problem wurde völlig falsch verstanden.",
            "Falsche Diagnose, der Fehler ist immer noch da.",
            "Der Mitarbeiter hat das Problem nicht verstanden.",
        ),
    },
    "bare_minimum": {
        "en": (
            "They did the bare minimum.",
            "No effort at all beyond the script.",
            "The bare minimum, nothing more.",
        ),
        "es": (
            "Hicieron lo mínimo.",
            "Ningún esfuerzo más allá del guion.",
            "Lo mínimo imprescindible, nada más.",
        ),
        "de": (
            "Es wurde nur das Nötigste getan.",
            "Keinerlei Einsatz über das Skript hinaus.",
            "Nur das Nötigste, mehr nicht.",
        ),
    },
    "billing_error": {
        "en": (
            "My bill is wrong again.",
            "I was charged twice.",
            "The invoice is wrong, and I was overcharged.",
        ),
        "es": (
            "Mi factura está mal otra vez.",
            "Me cobraron dos veces.",
            "La factura está mal, y me cobraron de más.",
        ),
        "de": (
            "Meine Rechnung ist schon wieder falsch.",
            "Mir wurde doppelt berechnet.",
            "Die Rechnung stimmt nicht, es wurde zu viel abgebucht.",
        ),
    },
    "long_wait": {
        "en": (
            "I waited far too long.",
            "Endless waiting, endless music.",
            "Forty minutes on hold, that is a long wait.",
        ),
        "es": (
            "Esperé demasiado tiempo.",
            "Una espera interminable, con música.",
            "Cuarenta minutos en espera.",
        ),
        "de": (
            "Ich habe viel zu lange gewartet.",
            "Endlose Wartezeit mit Musik.",
            "Vierzig Minuten in der Warteschleife.",
        ),
    },
    "promise_kept": {
        "en": (
            "You called back exactly as promised.",
            "They kept their promise.",
            "Done on the day it was promised.",
        ),
        "es": (
            "Me llamaron exactamente como prometieron.",
            "Cumplieron su promesa.",
            "Hecho el día prometido.",
        ),
        "de": (
            "Der Rückruf kam genau wie versprochen.",
            "Sie haben Wort gehalten.",
            "Wie versprochen am selben Tag erledigt.",
        ),
    },
    "listened": {
        "en": (
            "The agent really listened.",
            "Friendly, and took the time to listen.",
            "I felt listened to.",
        ),
        "es": (
            "El agente me escuchó de verdad.",
            "Amable, y se tomó el tiempo de escuchar.",
            "Me sentí escuchado.",
        ),
        "de": (
            "Man hat mir wirklich zugehört.",
            "Freundlich, und nahm sich Zeit zuzuhören.",
            "Ich fühlte mich ernst genommen, man hörte zu.",
        ),
    },
    "easy": {
        "en": ("Quick and easy.", "It was so easy, solved in one call.", "Simple, easy, done."),
        "es": (
            "Rápido y fácil.",
            "Fue muy fácil, resuelto en una llamada.",
            "Sencillo, fácil, listo.",
        ),
        "de": (
            "Schnell und einfach.",
            "Es war ganz einfach, mit einem Anruf gelöst.",
            "Unkompliziert, einfach, erledigt.",
        ),
    },
    "understood": {
        "en": (
            "They understood my problem at once.",
            "Asked the right questions.",
            "The agent understood exactly what I needed.",
        ),
        "es": (
            "Entendieron mi problema enseguida.",
            "Hicieron las preguntas correctas.",
            "El agente entendió exactamente lo que necesitaba.",
        ),
        "de": (
            "Mein Problem wurde sofort verstanden.",
            "Die richtigen Fragen gestellt.",
            "Der Mitarbeiter verstand genau, was ich brauchte.",
        ),
    },
    "exceeded": {
        "en": (
            "They went the extra mile.",
            "More than I expected!",
            "The agent went above and beyond.",
        ),
        "es": (
            "Hicieron mucho más de lo necesario.",
            "¡Superó mis expectativas!",
            "Mucho más de lo que esperaba.",
        ),
        "de": (
            "Weit mehr als erwartet!",
            "Der Einsatz ging weit über das Übliche hinaus.",
            "Meine Erwartungen wurden übertroffen.",
        ),
    },
}

# How a theme that pulls the other way than the score is joined to it.
ALTHOUGH = {
    "en": ("Overall good, but one thing: ", "Still not satisfied, although: "),
    "es": ("En general bien, pero: ", "Aun así no estoy satisfecho, aunque: "),
    "de": ("Insgesamt gut, aber: ", "Trotzdem nicht zufrieden, obwohl: "),
}

# kind and text; each is written once, as the end of one comment.
PERSONAL_DATA: tuple[tuple[str, str], ...] = (
    ("email", "Write to me at jane.roe@example.com please."),
    ("email", "Mi correo es cliente.77@example.org."),
    ("email", "Meine Adresse: max.muster+nps@mail.example.net"),
    ("phone", "Call me on 555-0142."),
    ("phone", "My number is (212) 555-0187."),
    ("phone", "Llámeme al +1 303-555-0119."),
    ("card", "I paid with 4111 1111 1111 1111."),
    ("card", "Karte 5555-5555-5555-4444 wurde doppelt belastet."),
    ("card", "Mi tarjeta es 378282246310005."),
    ("iban", "Bitte an DE89 3704 0044 0532 0130 00 erstatten."),
    ("iban", "La cuenta es ES9121000418450200051332."),
    ("iban", "Refund to GB29NWBK60161331926819, thanks."),
)

CONTRADICTION = {
    "en": "This was the worst service ever, I am furious!",
    "es": "¡El peor servicio de mi vida, estoy furioso!",
    "de": "Der schlechteste Service aller Zeiten, ich bin wütend!",
}
CONTRADICTION_SHARE = 0.01  # of the tens with a comment

_BODY_COUNT = 3


def write_comments(
    category: Ints, score: Ints, theme: Ints, language: Ints, uniforms: Floats
) -> tuple[Any, Any, Any]:
    """Write one comment per answer.

    Args:
        category: 0 detractor, 1 passive, 2 promoter.
        score: the answer's score, 0-10.
        theme: number of the theme, 0 for none.
        language: number of the language.
        uniforms: numbers in [0, 1), three rows.

    Returns:
        The comments (pyarrow text), whether each speaks of its theme, and whether its words
        contradict the score (both numpy booleans).
    """
    opening = np.minimum((uniforms[0] * 6).astype(np.int64), _OPENING_COUNT[language, category] - 1)
    opening_row = _OPENING_START[language, category] + opening
    sign = np.array([t[1] for t in THEMES], dtype=np.int64)[theme]
    against = ((sign < 0) & (category == 2)) | ((sign > 0) & (category == 0))
    opening_row = np.where(against, _ALTHOUGH_START + language * 2 + (category == 0), opening_row)
    body = (uniforms[1] * _BODY_COUNT).astype(np.int64)
    plain = _PLAIN_START + (language * 3 + category) * _BODY_COUNT + body
    themed = ((theme - 1) * len(LANGUAGES) + language) * _BODY_COUNT + body
    contradicts = (score == 10) & (uniforms[2] < CONTRADICTION_SHARE)
    body_row = np.where(theme > 0, themed, plain)
    body_row = np.where(contradicts, _CONTRADICTION_START + language, body_row)
    opening_row = np.where(contradicts, _EMPTY_OPENING, opening_row)
    text = pc.binary_join_element_wise(
        _OPENING_TEXTS.take(pa.array(opening_row)), _BODY_TEXTS.take(pa.array(body_row)), ""
    )
    return text, (theme > 0) & ~contradicts, contradicts


def _tables() -> tuple[list[str], Ints, Ints, int, int, list[str], int, int]:
    openings: list[str] = []
    start = np.zeros((3, 3), dtype=np.int64)
    count = np.zeros((3, 3), dtype=np.int64)
    for i, code in enumerate(LANGUAGES):
        for j, texts in enumerate(OPENINGS[code]):
            start[i, j], count[i, j] = len(openings), len(texts)
            openings += texts
    although = len(openings)
    for code in LANGUAGES:
        openings += ALTHOUGH[code]
    empty = len(openings)
    openings.append("")
    bodies: list[str] = []
    for theme in THEMES[1:]:
        for code in LANGUAGES:
            bodies += BODIES[theme[0]][code]
    plain = len(bodies)
    for code in LANGUAGES:
        for texts in PLAIN[code]:
            bodies += texts
    contradiction = len(bodies)
    bodies += [CONTRADICTION[code] for code in LANGUAGES]
    return openings, start, count, although, empty, bodies, plain, contradiction


(
    _openings,
    _OPENING_START,
    _OPENING_COUNT,
    _ALTHOUGH_START,
    _EMPTY_OPENING,
    _bodies,
    _PLAIN_START,
    _CONTRADICTION_START,
) = _tables()
_OPENING_TEXTS = pa.array(_openings)
_BODY_TEXTS = pa.array(_bodies)
