/** Starts the page: the model, everything that shows it, and the events of the service. */

import * as api from "./api.js";
import { byId, make, texts } from "./elements.js";
import { listenToKeys } from "./keys.js";
import { Labelling } from "./labels/labelling.js";
import { load } from "./loading.js";
import { follow } from "./live.js";
import { mountMaps } from "./maps.js";
import { Model, SHARED, amongViews, fromAddress, toAddress } from "./model.js";
import { mountDetail } from "./panels/detail.js";
import { mountFilter } from "./panels/filter.js";
import { mountLabel } from "./panels/label.js";
import { mountLegend } from "./panels/legend.js";
import { mountScores } from "./panels/scores.js";
import { mountSearch } from "./panels/search.js";
import { mountSelection } from "./panels/selection.js";
import { mountTexts } from "./panels/texts.js";
import { mountVersions } from "./panels/versions.js";
import { mountViews } from "./panels/views.js";
import { order } from "./loading.js";
import { say, wrong } from "./saying.js";

const model = new Model();
Object.assign(model, fromAddress(location.hash));

function mountAddress() {
  model.on("view version maps colour query also filter selection open panel sort", () => {
    const said = toAddress(model);
    if (said !== location.hash) history.replaceState(null, "", said);
  });
  addEventListener("hashchange", () => {
    const said = fromAddress(location.hash);
    model.set(amongViews(said, model.views, model.view));
  });
  byId("share").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      say(`the link is copied: it opens what you see${beside(model)}`);
    } catch {
      say(`copy the address: it opens what you see${beside(model)}`); // browsers copy on https and on this machine alone
    }
  });
}

/** Say what a link holds in the place of selected texts, where they are too many for one. */
function beside({ selection, selected, picked }) {
  if (!selected || selection.ids) return "";
  return `, but of the ${texts(picked.ids.length)} selected it holds ${selection.all ? "the filter: whoever opens it selects what fits that then" : "the outline: whoever opens it selects what that encloses on the map of then"}`;
}

/** The way to the list for who goes by keys; the address stays what it is. */
function mountSkip() {
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    model.set({ panel: "texts" });
    byId("texts").focus();
  });
}

function mountPanels() {
  const names = ["texts", "label", "versions"];
  const draw = () => {
    for (const name of names) {
      const chosen = model.panel === name;
      byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
      byId(`panel-${name}`).hidden = !chosen;
    }
  };
  for (const [n, name] of names.entries()) {
    byId(`tab-${name}`).addEventListener("click", () => model.set({ panel: name }));
    byId(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
      if (!step) return;
      const next = names[(n + step) % names.length];
      model.set({ panel: next });
      byId(`tab-${next}`).focus();
    });
  }
  let last = SHARED.panel;
  model.on("panel", () => {
    draw();
    if (model.panel !== last) byId(`tab-${model.panel}`).scrollIntoView(); // on a phone the panels are below the map
    last = model.panel;
  });
  draw();
}

function mountToolbar(maps) {
  byId("lasso").addEventListener("click", () => model.set({ lasso: !model.lasso }));
  byId("two").addEventListener("click", () => model.set({ maps: model.maps === "two" ? "one" : "two" }));
  const two = () => {
    byId("two").setAttribute("aria-pressed", String(model.maps === "two"));
    byId("two").disabled = model.view === "base";
  };
  model.on("maps view", two);
  two();
  byId("whole").addEventListener("click", () => {
    for (const map of Object.values(maps)) {
      map.camera.reset();
      map.ask();
    }
  });
  byId("scheme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.scheme && matchMedia("(prefers-color-scheme: dark)").matches);
    scheme(dark ? "light" : "dark");
  });
  byId("keys").addEventListener("click", () => byId("help").showModal());
}

function scheme(name) {
  document.documentElement.dataset.scheme = name;
  localStorage.setItem("refract.scheme", name);
  document.dispatchEvent(new Event("scheme"));
}

function labelsForFields() {
  byId("all-labels").replaceChildren(...order(model).map((label) => make("option", { value: label })));
}

const kept = localStorage.getItem("refract.scheme");
if (kept) document.documentElement.dataset.scheme = kept;
const labelling = new Labelling(model);
mountViews(model);
mountScores(model);
mountSearch(model);
mountSkip();
mountPanels();
mountLegend(model);
mountFilter(model);
const box = mountTexts(model);
mountDetail(model, labelling);
mountSelection(model, labelling);
mountVersions(model);
const queue = mountLabel(model, labelling);
const maps = mountMaps(model);
mountToolbar(maps);
listenToKeys(model, labelling, queue, box);
model.on("given views view", () => labelsForFields());
Object.assign(globalThis, { refract: { model, maps } }); // for a console, and for tests
await load(model).then(() => {
  labelling.begin();
  model.on("workspace", () => location.reload()); // another one has this address by now
  mountAddress();
  model.tell(...Object.keys(SHARED));
  follow(model, api.listen);
  document.documentElement.dataset.ready = "true";
}).catch(wrong);
