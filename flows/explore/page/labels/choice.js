/** The labels that can be given, with their keys. */

import { dot, make } from "../elements.js";
import { order } from "../loading.js";

export const KEYS = 9;
const SHOWN = 18; // labels with a button; all others are typed

/** Return a button for each label and a field for a new one; `choose` is told which; shift: the keys that give them take Shift. */
export function buttons(model, given, choose, shift = "") {
  const labels = order(model);
  const shown = labels.slice(0, SHOWN);
  if (given && labels.includes(given) && !shown.includes(given)) shown.push(given);
  const made = shown.map((label) => {
    const n = labels.indexOf(label);
    return make("button", { type: "button", className: "chip give", "aria-pressed": String(label === given), onclick: () => choose(label === given ? null : label), title: label === given ? "take this label back" : "" },
      n < KEYS ? make("kbd", {}, `${shift}${n + 1}`) : null, dot(n), make("span", {}, label));
  });
  return make("div", { className: "choice", role: "group", "aria-label": `labels of ${model.view}` }, made, typed(labels, choose));
}

function typed(labels, choose) {
  const input = make("input", { className: "new", placeholder: labels.length > SHOWN ? "another label …" : "+ new label", maxLength: 200, autocomplete: "off", "aria-label": "another label", list: "all-labels" });
  const give = (event) => {
    event.preventDefault();
    const label = input.value.trim();
    input.value = "";
    input.blur(); // the next key gives a label, and the next text begins with an empty field
    if (label) choose(label);
  };
  return make("form", { onsubmit: give }, input);
}
