/** Keys that work anywhere on the page but in a field. */

import { byId } from "./elements.js";
import { order } from "./loading.js";
import { close } from "./panels/detail.js";
import { labelAll } from "./panels/selection.js";

/** @param {import("./model.js").Model} model */
export function listenToKeys(model, labelling, queue, box) {
  const does = {
    "/": () => byId("query").focus(),
    "?": () => byId("help").showModal(),
    t: () => panel(model, "texts"),
    l: () => panel(model, "label"),
    v: () => panel(model, "versions"),
    m: () => model.view !== "base" && model.set({ maps: model.maps === "two" ? "one" : "two" }),
    o: () => model.set({ lasso: !model.lasso }),
    f: () => openFilter(model),
    u: () => (model.panel === "label" ? queue.undo() : labelling.undo()),
    s: () => model.panel === "label" && queue.pass(),
    n: () => newLabel()?.focus(),
    Escape: () => escape(model),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (typing && event.key !== "Escape") return;
    if (typing) return void event.target.blur();
    const digit = /^Digit([1-9])$/.exec(event.code)?.[1] ?? /^[1-9]$/.exec(event.key)?.[0];
    if (digit) give(model, labelling, queue, box, Number(digit) - 1, event.shiftKey);
    else if (does[event.key]) does[event.key]();
    else return;
    event.preventDefault();
  });
}

/** Give the n-th label: to the text in the queue, the open one, the one in the list, or with Shift to all selected. */
function give(model, labelling, queue, box, n, all) {
  const label = order(model)[n];
  if (label === undefined) return;
  if (all) labelAll(model, labelling, label);
  else if (model.panel === "label") queue.give(label);
  else {
    const id = model.open ?? box.active?.id;
    if (id !== undefined && id !== null) labelling.give([id], label);
  }
}

/** Return the field for a new label: of the text in the queue, else of the open one, else of what is selected. */
function newLabel() {
  const fields = ["panel-label", "detail", "selection"].map((place) => document.querySelector(`#${place}:not([hidden]) .choice .new`));
  return fields.find(Boolean);
}

/** Show a panel; what arrow keys walk in it has the focus then. */
function panel(model, name) {
  model.set({ panel: name });
  const walked = { texts: byId("texts"), versions: byId("moved").hasChildNodes() && byId("moved") }[name];
  (walked || byId(`tab-${name}`)).focus();
}

function openFilter(model) {
  model.set({ panel: "texts" });
  byId("filter").open = !byId("filter").open;
  byId("filter").querySelector("summary").focus();
}

function escape(model) {
  if (model.lasso) model.set({ lasso: false });
  else if (model.open !== null) close(model);
  else if (model.selection) model.set({ selection: null });
  else if (model.query) model.set({ query: "" });
  else if (model.version) model.set({ version: null });
}
