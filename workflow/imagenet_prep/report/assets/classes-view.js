// The classes: search, the tree of synsets, and each class's own view. Their data come when they are first needed.
"use strict";

const COLUMNS = { 1: "WNID", 2: "index", 3: "tf_label", 4: "devkit ID" };
const SPACED = new Intl.NumberFormat("en");

let loading;

function loadClasses() {
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", { src: "classes.js" });
    script.onload = () => resolve(dataset.classes);
    script.onerror = () => reject(new Error("classes.js is not beside this page"));
    document.head.append(script);
  });
  return loading;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const number = (value) => SPACED.format(value).replaceAll(",", "\u202f");
const counted = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;
const rows = [...document.querySelectorAll("#class-table tbody tr")];

// The gloss says what a class is, to those who do not know its name, and tells classes with the same name apart.
for (const link of rows.map((row) => row.querySelector("a"))) {
  link.after(element("span", { class: "gloss" }, link.title));
  link.removeAttribute("title");
}

const names = rows.map((row) => row.querySelector("a").textContent.toLowerCase());

// As imagenet_prep.labels searches. A number is looked for in every numbering. A text is looked for as whole words of
// the names; only where no class has it so, inside of words, since somebody may still be typing. Returns for each row
// in which of its cells it was found, and how many more classes have the text inside of a word.
function look(text) {
  const isNumber = /^\d+$/.test(text);
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}(?![\\p{L}\\p{N}])`, "u");
  const asWords = names.map((name) => !isNumber && whole.test(name));
  const inside = names.map((name) => !isNumber && name.includes(text));
  const byName = asWords.includes(true) ? asWords : inside;
  const hits = rows.map((row, place) => [...row.cells].slice(0, 5).map((cell, column) => {
    if (!column) return byName[place];
    if (column === 1) return !isNumber && cell.textContent.startsWith(text);
    return isNumber && Number(cell.textContent) === Number(text);
  }));
  return { hits, more: inside.filter((is, place) => is && !byName[place]).length };
}

function search(query) {
  const text = query.trim().toLowerCase().replace(/[\s_]+/g, " ");
  const { hits, more } = text ? look(text) : { hits: rows.map(() => []), more: 0 };
  const how = new Set();
  let found = 0;
  rows.forEach((row, place) => {
    [...row.cells].slice(0, 5).forEach((cell, column) => cell.classList.toggle("hit", Boolean(hits[place][column])));
    hits[place].forEach((hit, column) => hit && COLUMNS[column] && how.add(COLUMNS[column]));
    row.hidden = Boolean(text) && !hits[place].includes(true);
    found += !row.hidden;
  });
  let said = counted(found, "class", "classes");
  if (text && !found) said = "No class is called so or has this number";
  if (how.size) said += `, found by ${[...how].join(", ")}`;
  if (more) said += `; ${counted(more, "more has", "more have")} it inside of a word`;
  document.getElementById("found").value = said;
}

const query = document.getElementById("query");
query.addEventListener("input", () => search(query.value));
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const shown = rows.filter((row) => !row.hidden);
  if (shown.length) shown[0].querySelector("a").focus();
});
search(query.value);

// ---- the tree

// The gloss behind the name of a class, where another class has the same name.
let twins;

function called(synsets, synset) {
  const name = (it) => it.words.split(",")[0];
  const leaves = () => synsets.filter((it) => !it.children.length).map(name).sort();
  twins ??= new Set(leaves().filter((it, place, all) => it === all[place - 1]));
  return twins.has(name(synset)) ? [element("span", { class: "gloss" }, synset.gloss)] : [];
}

function branch(synsets, position) {
  const synset = synsets[position];
  const counts = `${synset.children.length ? `${number(synset.classes)} classes, ` : ""}${number(synset.images)} images`;
  const count = element("span", { class: "count" }, counts);
  if (!synset.children.length) {
    return element("li", { class: "leaf", title: synset.gloss }, element("a", { href: `#${synset.wnid}` }, synset.words), count, ...called(synsets, synset));
  }
  const details = element("details", { "data-position": position }, element("summary", { title: synset.gloss }, synset.words, count));
  details.addEventListener("toggle", () => details.open && unfold(synsets, details));
  return element("li", {}, details);
}

function unfold(synsets, details) {
  if (!details.querySelector("ul")) {
    const children = synsets[details.dataset.position].children;
    details.append(element("ul", {}, ...children.map((child) => branch(synsets, child))));
    const only = children.length === 1 && details.querySelector("details");
    if (only) only.open = true; // there is nothing to choose
  }
}

async function growTree() {
  const tree = document.getElementById("tree");
  if (tree.firstChild) return;
  const { synsets } = await loadClasses();
  if (tree.firstChild) return;
  tree.append(element("ul", {}, branch(synsets, 0)));
  const root = tree.querySelector("details");
  if (root) {
    unfold(synsets, root);
    root.open = true;
  }
}

async function showInTree(way) {
  await growTree();
  const { synsets } = await loadClasses();
  let place = document.getElementById("tree");
  for (const position of way.slice(0, -1)) {
    place = place.querySelector(`:scope details[data-position="${position}"]`);
    unfold(synsets, place);
    place.open = true;
  }
  const leaf = place.querySelector(`:scope > ul > .leaf > a[href="#${synsets[way.at(-1)].wnid}"]`);
  leaf?.scrollIntoView({ block: "center" });
  leaf?.focus({ preventScroll: true });
}

