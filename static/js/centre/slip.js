/**
 * The code of a scanned slip arrives in the fragment of the address, which no server and no log ever sees.
 * It is moved into the field, then erased from the address.
 */

const input = document.querySelector("#code");
const code = decodeURIComponent(location.hash.slice(1)).slice(0, 40);

if (code) {
  input.value = code;
  history.replaceState(null, "", location.pathname);
  input.form.requestSubmit();
}
