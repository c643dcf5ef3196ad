"use strict";
// What is looked at stands in the address: it outlives a reload, can be sent, and the browser's way back leads through it.

const FILTERS = { text: "search", split: "split", weakness: "weakness", teacher: "teacher", verdict: "verdict", changed: "changed" };

let asked = null;  // the problem, or the beginning of its id

function addressNow() {
  const told = new URLSearchParams();
  if (asked) told.set("problem", asked);
  for (const [name, id] of Object.entries(FILTERS)) if (byId(id).value) told.set(name, byId(id).value);
  if (page) told.set("page", page + 1);
  return String(told) && `#${told}`;
}

// A step of its own on the way back, but not for each letter of a search.
function writeAddress(typing = false) {
  if (addressNow() === location.hash) return;
  const place = addressNow() || location.pathname + location.search;
  if (typing && history.state?.typing) history.replaceState({ typing }, "", place);
  else history.pushState({ typing }, "", place);
}

function readAddress() {
  const hash = location.hash.slice(1);
  if (hash && byId(hash)) return;  // a section of the page: what is looked at stays
  const wanted = new URLSearchParams(hash), unknown = [];
  for (const [name, id] of Object.entries(FILTERS)) {
    const field = byId(id), value = wanted.get(name) ?? "";
    if (field.value !== value) field.value = value;
    if (field.value !== value && field.tagName === "SELECT") unknown.push(`${name} ${value}`);
    if (field.selectedIndex === -1) field.value = "";
  }
  notice(unknown);
  choose(Number.parseInt(wanted.get("page") ?? "1", 10) - 1 || 0);
  const problem = wanted.get("problem") || null;
  if (problem !== asked) showLife(problem);
}

function notice(unknown = []) {
  byId("notice").textContent = unknown.length ? `This run has no ${unknown.join(" and no ")}, which the address asks for.` : "";
}

function goTo(id) {
  showLife(id);
  writeAddress();
}

// A link to a section would take the place of what is looked at; opened in another tab it does not.
function goToSection(event) {
  const section = event.target.hash && byId(event.target.hash.slice(1));
  if (!section || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  section.scrollIntoView();
  section.tabIndex = -1;  // the next tab key goes on from here, as it would after a link
  section.focus({ preventScroll: true });
}

function closeLife() {
  const row = [...document.querySelectorAll("#list .link")].find((one) => one.dataset.problem.startsWith(asked));
  showLife(null);
  writeAddress();
  (row ?? byId("search")).focus();
}
