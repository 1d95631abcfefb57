// One answer only: radio buttons, which "Effacer la réponse" gives back blank.
export { chosen, read, summary, watch, write, writeStrikes } from "./choice.js";

export const isClearable = true;
