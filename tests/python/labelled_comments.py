"""Comments whose personal data is known, written from templates by a seed.

Every number is one that is reserved for fiction or documentation, published as a test value, or in
no numbering plan, so that none is anybody's:

- phones: NANPA 555-0100 to 0199; Ofcom, numbers for drama use; Bundesnetzagentur, Mitteilung
  148/2021, Rufnummern für Medienproduktionen; ARCEP, décision 2012-0856, œuvres audiovisuelles;
  ACMA, numbers for use in radio, film and television; PTS, fiktiva telefonnummer; Spanish shapes
  with a leading 5, which Spain has not given out;
- cards: the test numbers that payment networks publish;
- IBANs: the examples of the IBAN registry (SWIFT, release 101);
- addresses: domains of RFC 2606.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

SEED = 20250312


@dataclass(frozen=True)
class Comment:
    """A comment with the personal data in it: pairs of kind and the text as it stands there."""

    language: str
    text: str
    planted: tuple[tuple[str, str], ...] = ()


Draw = Callable[[random.Random], str]


def _figures(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _shaped(*shapes: str) -> Draw:
    """Draws a shape and puts a figure in place of every #."""

    def drawn(draw: random.Random) -> str:
        shape = draw.choice(shapes)
        return "".join(draw.choice("0123456789") if sign == "#" else sign for sign in shape)

    return drawn


PHONES: dict[str, Draw] = {
    "en": _shaped(
        "555-01##", "(212) 555-01##", "212-555-01##", "212.555.01##", "+1 303 555 01##",
        "+1-303-555-01##", "1 (415) 555-01##", "415555 01##", "2125550###", "+1212555 01##",
        "07700 900###", "07700900###", "+44 7700 900###", "+447700900###", "020 7946 0###",
        "(020) 7946 0###", "+44 (0)20 7946 0###", "0113 496 0###", "0491 570 006",
        "(02) 5550 ####", "+61 491 570 156", "0491570156",
    ),
    "de": _shaped(
        "030 23125 ###", "030/23125###", "(030) 23125-###", "03023125###", "+49 30 23125 ###",
        "+49 (0)30 23125-###", "0049 30 23125###", "+493023125###", "0171 39200##",
        "0171/39200##", "0171-39200##", "017139200##", "+49 171 39200 ##", "069 90009###",
        "040 / 66969 ###", "0221 - 4710 ###", "089 99 99 8# ##", "0152 28817386",
    ),
    "fr": _shaped(
        "01 99 00 ## ##", "01.99.00.##.##", "01-99-00-##-##", "019900####", "06 39 98 ## ##",
        "06.39.98.##.##", "063998####", "+33 1 99 00 ## ##", "+33 (0)6 39 98 ## ##",
        "+33639 98 ## ##", "0033 6 39 98 ## ##", "04 65 71 ## ##",
    ),
    "es": _shaped(
        "512 34# ###", "51# ## ## ##", "512-34#-###", "5123 45 ###", "512345###",
        "+34 512 34# ###", "+34512345###", "0034 512 345 ###", "(+34) 512 34 5# ##",
    ),
    "sv": _shaped(
        "031-390 06 ##", "08-465 004 ##", "070-174 06 ##", "0701740 6##", "+46 70 174 06 ##",
        "+46701740 6##", "(0)31 390 06 ##", "031 39006##",
    ),
}  # fmt: skip

CARDS = [
    "4111111111111111", "4012888888881881", "4222222222222", "5555555555554444",
    "5105105105105100", "2223003122003222", "378282246310005", "371449635398431",
    "6011111111111117", "6011000990139424", "3530111333300000", "30569309025904",
]  # fmt: skip

IBANS = [
    "AD1200012030200359100100", "AT611904300234573201", "BE68539007547034",
    "BG80BNBG96611020345678", "CH9300762011623852957", "CY17002001280000001200527600",
    "CZ6508000000192000145399", "DE89370400440532013000", "DK5000400440116243",
    "EE382200221020145685", "ES9121000418450200051332", "FI2112345600000785",
    "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GR1601101250000000012300695",
    "HR1210010051863000160", "HU42117730161111101800000000", "IE29AIBK93115212345678",
    "IT60X0542811101000000123456", "LU280019400644750000", "LV80BANK0000435195001",
    "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947",
    "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000",
    "SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541",
    "SA0380000000608010167519", "TR330006100519786457841326",
]  # fmt: skip


def _grouped(value: str, sizes: list[int], sign: str) -> str:
    groups, rest, turn = [], value, 0
    while rest:
        size = sizes[min(turn, len(sizes) - 1)]
        groups.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    return sign.join(groups)


