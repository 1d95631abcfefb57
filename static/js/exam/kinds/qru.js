// One answer only: radio buttons, which "Effacer la réponse" gives back blank.
export { read, summary, write } from "./choice.js";

export const hint = "QRU · une seule réponse";
export const isClearable = true;
