"""A person who never saw the platform verifies a receipt: a folder, a browser, no network."""

import json
import re

import pytest

from exams.exports import write_public_log
from exams.models import Sitting
from exams.rules.checkpoint import receipt_text
from exams.rules.ops import receipt_code
from tests.exams.evidence import sat
from tests.journeys.screens import Screens, is_of_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def house():
    return sat(count=5)


@pytest.fixture
def folder(house, tmp_path):
    sitting = Sitting.objects.get(pk=house.sitting_id)
    folder = tmp_path / "public"
    write_public_log(sitting=sitting, folder=folder, now=house.now, told=lambda _written, _total: None)
    return folder


@pytest.fixture
def page(browser, folder):
    context = browser.new_context(locale="fr-FR", offline=True, viewport={"width": 1100, "height": 1400})
    page = context.new_page()
    page.problems = []
    page.screens = Screens()

    def hear(said):
        if said.type in {"error", "warning"} and is_of_page(said):
            page.problems.append(said.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto((folder / "verifier.html").as_uri())
    yield page
    context.close()


def check(page, folder, receipt, *, number="", files=("journal.jsonl", "checkpoints.json")):
    page.fill("#receipt", receipt)
    page.fill("#number", number)
    page.set_input_files("#files", [folder / name for name in files])
    page.click("button[type=submit]")
    page.wait_for_selector("#result:not([hidden])")
    said = page.locator("#checks li").all_inner_texts()
    return page.inner_text("#verdict"), dict(re.sub(r"\s*\n\s*", "\n", text).split("\n", 1) for text in said)


def alter(folder, old, new):
    log = folder / "journal.jsonl"
    text = log.read_text()
    assert text.count(old) == 2  # the same act in both sheets
    log.write_text(text.replace(old, new))


def test_a_receipt_is_verified_then_one_altered_answer_breaks_it(page, folder, house):
    screens = page.screens
    chain = house.chains[0]
    screens.look(page, "70-verifier")
    receipt = receipt_text(house.sitting_id, chain.sheet.number, chain.head)
    verdict, said = check(page, folder, receipt)
    screens.look(page, "71-verifier-holds")
    assert verdict == "Tout concorde"
    assert said == {
        "La chaîne": "Concorde : les 8 actes se suivent depuis le premier, chacun conforme à son empreinte.",
        "Votre reçu": "Concorde : il est l’empreinte du dernier acte : rien n’a été ajouté ni retiré depuis.",
        "Votre copie": f"Concorde : cette chaîne est bien celle de la copie K1-0001 à l’épreuve {house.sitting_id}.",
        "Signature": "Concorde : le dernier point de contrôle est signé par la clé ci-dessous.",
        "Point de contrôle": "Concorde : le dernier acte de votre copie est bien celui que la racine signée atteste.",
    }
    answers = [row.split("\t")[:2] for row in page.locator("#answers tr").all_inner_texts()]
    assert answers == [["1", "(blanc)"], ["2", "AE"], ["3", "C"], ["4", "D"]]
    alter(folder, '[2,"answer",2,1782307800000,"AE"', '[2,"answer",2,1782307800000,"AB"')
    verdict, said = check(page, folder, receipt)
    screens.look(page, "72-verifier-broken")
    assert verdict == "Quelque chose ne concorde pas"
    assert said["La chaîne"] == (
        "Ne concorde pas : elle se rompt à l’acte 2, question 2 : son contenu n’est pas celui de son empreinte."
        " Cet acte a été changé."
    )
    assert page.locator("#ops [data-tone=danger]").count() == 1
    page.set_viewport_size({"width": 320, "height": 900})
    screens.look(page, "73-verifier-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert screens.findings == {}
    assert page.problems == []


def test_the_code_of_the_tablet_is_enough_to_find_the_sheet(page, folder, house):
    chain = house.chains[1]
    verdict, said = check(page, folder, receipt_code(chain.head), files=["journal.jsonl"])
    assert verdict == "Ce qui a pu être vérifié concorde"
    assert {what for what, text in said.items() if text.startswith("Non vérifié : ")} == {"Votre copie", "Signature"}
    verdict, said = check(page, folder, receipt_code(chain.head), number="k1-0002")
    assert (verdict, len(said)) == ("Tout concorde", 5)


def test_a_receipt_noted_before_the_end_is_found(page, folder, house):
    chain = house.chains[1]
    _, said = check(page, folder, receipt_code(chain.digests[4]), number="K1-0002")
    assert said["Votre reçu"].startswith("Concorde : il est l’empreinte de l’acte 4 ; 3 acte(s)")


def test_another_number_is_told(page, folder, house):
    verdict, said = check(page, folder, receipt_code(house.chains[1].head), number="K1-0001")
    assert verdict == "Quelque chose ne concorde pas"
    assert (said["Votre copie"][:17], said["Point de contrôle"][:17]) == ("Ne concorde pas :",) * 2


def test_a_receipt_that_is_not_there_is_told(page, folder):
    verdict, said = check(page, folder, "ab" * 16)
    assert verdict == "Quelque chose ne concorde pas"
    assert said["Votre reçu"].startswith("Ne concorde pas : Aucune des 2 copies de ce journal ne porte ce reçu.")


def test_a_false_signature_is_told(page, folder, house):
    path = folder / "checkpoints.json"
    document = json.loads(path.read_text())
    document["checkpoints"][-1]["signature"] = "00" * 64
    path.write_text(json.dumps(document))
    _, said = check(page, folder, receipt_code(house.chains[1].head), number="K1-0002")
    assert said["Signature"] == "Ne concorde pas : la signature du dernier point de contrôle est fausse."


@pytest.mark.parametrize(
    ("receipt", "files", "field", "error"),
    [
        ("", ["journal.jsonl"], "receipt", "Un reçu a 32 ou 64 chiffres et lettres de A à F ; celui-ci en a 0."),
        ("xyz", ["journal.jsonl"], "receipt", "celui-ci en a 3, et contient d’autres signes."),
        ("ab" * 16, [], "files", "Choisissez le fichier journal.jsonl."),
        ("ab" * 16, ["manifest.json"], "files", "Choisissez le fichier journal.jsonl."),
    ],
)
def test_what_cannot_be_checked_is_said_at_its_field(page, folder, receipt, files, field, error):
    page.fill("#receipt", receipt)
    page.set_input_files("#files", [folder / name for name in files])
    page.click("button[type=submit]")
    page.wait_for_selector(f"#{field}-error:not([hidden])")
    assert page.inner_text(f"#{field}-error").endswith(error)
    assert page.evaluate("document.activeElement.id") == field
    assert page.is_hidden("#result")
