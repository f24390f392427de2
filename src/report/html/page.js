'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) if (value !== null) node.setAttribute(name, value);
  node.append(...children.filter((c) => c !== null));
  return node;
};
const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const by = (id) => document.getElementById(id);
const count = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;

// Totals.
for (const [number, label] of [
  [data.totals.repositories, 'repositories'], [data.totals.changed, 'changed'], [data.totals.clean, 'clean'], [data.totals.failed, 'failed'],
  [data.totals.files, 'Dockerfiles'], [data.totals.changed_files, 'to change'], [data.groups, 'different diffs'], [data.totals.proposals, 'changes'],
]) by('cards').append(make('div', { class: 'card' }, make('b', {}, String(number)), label));
const bars = (place, numbers) => {
  const rows = Object.entries(numbers).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const most = Math.max(1, ...rows.map((r) => r[1]));
  for (const [name, number] of rows) {
    const bar = make('i', {});
    bar.style.width = `${(100 * number) / most}%`;
    by(place).append(make('div', { class: 'bar' }, make('span', {}, name), make('span', {}, bar), make('span', {}, String(number))));
  }
  if (!rows.length) by(place).append(make('p', { class: 'dim' }, 'none'));
};
bars('transforms', data.totals.transforms);
bars('languages', data.totals.languages);

// Side by side: a run of removed lines stands beside the run of added lines that follows it.
const table = (hunk) => {
  const body = make('tbody', {});
  let [left, right] = [hunk.old, hunk.now];
  let [gone, come] = [[], []];
  const row = (a, b) => body.append(make('tr', {},
    make('td', { class: 'no' }, a === null ? '' : String(left++)), make('td', { class: `code ${a === null ? '' : b === a ? '' : 'del'}` }, a === null ? '' : a),
    make('td', { class: 'no' }, b === null ? '' : String(right++)), make('td', { class: `code ${b === null ? '' : b === a ? '' : 'add'}` }, b === null ? '' : b)));
  const flush = () => {
    for (let i = 0; i < Math.max(gone.length, come.length); i++) row(i < gone.length ? gone[i] : null, i < come.length ? come[i] : null);
    [gone, come] = [[], []];
  };
  // Line ends are shown where they are not all the same.
  const windows = hunk.lines.every((line) => line.endsWith('\r') || line[0] === '\\');
  for (const line of hunk.lines) {
    const text = line.slice(1).replace(/\r$/, windows ? '' : '\u21b5');
    if (line[0] === '-') { if (come.length) flush(); gone.push(text); }
    else if (line[0] === '+') come.push(text);
    else if (line[0] === ' ') { flush(); row(text, text); }
  }
  flush();
  return make('table', { class: 'diff' }, body);
};
const hunks = (diff) => {
  const out = [];
  for (const line of diff.split('\n').slice(2)) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)/.exec(line);
    if (head) out.push({ old: +head[1] || 1, size: head[2] === undefined ? 1 : +head[2], now: +head[3] || 1, lines: [] });
    else if (out.length && line) out[out.length - 1].lines.push(line);
  }
  return out;
};
const reason = (p, times) => make('p', { class: p.level }, make('b', {}, times > 1 ? `${p.title} (${times} times)` : p.title), make('span', { class: `level ${p.level}` }, p.applied ? p.level : `${p.level}, not applied`),
  make('br', {}), p.reason, make('span', { class: 'dim by' }, `${p.transform}, line ${p.line}${p.declares.length ? `, changes ${p.declares.join(', ')}` : ''}`));
// What is said twice of one line is told once.
const reasons = (proposals) => {
  const told = new Map();
  for (const p of proposals) {
    const key = JSON.stringify([p.transform, p.line, p.title, p.reason, p.applied]);
    if (!told.has(key)) told.set(key, [p, 0]);
    told.get(key)[1]++;
  }
  return make('div', { class: 'why' }, ...[...told.values()].map(([p, times]) => reason(p, times)));
};

