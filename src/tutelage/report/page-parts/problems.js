"use strict";
// Texts of models reach the page through textContent only.

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

let rows = [], parents = {}, chosen = [], page = 0;
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

function sign(share) {
  if (share === undefined) return "·";
  return share === 1 ? "✓" : share === 0 ? "✗" : "~";
}

function listed(row) {
  const open = make("button", { type: "button", class: "link", "data-problem": row.id }, row.id.slice(0, 12));
  const cycles = Object.keys(parents).map(Number);
  const marks = [0, ...cycles].map((cycle) => sign(row.right[cycle])).join(" ");
  const told = [0, ...cycles].map((cycle) => `cycle ${cycle} ${{ "✓": "right", "✗": "wrong", "~": "partly", "·": "not asked" }[sign(row.right[cycle])]}`);
  return make("tr", {}, make("td", {}, open), make("td", {}, row.split),
    make("td", { class: "marks" }, make("span", { role: "img", "aria-label": told.join(", ") }, marks)),
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

function choose() {
  chosen = rows.filter(fits);
  page = 0;
  show();
}

function offer(id, values) {
  for (const value of values) byId(id).append(make("option", { value }, value.length > 80 ? `${value.slice(0, 80)}…` : value));
}

// one problem ----------------------------------------------------------------------------------------------------

const boxed = (text) => make("pre", { tabindex: "0" }, text);

function marked(changes, after) {
  const box = make("pre", { tabindex: "0" });
  for (const [kind, less, more] of changes) {
    if (kind === "same") box.append(more);
    else if (after && more) box.append(make("ins", {}, more));
    else if (!after && less) box.append(make("del", {}, less));
  }
  return box;
}

function refinement(event) {
  if (!event.changes) return boxed(event.text);
  return make("div", { class: "sides" },
    make("div", {}, make("h4", {}, "before"), marked(event.changes, false)),
    make("div", {}, make("h4", {}, "after"), marked(event.changes, true)));
}

function link(id) {
  return make("button", { type: "button", class: "link", "data-problem": id }, id.slice(0, 12));
}

function noted(event) {
  const notes = [];
  const wrong = event.wrong_step;
  if (wrong) notes.push(`first wrong step: ${wrong.found}, expected ${wrong.expected}${wrong.skill ? ` (${wrong.skill})` : ""}`);
  if (event.kind === "recall") notes.push(`of ${event.question}; ${event.taught ? `taught then: ${event.taught}` : "not taught since"}`);
  if (event.kind === "review" && event.after && event.after !== event.before) notes.push(`before: ${event.before}`);
  if (event.objection) notes.push(`taught all the same: ${event.objection}`);
  if (event.pass_rate !== undefined) notes.push(`${Math.round(100 * event.pass_rate)} % right of ${event.support}`);
  if (event.scores) notes.push(Object.entries(event.scores).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", "));
  return notes.map((note) => make("p", { class: "who" }, note));
}

function suspect(lesson) {
  return make("div", {}, make("p", {}, "may be a lesson of ", make("b", {}, lesson.agent), ` (likeness ${lesson.likeness.toFixed(2)}${lesson.skills.length ? `, shares ${lesson.skills.join(", ")}` : ""}), problem `, link(lesson.problem_id)), boxed(lesson.text));
}

function told(event) {
  const head = make("p", {}, make("span", { class: "kind" }, event.kind), " ", make("span", { class: "who" }, event.agent));
  if (event.kind === "attempt") head.append(" ", make("b", { class: event.correct ? "right" : "wrong" }, event.correct ? "right" : "wrong"));
  if (event.kind === "check") head.append(" ", make("b", { class: event.verified ? "verified" : "rejected" }, event.text));
  const body = event.kind === "check" || !event.text ? [] : [event.kind === "refinement" ? refinement(event) : boxed(event.text)];
  return make("div", { class: `event ${event.kind}` }, head, ...body, ...noted(event), ...(event.suspects || []).map(suspect));
}

const studentOf = (cycle) => (cycle ? `checkpoints/cycle-${String(cycle).padStart(3, "0")}` : "base");

function sides(events, cycle) {
  const by = (student) => events.filter((event) => event.kind === "attempt" && event.agent === student);
  const column = (name, some) =>
    make("div", {}, make("h4", {}, name), ...(some.length ? some.map(told) : [make("p", {}, "not asked")]));
  return make("div", { class: "sides" },
    column(`before this training: ${studentOf(parents[cycle])}`, by(studentOf(parents[cycle]))),
    column(`after this training: ${studentOf(cycle)}`, by(studentOf(cycle))));
}

function inCycle(events, cycle) {
  const some = events.filter((event) => event.cycle === cycle);
  const compared = cycle in parents;
  const beside = compared ? [studentOf(parents[cycle]), studentOf(cycle)] : [];
  const attempts = compared && some.some((event) => event.agent === studentOf(cycle)) ? [sides(events, cycle)] : [];
  const others = some.filter((event) => event.kind !== "attempt" || !attempts.length || !beside.includes(event.agent));
  return make("section", {}, make("h3", {}, `Cycle ${cycle}`), ...attempts, ...others.map(told));
}

// A problem has an address, so that the browser's way back leads from it to the list.
function goTo(id) {
  const address = `#problem=${encodeURIComponent(id)}`;
  if (location.hash === address) showLife(id); else location.hash = address;
}

let asked;

async function showLife(id) {
  const life = byId("life"), place = rows.findIndex((row) => row.id === id);
  asked = id;
  life.hidden = !id;
  if (place < 0) {
    if (id) life.replaceChildren(make("p", {}, `This run has no problem ${id}.`));
    return;
  }
  const { problem, events } = await lifeOf(place);
  if (asked !== id) return;  // another was asked for meanwhile
  life.replaceChildren(
    make("h3", {}, `Problem ${problem.id}`), boxed(problem.question),
    make("p", {}, "answer ", make("b", {}, problem.answer)),
    ...[...new Set(events.map((event) => event.cycle))].map((cycle) => inCycle(events, cycle)));
  life.hidden = false;
  life.focus();
}

// the page -------------------------------------------------------------------------------------------------------

function listen() {
  let waiting;
  byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 120); });
  // The search field changes when it is left: a new list then would take the focus from the row that was gone to.
  byId("filters").addEventListener("change", (event) => { if (event.target.id !== "search") choose(); });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("back").addEventListener("click", () => { page -= 1; show(); });
  byId("next").addEventListener("click", () => { page += 1; show(); });
  document.addEventListener("click", (event) => { if (event.target.dataset?.problem) goTo(event.target.dataset.problem); });
  byId("life").addEventListener("keydown", (event) => { if (event.key === "Escape") history.back(); });
}

async function begin() {
  const found = await unpack("index");
  parents = found.parents;
  rows = found.rows.map((row) => Object.fromEntries(row.map((value, place) => [FIELDS[place], value])));
  for (const row of rows) row.searched = `${row.id}\n${row.question}\n${row.answer}`.toLowerCase();
  const all = (field) => [...new Set(rows.flatMap((row) => row[field]))].sort();
  for (const [id, field] of [["split", "split"], ["weakness", "weaknesses"], ["teacher", "teachers"], ["verdict", "verdicts"]]) offer(id, all(field));
  if (rows.some((row) => row.verdicts.some((one) => one !== "verified")) && !all("verdicts").includes("rejected")) offer("verdict", ["rejected"]);
  const examined = Object.keys(parents).filter((cycle) => rows.some((row) => cycle in row.right));  // others made no student
  offer("changed", examined.flatMap((cycle) => [`fell ${cycle}`, `rose ${cycle}`]));
  choose();
  listen();
  const fromAddress = () => showLife(new URLSearchParams(location.hash.slice(1)).get("problem"));
  addEventListener("hashchange", fromAddress);
  fromAddress();
  document.body.dataset.ready = "true";
}

begin();
