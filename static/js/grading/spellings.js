// Digits put a short answer in a list and go on to the next one; without this script, the radios do.

const ORDER = ["0", "1", "2", "3"];

for (const [index, row] of rows().entries()) {
  row.addEventListener("keydown", (event) => {
    const choice = ORDER.indexOf(event.key);
    if (choice < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const radio = row.querySelectorAll("input")[choice];
    radio.checked = true;
    const next = rows()[index + 1];
    (next ? next.querySelector("input:checked") : radio).focus();
  });
}

function rows() {
  return [...document.querySelectorAll("[data-spelling]")];
}
