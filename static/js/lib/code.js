// The code of a slip on its way to the server, kept in this tab alone so that nobody types it twice. Whoever comes next must not find it.

const KEY = "ecni.code";
const LONGEST = 40;

/** @param {(store: Storage) => T} use @template T @returns {T | undefined} */
function tried(use) {
  try {
    return use(sessionStorage);
  } catch {
    return undefined; // storage may be forbidden: the code is typed again
  }
}

/** @param {string} code as typed */
export const keepCode = (code) => tried((store) => store.setItem(KEY, code.slice(0, LONGEST)));

/** @returns {string} empty when there is none */
export const keptCode = () => tried((store) => store.getItem(KEY)) ?? "";

export const forgetCode = () => tried((store) => store.removeItem(KEY));

/** The code that came in the fragment of the address, which no server and no log ever sees. @returns {string} */
export const scannedCode = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, LONGEST);
  } catch {
    return ""; // not an address that a slip has
  }
};
