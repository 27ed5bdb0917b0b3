"use strict";
// Walking around in the map. Everything it shows is in the page already: without this script the map stands still.
const host = document.getElementById("host");
const svg = host.querySelector("svg");
const tip = document.getElementById("tip");
const scale = svg.querySelector(".scale");
const sheet = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
const GREATEST_ZOOM = 40;
const NARROW_PIXELS = 600;
const view = { x: 0, y: 0, width: sheet.width };
let drawnAt = 0;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const ratio = () => svg.clientHeight / svg.clientWidth || sheet.height / sheet.width;
const unitsPerPixel = () => view.width / (svg.clientWidth || sheet.width);
const widest = () => Math.max(sheet.width, sheet.height / ratio());
// What is larger than the sheet has it in its middle; what is smaller stays on it.
const held = (at, length, whole) => (length >= whole ? (whole - length) / 2 : clamp(at, 0, whole - length));

function draw() {
  view.width = clamp(view.width, sheet.width / GREATEST_ZOOM, widest());
  const height = view.width * ratio();
  view.x = held(view.x, view.width, sheet.width);
  view.y = held(view.y, height, sheet.height);
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${height}`);
  const k = unitsPerPixel();
  scale.setAttribute("transform", `translate(${view.x + 14 * k} ${view.y + height - 12 * k})`);
  host.style.touchAction = view.width < widest() ? "none" : "pan-y";
  if (k === drawnAt) return;
  drawnAt = k;
  // Marks, names and patterns keep their size on the screen, whatever the map's is.
  for (const mark of svg.querySelectorAll(".size")) mark.setAttribute("transform", `scale(${k})`);
  for (const pattern of svg.querySelectorAll("pattern")) pattern.setAttribute("patternTransform", `scale(${k})`);
  for (const pointer of svg.querySelectorAll(".point-at")) {
    pointer.setAttribute("visibility", pointer.dataset.size / k > 24 ? "hidden" : "visible");
  }
  drawScale(k);
  chooseNames();
}

function chooseNames() {
  const there = svg.querySelectorAll(".point-at:not([visibility=hidden]) text, .mark.deciding");
  const taken = [...there].map((thing) => thing.getBoundingClientRect());
  for (const name of svg.querySelectorAll(".name")) {
    const box = name.getBoundingClientRect();
    const free = taken.every((other) => box.right < other.left || other.right < box.left || box.bottom < other.top || other.bottom < box.top);
    name.setAttribute("visibility", free ? "visible" : "hidden");
    if (free) taken.push(box);
  }
}

function drawScale(k) {
  const most = scale.dataset.km * k * Math.min(160, svg.clientWidth / 4);
  const power = 10 ** Math.floor(Math.log10(most));
  const km = Math.max(...[1, 2, 5].map((step) => step * power).filter((length) => length <= most));
  const text = km >= 1 ? km.toLocaleString("en") + " km" : Math.round(km * 1000) + " m";
  scale.querySelector("path").setAttribute("d", `M0-6V0H${km / scale.dataset.km / k}V-6`);
  scale.querySelector("text").textContent = `${text} ${scale.dataset.where}`;
}

function zoom(factor, at) {
  const about = at || { x: view.x + view.width / 2, y: view.y + (view.width * ratio()) / 2 };
  const width = clamp(view.width / factor, sheet.width / GREATEST_ZOOM, widest());
  const share = width / view.width;
  view.x = about.x - (about.x - view.x) * share;
  view.y = about.y - (about.y - view.y) * share;
  view.width = width;
  draw();
}

function move(right, down) {
  view.x += right * view.width;
  view.y += down * view.width * ratio();
  draw();
}

function showAll() {
  view.width = widest();
  draw();
}

function showRegion(air) {
  if (!svg.dataset.region) return;
  const [west, north, east, south] = svg.dataset.region.split(" ").map(Number);
  view.width = clamp(air * Math.max(east - west, (south - north) / ratio()), sheet.width / GREATEST_ZOOM, widest());
  view.x = (west + east - view.width) / 2;
  view.y = (north + south - view.width * ratio()) / 2;
  draw();
}

const onMap = (event) => {
  const box = svg.getBoundingClientRect();
  const k = unitsPerPixel();
  return { x: view.x + (event.clientX - box.left) * k, y: view.y + (event.clientY - box.top) * k };
};

// -- keyboard and buttons

const KEYS = {
  "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), _: () => zoom(1 / 1.5),
  0: showAll, r: () => showRegion(1.25), R: () => showRegion(1.25),
  ArrowLeft: () => move(-0.15, 0), ArrowRight: () => move(0.15, 0),
  ArrowUp: () => move(0, -0.15), ArrowDown: () => move(0, 0.15),
};

host.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") hideTip();
  const act = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const [id, act] of [["in", () => zoom(1.5)], ["out", () => zoom(1 / 1.5)], ["all", showAll], ["region", () => showRegion(1.25)]]) {
  const button = document.getElementById(id);
  if (button) button.addEventListener("click", act);
}

// -- mouse and touch

host.addEventListener("wheel", (event) => {
  // A page that is scrolled past must not catch on the map: it zooms once it has been chosen, or with the control key.
  if (!event.ctrlKey && !host.contains(document.activeElement)) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.03 : 0.0015)), onMap(event));
}, { passive: false });

host.addEventListener("dblclick", (event) => zoom(2, onMap(event)));

const touches = new Map();
let dragged = false;

host.addEventListener("pointerdown", (event) => {
  touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
  dragged = false;
});

host.addEventListener("pointermove", (event) => {
  const before = touches.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  if (!dragged && touches.size === 1 && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
  if (!dragged) {
    dragged = true;
    host.setPointerCapture(event.pointerId);
    host.classList.add("dragged");
    hideTip();
  }
  if (touches.size === 1) {
    view.x -= (now.x - before.x) * unitsPerPixel();
    view.y -= (now.y - before.y) * unitsPerPixel();
    draw();
  } else {
    const [other] = [...touches].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const apart = (at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
    zoom(apart(now) / apart(before), onMap({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }));
  }
  touches.set(event.pointerId, now);
});

for (const end of ["pointerup", "pointercancel"]) {
  host.addEventListener(end, (event) => {
    touches.delete(event.pointerId);
    host.classList.remove("dragged");
  });
}

// -- tooltips: the same sentence for a pointer over a mark or a bound, and for a mark that has the focus

const landmarks = new Map();
for (const mark of svg.querySelectorAll(".landmark")) landmarks.set(mark.dataset.landmark, mark);
const sentences = JSON.parse(document.getElementById("sentences").textContent);

function showTip(number, x, y) {
  hideTip();
  tip.textContent = sentences[number];
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${clamp(x + 14, 4, document.documentElement.clientWidth - box.width - 4)}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? y - 14 - box.height : y + 18}px`;
  for (const shown of [landmarks.get(number), document.getElementById(`bound-${number}`)]) {
    if (shown) shown.classList.add("shown");
  }
}

