"""Cards of digits with ten bars each over a confusion matrix, which follow the strip of `watch.py`.

The numbers of all moments are with the page; which one it shows is said by the strip, and what is
missing is asked for while somebody looks.
"""

import gradio as gr

_HTML = """
<div class="own"><p class="hint"></p></div>
<div class="cards"></div>
<table><caption><b class="title"></b> <span class="note"></span></caption></table>
"""
_CSS = """
.own { display: flex; align-items: center; gap: 0.3rem 1rem; flex-wrap: wrap; min-height: 92px; }
.own .card { flex: 1 1 300px; max-width: 420px; }
.own p { flex: 1 1 9rem; margin: 0; color: var(--body-text-color-subdued); font-size: 0.9rem; }
.cards { display: grid; gap: 0.7rem 14px; margin-top: 0.9rem;
  grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); }
.card { display: grid; grid-template-columns: 34px 1fr; gap: 2px 6px; align-items: end; }
.own .card { grid-template-columns: 72px 1fr; }
.ink { aspect-ratio: 1; background: var(--body-text-color); image-rendering: pixelated;
  mask-repeat: no-repeat; }
.answer { font-size: 1.05rem; font-weight: 700; line-height: 1; text-align: center;
  grid-column: 1; }
.own .answer { font-size: 1.6rem; }
.bars { grid-column: 2; grid-row: 1 / span 2; display: grid; height: 58px; gap: 1px;
  grid-template-columns: repeat(var(--classes), minmax(0, 1fr));
  font-size: 0.625rem; line-height: 1.1; text-align: center;
  color: var(--body-text-color-subdued); }
.named .bars { grid-row: 1; gap: 0; }
.named .bars span::before { height: calc(100% * var(--share)); }
.named .answer { display: block; min-height: 0; margin: 0; grid-column: 1 / -1; text-align: start;
  font-size: 0.85rem; line-height: 1.3;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.own .named .answer { font-size: 1.1rem; }
.own .bars { height: 92px; gap: 4px; font-size: 0.75rem; }
.bars span { display: flex; flex-direction: column; justify-content: flex-end; }
.bars span::before { content: ''; height: calc((100% - 1.2em) * var(--share));
  min-height: 1px; background: var(--foundry-sky); border-radius: 2px 2px 0 0; }
.bars .true { color: var(--body-text-color); font-weight: 700; }
.right .bars .best::before { background: var(--foundry-blue); }
.wrong .bars .best::before { background: var(--foundry-vermilion); }
.right .answer { color: var(--foundry-right); }
.wrong .answer { color: var(--foundry-wrong); }
table { border-collapse: separate; border-spacing: 2px; table-layout: fixed; width: 100%;
  max-width: 420px; margin: 1rem 0 0; border: 0; font-size: clamp(0.5rem, 2.3vw, 0.75rem);
  font-variant-numeric: tabular-nums; }
table[hidden] { display: none; }
tr, td, th { border: 0 !important; padding: 0 !important; background: none; }
td, th { height: 22px; text-align: center; border-radius: 4px; }
td { background: color-mix(in srgb, var(--colour) var(--share), transparent) !important; }
td.strong { color: white; }
th { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.named tr > :first-child { width: 6rem; text-align: start; padding-right: 4px !important; }
tr > :first-child { width: 1.4rem; font-weight: 600; }
caption { caption-side: top; text-align: left; font-size: 0.875rem; padding-bottom: 0.4rem;
  color: var(--body-text-color-subdued); }
caption b { color: var(--body-text-color); font-weight: 650; margin-right: 0.5rem; }
@media (prefers-reduced-motion: no-preference) {
  .bars span::before { transition: height 0.1s linear; }
}
"""
_JS = """
const find = (name) => element.querySelector('.' + name);
const own = find('own'), cards = find('cards'), table = element.querySelector('table');
let data = null, drawing = window.foundryDrawing ?? '', isSeen = false, asked = null, timer = null;
let askedAt = -Infinity;

function frameInSight() {
  const at = window.foundryMoment;
  return data && at && data.run === at.run
    ? data.frames.find((frame) => frame.step === at.step) : undefined;
}
function isUnderWay() {
  return asked && !data?.isWhole && performance.now() - askedAt < 30_000;
}
// Numbers are asked for once, when they are missing and somebody looks.
function ask() {
  timer = null;
  const at = window.foundryMoment;
  if (!isSeen || !at) return;
  const isSame = asked && asked.run === at.run && asked.drawing === drawing;
  // One at a time; what is drawn meanwhile is asked for when the answer is whole. One that failed
  // is not waited for.
  if (isUnderWay() && !isSame) return;
  if (isSame && (frameInSight()?.matrix || !data?.isWhole || asked.step === at.step)) return;
  asked = {run: at.run, step: at.step, drawing};
  askedAt = performance.now();
  if (data) data.isWhole = false;
  trigger('select', asked);
}
function askSoon() { timer ??= setTimeout(ask, 150); }

function makeCard(label, mask, size, place) {
  const card = document.createElement('div'), ink = document.createElement('i');
  const answer = document.createElement('b'), bars = document.createElement('div');
  ink.className = 'ink';
  ink.style.mask = `url(${mask}) ${place}% 0 / ${size}% 100% no-repeat`;
  answer.className = 'answer';
  bars.className = 'bars';
  bars.style.setProperty('--classes', data.names.length);
  bars.append(...data.names.map((name) => {
    const bar = document.createElement('span');
    // Other names have no room below a bar: the likeliest stands beside the picture.
    if (data.isOfDigits) bar.textContent = name;
    return bar;
  }));
  answer.translate = false;
  card.className = 'card';
  card.append(ink, answer, bars);
  card.dataset.label = label ?? '';
  card.setAttribute('role', 'img');
  return card;
}
function paintCard(card, percents) {
  const best = percents.indexOf(Math.max(...percents)), label = card.dataset.label;
  const isRight = label === '' || Number(label) === best;
  card.className = `card ${isRight ? 'right' : 'wrong'}${data.isOfDigits ? '' : ' named'}`;
  const answer = card.querySelector('.answer');
  answer.textContent = answer.title = data.names[best];
  card.setAttribute('aria-label', `${data.names[best]}: ${Math.round(percents[best])}%`);
  card.querySelectorAll('.bars span').forEach((bar, digit) => {
    bar.className = (digit === best ? 'best ' : '') + (String(digit) === label ? 'true' : '');
    bar.style.setProperty('--share', percents[digit] / 100);
    bar.title = `${data.names[digit]}: ${percents[digit]}%`;
  });
}
function paintMatrix(counts) {
  const names = data.names, size = names.length;
  table.hidden = !counts.length;
  if (table.hidden) return;
  if (table.dataset.names !== String(names)) {
    table.dataset.names = names;
    table.classList.toggle('named', !data.isOfDigits);
    for (const line of [...table.rows]) line.remove();
    for (let row = -1; row < size; row++) {
      const line = table.insertRow();
      for (let column = -1; column < size; column++) {
        const isHead = row < 0 || column < 0;
        const cell = document.createElement(isHead ? 'th' : 'td');
        if (isHead) cell.textContent = cell.title = names[row < 0 ? column : row] ?? '';
        cell.translate = false;
        if (isHead) cell.scope = row < 0 ? 'col' : 'row';
        line.append(cell);
      }
    }
  }
  const totals = names.map((_, row) =>
    counts.slice(size * row, size * row + size).reduce((sum, count) => sum + count, 0));
  table.querySelectorAll('td').forEach((cell, i) => {
    const [row, column] = [Math.floor(i / size), i % size], share = counts[i] / totals[row];
    cell.textContent = counts[i] || '';
    cell.className = share > 0.5 ? 'strong' : '';
    cell.style.setProperty('--colour',
      `var(--foundry-${row === column ? 'blue' : 'vermilion'})`);
    cell.style.setProperty('--share', `${counts[i] ? 12 + 88 * share : 0}%`);
  });
}
function paint() {
  const frame = frameInSight();
  if (!frame) return;
  const shown = [...own.querySelectorAll('.card'), ...cards.children];
  frame.percents.forEach((percents, i) => paintCard(shown[i], percents));
  // While it is on its way, the one of the moment before stays.
  if (frame.matrix) paintMatrix(frame.matrix);
}
function take() {
  if (!props.value) return;
  const read = JSON.parse(props.value);
  if (data?.run !== read.run) table.hidden = true;
  const isNew = !data || data.ink !== read.ink || data.run !== read.run;
  data = read;
  find('title').textContent = data.matrixTitle;
  find('note').textContent = data.matrixNote;
  if (isNew) {
    const last = data.labels.length - 1;
    own.querySelector('.card')?.remove();
    if (data.ink) own.prepend(makeCard(null, data.ink, 100, 0));
    cards.replaceChildren(...data.labels.map((label, i) =>
      makeCard(label, data.sprite, 100 * (last + 1), 100 * i / last)));
  }
  own.querySelector('p').textContent = data.ink ? data.said : data.hint;
  paint();
  // For what is drawn from the same numbers.
  window.foundryReplay = data;
  document.dispatchEvent(new CustomEvent('foundry-replayed'));
  if (data.isWhole) askSoon();
}
document.addEventListener('foundry-moment', () => { paint(); askSoon(); });
document.addEventListener('foundry-drawn', (event) => { drawing = event.detail; askSoon(); });
new IntersectionObserver((entries) => {
  isSeen = entries.at(-1).isIntersecting;
  askSoon();
}).observe(element);
table.hidden = true;
watch('value', take);
take();
"""


def build_cards(elem_id: str) -> gr.HTML:
    """Build them, empty; they have a select event when numbers are missing.

    It carries the id of the run on show, the step in sight and the drawing, as the pad has it. The
    answer is JSON: `run`; `ink`, a mask of the drawing, empty for none; `labels` of the other
    digits and `sprite`, a mask with all of them; the `names` of the classes, and whether these are
    the digits; `frames` with a `step`, the `percents` of all classes a digit, the drawing first,
    and the cells of a `matrix`, or null, or none where there are too many classes; what is `said`
    of the drawing; whether it `isWhole`; the words `hint`, `matrixTitle` and `matrixNote`.

    Args:
        elem_id: Their id on the page.
    """
    return gr.HTML(
        "",
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        padding=False,
        elem_classes="flush",
        elem_id=elem_id,
    )
