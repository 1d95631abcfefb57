// One or several answers: check boxes, each cleared by itself.
export { read, summary, write } from "./choice.js";

export const hint = "QRM · plusieurs réponses possibles";
export const isClearable = false;