def _card(draw: random.Random) -> str:
    value = draw.choice(CARDS)
    sizes = [4, 6, 5] if len(value) == 15 else [4]
    return _grouped(value, sizes, draw.choice(["", " ", " ", "-", "\u00a0", "."]))


def _iban(draw: random.Random) -> str:
    value = draw.choice(IBANS)
    spelt = _grouped(value, [4], draw.choice(["", " ", " ", "\u00a0", "-"]))
    return value.lower() if spelt == value and draw.random() < 0.2 else spelt


def _email(draw: random.Random) -> str:
    name = draw.choice(
        ["jane.roe", "j_doe77", "max.muster+nps", "cliente", "o'neil", "jürgen", "info", "a.b-c"]
    )
    domain = draw.choice(
        ["example.com", "mail.example.org", "example.net", "shop.example", "bücher.example"]
    )
    at = draw.choice(["@", "@", "@", "@", "＠", " (at) ", " @ ", "[at]"])
    return f"{name}{at}{domain}"


# Figures of another script, invisible signs: the same numbers, written otherwise.
def _other_script(value: str, draw: random.Random) -> str:
    zero = ord(draw.choice("٠۰०๐０"))
    return "".join(chr(zero + int(sign)) if sign.isascii() and sign.isdigit() else sign
                   for sign in value)  # fmt: skip


def _with_invisible(value: str, draw: random.Random) -> str:
    place = draw.randrange(1, len(value))
    return value[:place] + draw.choice("\u200b\u200d\u2060\ufeff\u00ad") + value[place:]


SAID: dict[str, dict[str, list[str]]] = {
    "en": {
        "phone": [
            "Call me on {}.", "My number is {}, after 6 pm.", "You can reach me at {}!",
            "Nobody answers {} any more", "Tel: {}", "still waiting ({})", "{} is my mobile",
            "Waited 45 minutes, then {} was engaged.",
        ],
        "card": ["I paid with {}.", "My card {} was charged twice", "{} expired 12/27, please fix"],
        "iban": ["Refund to {}, thanks.", "My account is {}", "IBAN: {} and nothing came"],
        "email": ["Write to me at {} please.", "{}", "Contact: {}, not by phone!"],
    },
    "de": {
        "phone": [
            "Bitte Rückruf unter {}.", "Tel. {}", "Handy: {}, ab 18 Uhr", "{} ist meine Nummer",
            "Unter {} geht niemand ran", "Ich warte noch immer ({})!", "Meine Nummer lautet {}",
        ],
        "card": ["Karte {} wurde doppelt belastet.", "bezahlt mit {}, seit 3 Wochen nichts"],
        "iban": ["Bitte an {} erstatten.", "Meine IBAN lautet {}, danke", "Konto {}"],
        "email": ["Meine Adresse: {}", "Bitte an {} schreiben!", "erreichbar ({})"],
    },
    "fr": {
        "phone": [
            "Rappelez-moi au {}.", "Mon numéro : {}", "Le {} ne répond jamais", "Tél. {} merci",
            "je suis joignable au {} le soir", "toujours rien ({})",
        ],
        "card": ["Ma carte {} a été débitée deux fois.", "payé avec {}"],
        "iban": ["À rembourser sur {}, merci.", "mon compte {}"],
        "email": ["Écrivez-moi à {} svp.", "mon adresse : {}"],
    },
    "es": {
        "phone": [
            "Llámeme al {}.", "Mi número es {}, gracias", "En el {} no contesta nadie",
            "Teléfono {}", "sigo esperando ({})",
        ],
        "card": ["Mi tarjeta es {}.", "pagué con {} y nada"],
        "iban": ["La cuenta es {}.", "devolver a {} por favor"],
        "email": ["Mi correo es {}.", "escríbanme a {} por favor"],
    },
    "sv": {
        "phone": ["Ring mig på {}.", "Mitt nummer är {}", "{} svarar aldrig", "tel {}"],
        "card": ["Kortet {} debiterades två gånger."],
        "iban": ["Betala till {} tack."],
        "email": ["Skriv till {} tack.", "min adress: {}"],
    },
}  # fmt: skip

