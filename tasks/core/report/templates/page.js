const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
const percent = (share) => `${Math.round(100 * share)} %`;
const maps = {};

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text; // never as HTML: texts are data
  return made;
}

function about(datum) {
  if ("true" in datum)
    return [line("b", `${datum.true} read as ${datum.likeliest}`), line("span", `${datum.texts} texts, ${percent(datum.share)} of ${datum.true}`)];
  const sure = datum.known ? `labelled; the view says ${datum.seen}, ${percent(datum.confidence)}` : `likeliest, ${percent(datum.confidence)}`;
  return [line("b", datum.label), line("span", datum.text), line("small", `${sure} · novelty ${percent(datum.novelty)} · ${datum.id}`)];
}

function hover(_, event, item, value) {
  const datum = item && item.datum;
  tip.classList.toggle("on", Boolean(value && datum));
  if (!value || !datum) return;
  tip.replaceChildren(...about(datum));
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - width - 12);
  const above = event.clientY + 16 + height > innerHeight;
  tip.style.left = `${Math.max(12, left)}px`;
  tip.style.top = `${above ? event.clientY - height - 12 : event.clientY + 16}px`;
}

function tell(name, value) {
  for (const view of Object.values(maps)) if (view.signal(name) !== value) view.signal(name, value).runAsync();
}

function focus(label) {
  for (const button of document.querySelectorAll(".legend button"))
    button.setAttribute("aria-pressed", String(button.dataset.label === label));
  const others = document.querySelector(".legend select");
  if (others && others.value !== label) others.value = "";
  tell("focus", label);
}

async function draw(id, spec) {
  const place = document.getElementById(id);
  const map = place.classList.contains("map");
  if (map) spec.data.values = data.points;
  const narrow = place.clientWidth < 480;
  if (map && narrow) spec.height = 340;
  if (!map && narrow) spec.encoding.x.axis.labelAngle = spec.encoding.x.axis.labelAngle ? -90 : -45;
  const { view } = await vegaEmbed(place, spec, { mode: "vega-lite", renderer: "svg", actions: false, tooltip: hover });
  if (!map) return;
  maps[id] = view;
  view.addEventListener("pointermove", (_, item) => tell("pointed", item && item.datum && item.datum.n >= 0 ? item.datum.n : -1));
  view.addEventListener("pointerout", () => tell("pointed", -1));
}

for (const button of document.querySelectorAll(".legend button"))
  button.addEventListener("click", () => focus(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.label));
document.querySelector(".legend select")?.addEventListener("change", (event) => focus(event.target.value || null));
document.getElementById("people").addEventListener("change", (event) => tell("people", event.target.checked));
addEventListener("scroll", () => tip.classList.remove("on"), { passive: true });

await Promise.all(Object.entries(data.charts).map(([id, spec]) => draw(id, spec)));
document.documentElement.dataset.drawn = Object.keys(data.charts).sort().join(" ");