const from = (before, after) => (before === after ? String(after) : `${before} \u2192 ${after}`);
// Stages from left to right by the longest way that leads to them; `earlier` has the same stages with other numbers of steps.
const graph = (outline, title, earlier) => {
  const depth = [];
  outline.stages.forEach((s, i) => { depth[i] = s.needs.length ? 1 + Math.max(...s.needs.map((n) => depth[n])) : 0; });
  const filled = [];
  const place = outline.stages.map((s, i) => { const y = filled[depth[i]] || 0; filled[depth[i]] = y + 1; return { x: 8 + depth[i] * 210, y: 8 + y * 66 }; });
  const width = 172 + Math.max(0, ...place.map((p) => p.x)) + 12;
  const height = 50 + Math.max(0, ...place.map((p) => p.y)) + 10;
  const cut = (text, size) => (text.length > size ? `\u2026${text.slice(1 - size)}` : text);
  const name = `arrow${graph.made = (graph.made || 0) + 1}`;
  const picture = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title}: ${count(outline.stages.length, 'stage')}` },
    svg('defs', {}, svg('marker', { id: name, viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' }, svg('path', { d: 'M0 0L8 4L0 8z' }))));
  // Ways stand behind the boxes; those past a column go around below its first box.
  outline.stages.forEach((s, i) => {
    for (const n of s.needs) {
      const [x, y, to, at] = [place[n].x + 172, place[n].y + 24, place[i].x, place[i].y + 24];
      const low = depth[i] - depth[n] > 1 ? 52 : 0;
      picture.append(svg('path', { d: `M${x} ${y}C${x + 40} ${y + low} ${to - 40} ${at + low} ${to} ${at}`, 'marker-end': `url(#${name})` }));
    }
  });
  outline.stages.forEach((s, i) => {
    const last = i === outline.stages.length - 1 ? 'last' : '';
    picture.append(svg('rect', { x: place[i].x, y: place[i].y, width: 172, height: 48, rx: 6, class: last }),
      svg('text', { x: place[i].x + 10, y: place[i].y + 20 }, cut(/^\d+$/.test(s.name) ? `stage ${s.name}` : s.name, 21)),
      svg('text', { x: place[i].x + 10, y: place[i].y + 38, class: 'sub' }, cut(`${s.image === null ? '' : `${s.image}, `}${from(earlier ? earlier.stages[i].runs : s.runs, s.runs)} RUN`, 23)));
  });
  return make('figure', {}, picture, make('figcaption', {}, title));
};
// A single stage that stays one needs no drawing.
const shapes = (before, after) => {
  const drawn = (o) => JSON.stringify(o.stages.map((s) => [s.name, s.image, s.needs]));
  const figures = drawn(before) !== drawn(after) ? [graph(before, 'before'), graph(after, 'after')] : after.stages.length > 1 ? [graph(after, 'before and after', before)] : [];
  return make('div', {},
    figures.length ? make('div', { class: 'graphs' }, ...figures) : null,
    before.runs || after.runs ? make('p', { class: 'dim rebuild' }, `RUN steps: ${from(before.runs, after.runs)}; of these run again after a change of a source file: ${from(before.rebuilt, after.rebuilt)}`) : null);
};

const worth = (file) => file.refusals.filter((r) => !r.reason.startsWith('no gain'));
const kindsOf = (file) => file.proposals.map((p) => [p.transform, p.level]);
const fileView = (file) => {
  const box = make('section', {}, make('h3', {}, make('span', { class: 'path' }, file.path), make('span', { class: 'dim lang' }, file.language || '')));
  box.kinds = kindsOf(file);
  if (file.error) box.append(make('p', { class: 'failed' }, `${file.error.line ? `line ${file.error.line}: ` : ''}${file.error.message}`));
  if (file.before && file.after) box.append(shapes(file.before, file.after));
  const left = new Set(file.proposals);
  for (const hunk of hunks(file.diff)) {
    const here = file.proposals.filter((p) => left.has(p) && p.line >= hunk.old && p.line < hunk.old + Math.max(1, hunk.size));
    here.forEach((p) => left.delete(p));
    box.append(make('div', { class: 'hunk' }, table(hunk), reasons(here)));
  }
  if (left.size) box.append(reasons([...left]));
  const refused = worth(file);
  if (refused.length) box.append(make('p', { class: 'dim' }, 'Left alone:'), make('ul', { class: 'plain' }, ...refused.map((r) => make('li', {}, `line ${r.line}: ${r.transform}: ${r.reason}`))));
  return box;
};
const repositoryView = (row) => {
  const box = make('div', { class: 'inner' });
  if (row.reason) box.append(make('p', { class: row.status }, row.reason));
  const facts = [row.place, row.branch ? `branch ${row.branch}` : null, row.commit ? `commit ${row.commit.slice(0, 12)}` : null, row.patch].filter((f) => f);
  box.append(make('p', { class: 'dim path' }, facts.join(' \u00b7 ')));
  for (const file of row.files.filter((f) => f.diff || f.error || worth(f).length || f.proposals.length)) box.append(fileView(file));
  for (const problem of row.problems || []) box.append(make('p', { class: 'failed' }, problem));
  for (const side of row.side_files || []) {
    box.append(make('h3', {}, make('span', { class: 'path' }, side.path)));
    for (const hunk of hunks(side.diff)) box.append(table(hunk));
  }
  return box;
};

