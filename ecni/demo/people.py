"""Invented candidates: common first and family names put together at random, always the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

FIRST_NAMES = (
    "Adèle Agathe Alice Amandine Ambre Anaïs Apolline Aurore Camille Capucine Célia Charlotte Chloé Clara Clémence "
    "Élise Éloïse Emma Estelle Eva Fanny Flora Gaëlle Hélène Inès Jade Jeanne Julie Justine Laura Léa Léonie Lila Louise "
    "Lucie Maëlle Manon Margaux Marie Mathilde Mélanie Nina Noémie Océane Pauline Romane Salomé Sarah Solène Zoé Adrien "
    "Alexandre Antoine Arthur Augustin Axel Baptiste Benjamin Clément Corentin Damien Édouard Émile Étienne Félix Florian "
    "Gabriel Grégoire Guillaume Hugo Ismaël Jules Julien Karim Léo Louis Lucas Malo Marius Mathis Maxime Mehdi Nathan "
    "Nicolas Noé Octave Olivier Paul Pierre Quentin Raphaël Rayan Romain Samuel Simon Théo Thomas Tristan Valentin Victor Yanis"
).split()
FAMILY_NAMES = (
    "Abadie Allard Andrieu Arnaud Aubert Bailly Barbier Baron Benali Benoît Bernard Berthier Besson Blanchard Bonnet Bouchet "
    "Boulanger Bourgeois Boyer Briand Brunet Carlier Caron Chauvin Chevalier Colin Cordier Coste Da-Silva Daniel Delattre "
    "Delmas Deschamps Diallo Dumas Dupuis Durand Faure Ferrand Fleury Fontaine Fournier Gaillard Garnier Gauthier Gérard "
    "Girard Grondin Guérin Guillot Hamon Henry Hoarau Hubert Jacquet Joly Kaya Klein Lacroix Laurent Lebrun Leclerc Lefèvre "
    "Lemoine Leroux Maillard Marchand Martinet Masson Mercier Meunier Michaud Monnier Moreau Nguyen Noël Pasquier Payet "
    "Perrin Picard Pons Prévost Renaud Rey Richard Rivière Robin Roche Rolland Rousseau Roy Salmon Sauvage Schmitt Tessier "
    "Toussaint Traoré Vasseur Vidal Vincent Weber Ziegler"
).split()
BORN_AROUND = date(2002, 1, 1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    first_name: str
    last_name: str
    born_on: date
    extra_percent: int


def people(count: int, seed: int = 2022) -> Iterator[Person]:
    """Yield `count` people; one in forty has a third more time."""
    random = Random(seed)  # noqa: S311 -- invented people, nothing secret
    for position in range(count):
        yield Person(
            first_name=random.choice(FIRST_NAMES),
            last_name=random.choice(FAMILY_NAMES).replace("-", " "),
            born_on=BORN_AROUND - timedelta(days=random.randrange(3 * 365)),
            extra_percent=33 if position % 40 == 7 else 0,
        )
