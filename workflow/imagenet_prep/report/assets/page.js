// Shows the view that the address names: #overview, say, or #n02119789, or a heading in a view. And what all views
// have: tables that become lists on narrow screens, buttons that copy, and one that leads back to the top.
"use strict";

const title = document.title;

function show(view, heading) {
  for (const section of document.querySelectorAll(".view")) section.classList.toggle("current", section === view);
  const name = view.id === "class" ? "classes" : view.id;
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view.id === "overview" ? title : `${heading} – ${title}`;
}

async function route(moved) {
  const name = location.hash.slice(1) || "overview";
  if (name === "main") return;
  const place = document.getElementById(name);
  let view = place?.closest(".view") ?? document.getElementById("overview");
  if (/^n\d{8}$/.test(name) && (await showClass(name))) view = document.getElementById("class");
  const heading = view.querySelector("h1");
  const isAnother = !view.matches(".current") || !moved;
  show(view, heading.textContent);
  if (view.id === "classes") await growTree();
  if (view.id === "pictures" && isAnother) drawCharts();
  if (place && place !== view && view.contains(place)) {
    place.scrollIntoView();
    if (moved) place.focus({ preventScroll: true });
    return;
  }
  scrollTo({ top: 0, behavior: "instant" }); // the browser has gone to the section, which lies below the header
  if (moved) heading.focus({ preventScroll: true });
}

// ---- tables

// Where a table becomes a list, each cell shows the name of its column. Roles are set, since browsers take the rows of
// a table that is displayed as blocks for rows no more.
function label(table) {
  const head = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  table.setAttribute("role", "table");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, column) => {
      const isHead = cell.parentNode.parentNode === table.tHead;
      cell.setAttribute("role", isHead ? "columnheader" : cell.matches("th") ? "rowheader" : "cell");
      if (cell.matches("td")) cell.dataset.label = head[column];
    });
  }
  fit(table);
}

// What a table needs at least, in pixels; below that, it stands as a list.
const [NEEDED, NEEDED_BY_MANY_COLUMNS] = [750, 1080];

function fit(table) {
  const needed = table.matches(".wide") ? NEEDED_BY_MANY_COLUMNS : NEEDED;
  table.classList.toggle("stacked", document.documentElement.clientWidth < needed);
}

addEventListener("resize", () => document.querySelectorAll("table.stack").forEach(fit));

// ---- copying

function copyButton(text, what) {
  const button = element("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch { // not everywhere may a page that was opened from a disk
      const area = element("textarea", { readonly: "" });
      area.value = text();
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus({ preventScroll: true });
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 2000);
  });
  return button;
}

function addCopyButtons() {
  for (const code of document.querySelectorAll("pre")) {
    const block = element("div", { class: "code" });
    code.replaceWith(block);
    block.append(code, copyButton(() => code.textContent.trimEnd(), "this code"));
  }
  for (const code of document.querySelectorAll("code.copied")) {
    code.after(" ", copyButton(() => code.textContent, code.closest("tr").querySelector("th").textContent));
  }
}

// ---- the way back

const up = element("button", { type: "button", class: "up", hidden: "" }, "↑ Top");
up.addEventListener("click", () => {
  scrollTo({ top: 0 });
  document.querySelector(".view.current h1").focus({ preventScroll: true });
});
document.body.append(up);
addEventListener("scroll", () => (up.hidden = scrollY < 2 * innerHeight), { passive: true });

addEventListener("hashchange", () => route(true));
tellRun();
addCopyButtons();
document.querySelectorAll("table.stack").forEach(label);
route(false);
