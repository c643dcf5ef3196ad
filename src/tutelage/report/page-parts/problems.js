"use strict";
// The list of problems. Texts of models reach the page through textContent only.

const byId = (id) => document.getElementById(id);
const make = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

// data -----------------------------------------------------------------------------------------------------------

async function unpack(id) {
  const bytes = Uint8Array.from(atob(JSON.parse(byId(id).textContent)), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const packs = new Map();
const CHUNK = 100;
const PAGE = 50;

async function lifeOf(place) {
  const pack = Math.floor(place / CHUNK);
  if (!packs.has(pack)) packs.set(pack, await unpack(`pack-${pack}`));
  return packs.get(pack)[place % CHUNK];
}

// the list -------------------------------------------------------------------------------------------------------

let rows = [], parents = {}, tested = {}, chosen = [], page = 0;
const FIELDS = ["id", "split", "question", "answer", "skills", "right", "taught", "teachers", "verdicts", "weaknesses"];

function moved(row, cycle) {
  const before = row.right[parents[cycle]], after = row.right[cycle];
  return before === undefined || after === undefined ? 0 : after - before;
}

function fits(row) {
  const [text, split, weakness, teacher, verdict, changed] =
    ["search", "split", "weakness", "teacher", "verdict", "changed"].map((id) => byId(id).value);
  const [way, cycle] = changed.split(" ");
  return (!text || row.searched.includes(text.toLowerCase()))
    && (!split || row.split === split)
    && (!weakness || row.weaknesses.includes(weakness))
    && (!teacher || row.teachers.includes(teacher))
    && (!verdict || row.verdicts.some((one) => one === verdict || (verdict === "rejected" && one !== "verified")))
    && (!changed || (way === "fell" ? moved(row, cycle) < 0 : moved(row, cycle) > 0));
}

const SIGNS = { right: "✓", wrong: "✗", partly: "~", unasked: "·" };
const cyclesShown = () => [0, ...Object.keys(parents).map(Number)];

function outcome(share) {
  if (share === undefined) return "unasked";
  return share === 1 ? "right" : share === 0 ? "wrong" : "partly";
}

function marks(row) {
  const some = cyclesShown().map((cycle) => [cycle, outcome(row.right[cycle])]);
  const spoken = some.map(([cycle, one]) => `cycle ${cycle} ${one === "unasked" ? "not asked" : one}`).join(", ");
  return make("span", { class: "marks", role: "img", "aria-label": spoken },
    ...some.map(([cycle, one]) => make("span", { class: one, "data-cycle": cycle }, SIGNS[one])));
}

function listed(row) {
  const open = make("button", { type: "button", class: "link", "data-problem": row.id }, row.id.slice(0, 12));
  return make("tr", {}, make("td", {}, open), make("td", {}, row.split), make("td", {}, marks(row)),
    make("td", {}, row.taught.join(", ") || "-"),
    make("td", {}, row.question.length > 300 ? `${row.question.slice(0, 300)}…` : row.question));
}

function show() {
  const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
  page = Math.min(Math.max(page, 0), pages - 1);
  byId("list").tBodies[0].replaceChildren(...chosen.slice(page * PAGE, (page + 1) * PAGE).map(listed));
  byId("count").textContent = `${chosen.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} problems`;
  byId("page").textContent = `page ${page + 1} of ${pages}`;
  byId("back").disabled = page === 0;
  byId("next").disabled = page === pages - 1;
}

function choose(at = 0) {
  chosen = rows.filter(fits);
  page = at;
  show();
}

function turn(pages) {
  page += pages;
  show();
  writeAddress();
}

function offer(id, values) {
  for (const value of values) byId(id).append(make("option", { value }, value.length > 80 ? `${value.slice(0, 80)}…` : value));
}

// the page -------------------------------------------------------------------------------------------------------

function filterRows(typing) {
  choose();
  notice();
  writeAddress(typing);
}

function listen() {
  let waiting;
  byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filterRows, 120, true); });
  // The search field changes when it is left: a new list then would take the focus from the row that was gone to.
  byId("filters").addEventListener("change", (event) => { if (event.target.id !== "search") filterRows(false); });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("back").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  document.addEventListener("click", (event) => { if (event.target.dataset?.problem) goTo(event.target.dataset.problem); });
  document.querySelector("nav").addEventListener("click", goToSection);
  byId("life").addEventListener("keydown", (event) => { if (event.key === "Escape") closeLife(); });
  for (const kind of ["hashchange", "popstate"]) addEventListener(kind, () => { clearTimeout(waiting); readAddress(); });
}

async function begin() {
  const found = await unpack("index");
  ({ parents, tested } = found);
  rows = found.rows.map((row) => Object.fromEntries(row.map((value, place) => [FIELDS[place], value])));
  for (const row of rows) row.searched = `${row.id}\n${row.question}\n${row.answer}`.toLowerCase();
  const all = (field) => [...new Set(rows.flatMap((row) => row[field]))].sort();
  for (const [id, field] of [["split", "split"], ["weakness", "weaknesses"], ["teacher", "teachers"], ["verdict", "verdicts"]]) offer(id, all(field));
  if (rows.some((row) => row.verdicts.some((one) => one !== "verified")) && !all("verdicts").includes("rejected")) offer("verdict", ["rejected"]);
  const examined = Object.keys(parents).filter((cycle) => rows.some((row) => cycle in row.right));  // others made no student
  offer("changed", examined.flatMap((cycle) => [`fell ${cycle}`, `rose ${cycle}`]));
  byId("after").append(...cyclesShown().map((cycle) => make("span", {}, String(cycle))));
  choose();
  listen();
  readAddress();
  document.body.dataset.ready = "true";
}

begin();
