"use strict";
const list = document.getElementById("prompts");
const rows = Array.from(list.children);
const find = document.getElementById("find");
const sort = document.getElementById("sort");
const shown = document.getElementById("shown");
const score = (row) => ("score" in row.dataset ? Number(row.dataset.score) : null);

function order(a, b) {
  const place = Number(a.dataset.place) - Number(b.dataset.place);
  if (!sort.value) return place;
  if (score(a) === null || score(b) === null) return (score(a) === null) - (score(b) === null) || place;
  return (sort.value === "down" ? score(b) - score(a) : score(a) - score(b)) || place;
}

function update() {
  const wanted = find.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    if (!row.hidden) count += 1;
  }
  list.append(...rows.toSorted(order));
  shown.textContent = String(count);
}

document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
for (const control of [find, sort]) control.addEventListener("input", update);
