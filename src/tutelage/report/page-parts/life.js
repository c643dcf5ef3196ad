"use strict";
// One problem's life. Texts of models reach the page through textContent only.

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
  if (event.scores) notes.push(Object.entries(event.scores).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", "));
  return notes.map((note) => make("p", { class: "who" }, note));
}

function suspect(lesson) {
  return make("div", {}, make("p", {}, "may be a lesson of ", make("b", {}, lesson.agent), ` (likeness ${lesson.likeness.toFixed(2)}${lesson.skills.length ? `, shares ${lesson.skills.join(", ")}` : ""}), problem `, link(lesson.problem_id)), boxed(lesson.text));
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function diagnosed(event) {
  if (event.skill !== undefined) return ["a problem of the kind ", make("b", {}, event.skill)];
  const verdict = tested[String(event.confirmed)];
  return [make("b", {}, event.weakness), `, ${percent(event.pass_rate)} right of ${event.support}, `, make("b", {}, verdict)];
}

function told(event) {
  const head = make("p", {}, make("span", { class: "kind" }, event.kind), " ", make("span", { class: "who" }, event.agent));
  if (event.kind === "attempt") head.append(" ", make("b", { class: event.correct ? "right" : "wrong" }, event.correct ? "right" : "wrong"));
  if (event.kind === "check") head.append(" ", make("b", { class: event.verified ? "verified" : "rejected" }, event.text));
  if (event.kind === "diagnosis") head.append(" ", ...diagnosed(event));
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

const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

// As `tutelage trace --problem` takes it: an id, or the beginning of one.
function meant(id) {
  const exact = rows.findIndex((row) => row.id === id);
  return exact >= 0 ? [exact] : rows.flatMap((row, place) => (row.id.startsWith(id) ? [place] : []));
}

function notOne(id, places) {
  if (!places.length) return [make("p", {}, `This run has no problem ${id}.`)];
  const few = places.slice(0, 20).map((place) => make("li", {}, make("button", { type: "button", class: "link", "data-problem": rows[place].id }, rows[place].id)));
  return [make("p", {}, `${places.length} problems begin with ${id}; give more of the id.`), make("ul", {}, ...few)];
}

async function showLife(id) {
  const life = byId("life"), places = id ? meant(id) : [];
  asked = id;
  life.hidden = !id;
  if (!id) return;
  if (places.length !== 1) {
    life.replaceChildren(...notOne(id, places));
    return;
  }
  const { problem, events } = await lifeOf(places[0]);
  if (asked !== id) return;  // another was asked for meanwhile
  const { split, skills } = rows[places[0]];
  life.replaceChildren(
    make("h3", {}, `Problem ${problem.id}`), boxed(problem.question),
    make("dl", { class: "facts" }, fact("answer", problem.answer), fact("split", split), fact(skills.length === 1 ? "skill" : "skills", skills.join(", ") || "none")),
    ...[...new Set(events.map((event) => event.cycle))].map((cycle) => inCycle(events, cycle)));
  life.hidden = false;
  life.focus();
}