# What is nobody's: dates, times, amounts, references, versions, counts.
ORDINARY: dict[str, list[Draw]] = {
    "en": [
        _shaped("Ordered on 2025-0#-1#, arrived 03/1#/2025."),
        _shaped("Order 48151623## never came", "order number 7######## is still open"),
        _shaped("Order #61######2 was wrong", "ticket 2025-00#####, case 1234####"),
        _shaped("Invoice INV-2025-00###### is wrong", "Tracking 1Z999AA101234567##"),
        _shaped("It cost 1,2##,5##.00 USD", "$ 12#,4##.99 is too much", "paid 1234567.8# dollars"),
        _shaped("Version 10.0.19045.4#9#", "app v3.12.100.4###", "build 2025031#.1"),
        _shaped("from 10:30 to 12:45, 24/7, 100 %", "2025-03-1# 10:3#:4# and again at 11:0#:1#"),
        _shaped("Waited from 9.30-10.45 and 14.00-15.30", "between 1000-2000 people"),
        _shaped("2019-2024 I was happy, 2025/2026 not", "marks: 10 9 8 10 7 6 5 9"),
        _shaped("router 192.168.178.1##", "52.5#0008, 13.4#4954", "EAN 40063813339##"),
        _shaped("Reference: 4111 1111 1111 1112", "my voucher 1234 5678 1234 5678"),
        _shaped("see https://example.com/orders/71########", "serial SN12######9012"),
        _shaped("12 34## visitors, 1 2## 567 views", "Springfield 12345-67##"),
        _shaped("card ending in 11##, 3 calls, 2 weeks, 45 minutes", "room 12, floor 3, 101"),
        _shaped("Thanks @support, great @ 5 pm", "@example_shop answered in 2 min"),
        # Nothing says that these are no phone numbers.
        _shaped("71######## never arrived", "why is 81######2 still open?"),
    ],
    "de": [
        _shaped("Bestellt am 1#.03.2025, geliefert 2#.04.2025", "vom 01.01.2025 - 31.12.2025"),
        _shaped("Bestellnummer 6######## kam nie an", "Auftrag 03000###### ist offen"),
        _shaped("Rechnung RE-2025-00#### stimmt nicht", "Kundennummer 7#######"),
        _shaped("1.234.56#,89 € sind zu viel", "kostet 12.345.67# Euro", "Zähler 12345#,7 kWh"),
        _shaped("von 10:30 bis 12:45 Uhr, 24/7", "am 1#.03.25 um 10.30 Uhr gewartet"),
        _shaped("Sendung 003404341610940159##", "Vorgang 2025/12####"),
        _shaped("Version 7.4.1234.5##", "Zeitraum 2020-2025", "3000-4000 Kunden"),
        _shaped("Artikel 4711-0815-12##", "Vertrag Nr. 9########"),
    ],
    "fr": [
        _shaped("Commandé le 1#/03/2025, livré le 2#/04/2025", "commande 6######## perdue"),
        _shaped("1 234 56#,89 € c'est trop", "facture F2025-00####", "colis 8########12"),
        _shaped("de 10h30 à 12h45", "version 12.3.4567.8#", "dossier 12 34 56 7#"),
    ],
    "es": [
        _shaped("Pedido 6######## sin entregar", "factura 2025/00####"),
        _shaped("el 1#/03/2025 a las 10:30"),
        _shaped("1.234.56#,89 € es mucho", "referencia 9########", "caso 7######### cerrado"),
    ],
    "sv": [
        _shaped("Beställde 2025-03-1#, kom 2025-04-0#", "faktura 7########", "1 234 56# kr"),
        _shaped("version 8.1.2345.67", "ordernummer 4######## saknas", "kl 10.30-12.45"),
    ],
}  # fmt: skip


def labelled_comments() -> list[Comment]:
    """The set: the same for everyone, because the seed is fixed."""
    draw = random.Random(SEED)
    comments = []
    for language, said in SAID.items():
        values: dict[str, Draw] = {
            "phone": PHONES[language], "card": _card, "iban": _iban, "email": _email,
        }  # fmt: skip
        for kind, sentences in said.items():
            for _ in range(36 if kind == "phone" else 12):
                value = values[kind](draw)
                if kind in ("phone", "card") and draw.random() < 0.15:
                    value = draw.choice([_other_script, _with_invisible])(value, draw)
                text = draw.choice(sentences).format(value)
                comments.append(Comment(language, text, ((kind, value),)))
        for _ in range(6):
            first, second = draw.sample(sorted(said), 2)
            one, two = values[first](draw), values[second](draw)
            text = f"{draw.choice(said[first]).format(one)} {draw.choice(said[second]).format(two)}"
            comments.append(Comment(language, text, ((first, one), (second, two))))
        comments += [
            Comment(language, template(draw)) for template in ORDINARY[language] for _ in range(5)
        ]
    return comments
