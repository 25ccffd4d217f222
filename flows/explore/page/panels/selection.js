/** What to do with the texts that were selected on a map. */

import { buttons } from "../labels/choice.js";
import { byId, make, refill, texts } from "../elements.js";

/** @param {import("../model.js").Model} model @param {import("../labels/labelling.js").Labelling} labelling */
export function mountSelection(model, labelling) {
  const draw = () => {
    const place = byId("selection");
    place.hidden = !model.selected;
    if (place.hidden) return;
    const many = model.picked.ids.length;
    refill(place,
      make("div", { className: "row" },
        make("b", {}, `${texts(many)} selected`),
        make("button", { type: "button", onclick: () => model.set({ selection: null }) }, "clear")),
      !many ? null : model.labels
        ? make("div", {}, make("p", { className: "soft" }, "label all:"), buttons(model, undefined, (label) => labelAll(model, labelling, label), "Shift+"))
        : make("p", { className: "soft" }, "Choose a view above, or begin a new one, to label them."));
  };
  model.on("selected given view", draw);
}

/** Label all texts that are selected. */
export function labelAll(model, labelling, label) {
  if (model.selected) labelling.give(model.picked.ids, label);
}