function hideTip() {
  tip.hidden = true;
  for (const shown of svg.querySelectorAll(".shown")) shown.classList.remove("shown");
}

function showFocused() {
  const mark = host.querySelector(".landmark:focus");
  if (!mark) return false;
  const box = mark.querySelector(".mark").getBoundingClientRect();
  showTip(mark.dataset.landmark, (box.left + box.right) / 2, (box.top + box.bottom) / 2);
  return true;
}

const numberAt = (target) => target instanceof Element && target.closest("[data-landmark]")?.dataset.landmark;

host.addEventListener("pointerover", (event) => {
  const number = numberAt(event.target);
  if (number && !touches.size) showTip(number, event.clientX, event.clientY);
});
host.addEventListener("pointerout", (event) => {
  if (numberAt(event.target) && !host.querySelector(".landmark:focus")) hideTip();
});
host.addEventListener("click", (event) => {
  const number = numberAt(event.target);
  if (number && !dragged) showTip(number, event.clientX, event.clientY);
});
host.addEventListener("focusin", (event) => {
  const number = numberAt(event.target);
  if (!number) return;
  const at = event.target.transform.baseVal.getItem(0).matrix;
  const height = view.width * ratio();
  if (at.e < view.x || at.e > view.x + view.width || at.f < view.y || at.f > view.y + height) {
    view.x = at.e - view.width / 2;
    view.y = at.f - height / 2;
    draw();
  }
  showFocused();
});
host.addEventListener("focusout", hideTip);
// Going to a mark can scroll the page to it: what is said of it goes along.
addEventListener("scroll", () => showFocused() || hideTip(), { passive: true });
new ResizeObserver(draw).observe(svg);
showAll();
// A phone shows the whole Earth too small to tell anything: begin with the region and what is around it.
if (svg.clientWidth < NARROW_PIXELS) showRegion(1.8);