// A repository's contents are made when it is opened: a page of hundreds is there at once.
const entries = data.repositories.map((row) => {
  const proposals = row.files.flatMap((f) => f.proposals);
  const ids = [...new Set(proposals.filter((p) => p.applied).map((p) => p.transform))];
  const errors = row.files.filter((f) => f.error).length;
  const what = (row.reason || ids.join(', ') || count(row.files.length, 'Dockerfile')) + (errors && !row.reason ? `; ${count(errors, 'file')} with an error` : '');
  const node = make('details', {}, make('summary', {}, make('span', { class: `status ${row.status}` }, row.status), make('b', {}, row.name), make('span', { class: 'what' }, what)));
  node.addEventListener('toggle', () => { if (node.open && node.children.length === 1) { node.append(repositoryView(row)); filterFiles(node); } });
  by('repositories').append(node);
  return { row, node, kinds: row.files.flatMap(kindsOf) };
});
const choices = (id, values) => [...new Set(values)].sort().forEach((v) => by(id).append(make('option', { value: v }, v)));
choices('status', data.repositories.map((r) => r.status));
choices('transform', entries.flatMap((e) => e.kinds.map((k) => k[0])));
choices('level', entries.flatMap((e) => e.kinds.map((k) => k[1])));
// Whether something of the chosen transform and level is among them.
const chosen = (kinds) => {
  const [transform, level] = [by('transform').value, by('level').value];
  return (!transform && !level) || kinds.some((k) => (!transform || k[0] === transform) && (!level || k[1] === level));
};
const filterFiles = (node) => node.querySelectorAll('section').forEach((box) => { box.hidden = !chosen(box.kinds); });
const filter = () => {
  const [name, status] = [by('name').value, by('status').value];
  let shown = 0;
  for (const { row, node, kinds } of entries) {
    const fits = row.name.toLowerCase().includes(name.toLowerCase()) && (!status || row.status === status) && chosen(kinds);
    node.hidden = !fits;
    if (node.open) filterFiles(node);
    shown += fits;
  }
  by('shown').textContent = `${shown} of ${entries.length}`;
};
by('filters').addEventListener('input', filter);
by('filters').addEventListener('submit', (e) => e.preventDefault());
filter();

// Refusals that differ only in numbers and names are one reason.
const refusals = new Map();
for (const { row } of entries) for (const file of row.files) for (const r of file.refusals) {
  const key = `${r.transform}: ${r.reason.replace(/`[^`]*`|"[^"]*"/g, '\u2026').replace(/\d+/g, 'N')}`;
  if (!refusals.has(key)) refusals.set(key, []);
  refusals.get(key).push(`${row.name} ${file.path}:${r.line}: ${r.reason}`);
}
for (const [reasonText, places] of [...refusals].sort((a, b) => b[1].length - a[1].length)) {
  const node = make('details', {}, make('summary', {}, make('span', { class: 'status' }, String(places.length)), reasonText));
  node.addEventListener('toggle', () => { if (node.open && node.children.length === 1) node.append(make('ul', { class: 'plain inner' }, ...places.slice(0, 200).map((p) => make('li', { class: 'path' }, p)))); });
  by('refusals').append(node);
}
