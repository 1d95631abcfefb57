// Text size, colours and line spacing: kept on the tablet, applied to <html> as data attributes. Dialogs opened by [data-opens].
const root = document.documentElement;

/** @param {string} name one of theme, size, leading */
function kept(name) {
  try {
    return localStorage.getItem(`ecni.${name}`);
  } catch {
    return null; // storage may be forbidden; the page still works
  }
}

/** @param {string} name @param {string} value */
function keep(name, value) {
  root.dataset[name] = value;
  try {
    localStorage.setItem(`ecni.${name}`, value);
  } catch {
    // the choice holds until the page is left
  }
}

for (const name of ["theme", "size", "leading"]) {
  const value = kept(name);
  if (value) root.dataset[name] = value;
  for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
    if (value) input.checked = input.value === value;
    input.addEventListener("change", () => keep(name, input.value));
  }
}

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => document.getElementById(opener.dataset.opens).showModal());
}