// ---- a class

function ways(synsets, wnid, position = 0, above = []) {
  const way = [...above, position];
  const own = synsets[position].wnid === wnid ? [way] : [];
  return own.concat(...synsets[position].children.map((child) => ways(synsets, wnid, child, way)));
}

function figure(sample, x, y, sheet) {
  const [filename, split, width, height, nbytes, size, marks, boxes] = sample;
  const count = boxes.length === 1 ? "1 box" : `${boxes.length} boxes`;
  const label = `${filename}: ${width} × ${height} pixels, ${count}`;
  const scale = 1.25; // a little larger than they are stored: objects and boxes are seen better
  let thumb = element("span", { class: "thumb none" }, "does not decode");
  if (size) {
    const image = element("img", { src: sheet.name, alt: "", loading: "lazy" });
    image.style.cssText = `left:${-x * sheet.side * scale}px;top:${-y * sheet.side * scale}px;width:${sheet.width * scale}px`;
    thumb = element("span", { class: "thumb", role: "img", "aria-label": label }, image);
    thumb.style.cssText = `width:${size[0] * scale}px;height:${size[1] * scale}px`;
    if (boxes.length) thumb.append(drawn(boxes));
  }
  const caption = element("figcaption", {}, filename, element("br"));
  caption.append(element("span", { class: "muted" }, `${split}, ${width} × ${height}, ${number(nbytes)} bytes`));
  for (const mark of marks) caption.append(element("br"), element("span", { class: "tag" }, `⚠ ${mark}`));
  return element("li", {}, element("figure", {}, thumb, caption));
}

function drawn(boxes) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 1000 1000");
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [x, y, right, bottom] of boxes) {
    const rectangle = document.createElementNS(space, "rect");
    for (const [key, value] of Object.entries({ x, y, width: right - x, height: bottom - y })) {
      rectangle.setAttribute(key, value);
    }
    svg.append(rectangle);
  }
  return svg;
}

// A row a model: how many images of the class it gets right, and which class it takes the others for most often.
function scoresOf(scores, classes) {
  const share = (value) => (value == null ? "–" : `${(100 * value).toFixed(0)} %`);
  const body = scores.map(([model, top1, top5, index, times]) => {
    const other = classes.find((it) => it.class_index === index);
    const taken = other ? [element("a", { href: `#${other.wnid}` }, other.words), ` (${number(times)})`] : ["–"];
    return element("tr", {}, element("th", { scope: "row" }, model), element("td", { class: "n" }, share(top1)),
      element("td", { class: "n" }, share(top5)), element("td", {}, ...taken));
  });
  const head = ["model", "top-1", "top-5", "most often taken for"].map((name, column) =>
    element("th", { scope: "col", class: column % 3 ? "n" : "" }, name));
  const table = element("table", { class: "stack" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  label(table);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores of this class" }, table);
}

async function showClass(wnid) {
  const { synsets, classes, sheet } = await loadClasses();
  const place = classes.findIndex((it) => it.wnid === wnid);
  if (place < 0) return false;
  const it = classes[place];
  document.getElementById("class-title").textContent = it.words;

  const copied = element("dd", {}, it.wnid, " ", copyButton(() => it.wnid, "the WNID"));
  const schemes = { WNID: it.wnid, "index (PyTorch, Keras, TFDS)": it.class_index, "tf_label (TensorFlow’s scripts)": it.tf_label,
    "ILSVRC2012_ID (devkit)": it.ilsvrc2012_id };
  const numbers = element("dl", { class: "numbers" });
  const counts = Object.entries(it.images).map(([split, count]) => [`${split} images`, number(count)]);
  for (const [name, value] of [...Object.entries(schemes), ...counts]) {
    numbers.append(element("div", {}, element("dt", {}, name), name === "WNID" ? copied : element("dd", {}, String(value))));
  }

  const list = element("ul", { class: "ways" });
  for (const way of ways(synsets, wnid)) {
    const names = way.map((position) => synsets[position].words.split(",")[0]).join(" › ");
    const link = element("a", { href: "#classes" }, "show in the tree");
    link.addEventListener("click", () => addEventListener("hashchange", () => setTimeout(() => showInTree(way)), { once: true }));
    list.append(element("li", {}, `${names} `, element("span", { class: "muted" }, "(", link, ")")));
  }

  const samples = element("ul", { class: "samples" });
  const line = place % sheet.classes;
  const name = sheet.names[Math.floor(place / sheet.classes)];
  it.samples.forEach((sample, x) => samples.append(figure(sample, x, line, { ...sheet, name })));

  const body = [element("p", { class: "lead" }, synsets.find((synset) => synset.wnid === wnid)?.gloss ?? ""), numbers,
    element("h2", {}, "Place in the tree"), list];
  if (it.samples.length) body.push(element("h2", {}, "Sample images"), samples);
  if (it.scores.length) body.push(element("h2", {}, "Scores of this class"), scoresOf(it.scores, classes));
  if (it.odd.length) {
    const odd = it.odd.map(([filename, why]) => element("li", {}, filename, " ", element("span", { class: "tag" }, `⚠ ${why}`)));
    body.push(element("h2", {}, "Odd images of this class"), element("ul", {}, ...odd), element("p", {}, element("a", { href: "#odd" }, "All odd images")));
  }
  document.getElementById("class-body").replaceChildren(...body);
  return true;
}
