// Layers to press, and the pressed neuron taken apart. `neuron_sums.js` does the arithmetic.
// Words come with the numbers: they are in the page's sources, where translations are looked for.

const find = (name) => element.querySelector('.' + name);
const EVERY_MS = 450, NUM_FED = 8;
const DARK = [15, 23, 42], BRIGHT = [240, 228, 66];
let network = null, data = null, values = [], given = [], chosen = null, fedMap = 0;
let drawing = 'as it is', asked = null, isSeen = false, timer = null;

const fill = (words, ...those) => those.reduce((said, one) => said.replace('{}', one), words);
const make = (name, className, text) =>
  Object.assign(document.createElement(name), {className, textContent: text ?? ''});
const show = (value, digits = 3) => value.toFixed(digits).replace('-', '\u2212');

// Weights come once, numbers for each drawing while somebody looks.
function ask() {
  timer = null;
  if (!isSeen || drawing === asked) return;
  asked = drawing;
  trigger('select', {known: network?.key ?? ''});
}
function askSoon() { timer ??= setTimeout(ask, EVERY_MS); }

function shade(value, largest) {
  const share = largest ? Math.max(0, value) / largest : 0;
  return DARK.map((dark, i) => Math.round(dark + share * (BRIGHT[i] - dark)));
}
const indexOf = ([, height, width], [channel, y, x]) => (channel * height + y) * width + x;
const placeOf = ([, height, width], index) =>
  [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];

// Maps side by side on a canvas, `size` pixels to a square.
function paintMaps(canvas, {values: own, shape: [, height, width]}, maps, columns, size, largest) {
  const across = Math.min(columns, maps.length), down = Math.ceil(maps.length / across);
  const gap = maps.length > 1 ? 1 : 0;
  canvas.width = size * (across * (width + gap) - gap);
  canvas.height = size * (down * (height + gap) - gap);
  const context = canvas.getContext('2d');
  maps.forEach((map, i) => {
    const left = (i % across) * (width + gap), top = Math.floor(i / across) * (height + gap);
    for (let p = 0; p < height * width; p++) {
      context.fillStyle = `rgb(${shade(own[map * height * width + p], largest)})`;
      context.fillRect(size * (left + p % width), size * (top + Math.floor(p / width)), size, size);
    }
  });
  canvas.outline = (map, rows, columnsOf, colour) => {
    const i = maps.indexOf(map);
    if (i < 0) return;
    const left = (i % across) * (width + gap), top = Math.floor(i / across) * (height + gap);
    const [y0, y1] = [Math.max(0, rows[0]), Math.min(height - 1, rows[1])];
    const [x0, x1] = [Math.max(0, columnsOf[0]), Math.min(width - 1, columnsOf[1])];
    context.strokeStyle = colour;
    context.lineWidth = Math.max(2, size / 4);
    context.strokeRect(size * (left + x0), size * (top + y0), size * (x1 - x0 + 1),
      size * (y1 - y0 + 1));
  };
  canvas.at = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / box.width * canvas.width / size);
    const y = Math.floor((event.clientY - box.top) / box.height * canvas.height / size);
    const i = Math.floor(y / (height + gap)) * across + Math.floor(x / (width + gap));
    const [row, column] = [y % (height + gap), x % (width + gap)];
    return i in maps && row < height && column < width ? [maps[i], row, column] : null;
  };
}
const largestOf = (own) => own.reduce((most, value) => Math.max(most, value), 0);

function pick(layer, place) {
  chosen = {layer, place};
  fedMap = null;
  paint();
}
// Arrow keys go from square to square, and past an edge to the next map.
function move(event, layer) {
  const {shape} = values[layer], [channels, height, width] = shape;
  const start = chosen.layer === layer ? chosen.place : [0, 0, 0];
  const steps = {ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, -1, 0],
    ArrowDown: [0, 1, 0], PageUp: [-1, 0, 0], PageDown: [1, 0, 0]};
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  if (height * width === 1) {
    const next = start[0] + step[0] + step[1] + step[2];
    pick(layer, [Math.min(channels - 1, Math.max(0, next)), 0, 0]);
    return;
  }
  let [channel, y, x] = start.map((one, i) => one + step[i]);
  if (x < 0) [channel, x] = [channel - 1, width - 1];
  if (x >= width) [channel, x] = [channel + 1, 0];
  if (channel < 0 || channel >= channels) return;
  pick(layer, [channel, Math.min(height - 1, Math.max(0, y)), x]);
}
function pressable(canvas, layer, label) {
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', label);
  canvas.setAttribute('aria-describedby', 'neuron-said');
  canvas.addEventListener('pointerdown', (event) => {
    const place = canvas.at(event);
    if (place) pick(layer, place);
  });
  canvas.addEventListener('keydown', (event) => move(event, layer));
}

const isLast = (layer) => layer === network.layers.length - 1;
function nameLayer(layer) {
  if (isLast(layer)) return data.outputs;
  if (isConvolution(network.layers[layer])) return data.convolutions[layer];
  return fill(data.hidden, layer - network.layers.filter(isConvolution).length + 1);
}
// The pictures stay while numbers change, so that who moves by keyboard keeps the place.
function buildLayers() {
  const layers = network.layers.map((layer, i) => {
    const figure = document.createElement('figure');
    figure.append(make('figcaption', '', nameLayer(i)));
    if (!isLast(i)) {
      const canvas = document.createElement('canvas');
      pressable(canvas, i, nameLayer(i));
      figure.append(canvas);
      return figure;
    }
    const row = make('div', 'outs');
    for (let digit = 0; digit < layer.shape[0]; digit++) {
      const button = make('button', '');
      button.type = 'button';
      button.append(make('b', '', digit), make('span', ''));
      button.addEventListener('click', () => pick(i, [digit, 0, 0]));
      row.append(button);
    }
    figure.append(row);
    return figure;
  });
  find('layers').replaceChildren(...layers);
}
function paintLayers() {
  const figures = find('layers').children;
  const reached = reach(network.layers, chosen.layer, chosen.place);
  network.layers.forEach((layer, i) => {
    const {values: own, shape} = values[i], [channels, height] = shape;
    const isChosen = chosen.layer === i;
    if (isLast(i)) {
      figures[i].querySelectorAll('button').forEach((button, digit) => {
        button.lastChild.textContent = show(own[digit], 1);
        button.className = digit === own.indexOf(Math.max(...own)) ? 'best' : '';
        button.setAttribute('aria-pressed', isChosen && chosen.place[0] === digit);
      });
      return;
    }
    const canvas = figures[i].querySelector('canvas');
    const [columns, size] = height > 20 ? [channels > 8 ? 6 : 3, 4] : height > 1 ? [8, 6] : [30, 12];
    const maps = Array.from({length: channels}, (_, map) => map);
    paintMaps(canvas, values[i], maps, columns, size, largestOf(own));
    const box = i + 1 < reached.length && chosen.layer > i ? reached[i + 1] : null;
    for (const map of maps) if (box) canvas.outline(map, box.rows, box.columns, data.sky);
    const [channel, y, x] = chosen.place;
    if (isChosen) canvas.outline(channel, [y, y], [x, x], data.vermilion);
  });
}
function paintWhere() {
  const {layer, place: [channel, y, x]} = chosen, [pixels] = given;
  const reached = reach(network.layers, layer, chosen.place)[0];
  const [drawn, map] = element.querySelectorAll('.where canvas');
  const paper = Math.min(...pixels.values);
  paintMaps(drawn, {values: pixels.values.map((value) => value - paper), shape: pixels.shape}, [0],
    1, 8, Math.max(...pixels.values) - paper);
  if (reached) drawn.outline(0, reached.rows, reached.columns, data.vermilion);
  const isMap = isConvolution(network.layers[layer]);
  map.parentElement.hidden = !isMap;
  if (!isMap) return;
  const size = Math.floor(224 / values[layer].shape[1]);
  paintMaps(map, values[layer], [channel], 1, size, largestOf(values[layer].values));
  map.outline(channel, [y, y], [x, x], data.vermilion);
  map.previousElementSibling.textContent = fill(data.map, channel + 1);
}

function describe(layer, [channel, y, x]) {
  if (isLast(layer)) return fill(data.digit, channel);
  if (!isConvolution(network.layers[layer])) return fill(data.neuron, channel + 1);
  return fill(data.square, channel + 1, y + 1, x + 1);
}
function paintNumbers(title, numbers, places, isSigned) {
  const figure = document.createElement('figure'), grid = make('div', 'numbers');
  const size = Math.sqrt(numbers.length);
  const largest = Math.max(...numbers.map(Math.abs)) || 1;
  grid.style.setProperty('--columns', size);
  grid.append(...numbers.map((value, i) => {
    const cell = make('span', places[i] === null ? 'outside' : '', show(value));
    const share = Math.abs(value) / largest;
    cell.style.setProperty('--colour', isSigned && value < 0 ? data.vermilion : data.blue);
    cell.style.setProperty('--share', `${Math.round(55 * share)}%`);
    return cell;
  }));
  figure.append(make('figcaption', '', title), grid);
  return figure;
}
function paintFed(groups, previous) {
  const list = find('fed'), isMaps = isConvolution(network.layers[chosen.layer]);
  const ordered = groups.toSorted((one, other) => Math.abs(other.sum) - Math.abs(one.sum));
  const largest = Math.abs(ordered[0].sum) || 1;
  const rows = ordered.slice(0, NUM_FED).map((group) => {
    const row = make('button', ''), bar = make('i', group.sum < 0 ? 'down' : 'up');
    row.type = 'button';
    const place = isMaps ? null : placeOf(previous.shape, given[chosen.layer].from[group.map]);
    const label = isMaps ? fill(data.map, group.map + 1) : describe(chosen.layer - 1, place);
    bar.style.setProperty('--share', `${50 * Math.abs(group.sum) / largest}%`);
    const sum = isMaps ? show(group.sum)
      : `${show(group.inputs[0])} × ${show(group.weights[0])} = ${show(group.sum)}`;
    row.append(make('span', 'name', label), make('span', 'sum', sum), bar);
    if (isMaps) row.setAttribute('aria-pressed', group.map === fedMap);
    row.addEventListener('click', () => {
      if (!isMaps) { pick(chosen.layer - 1, place); return; }
      fedMap = group.map;
      paint();
    });
    return row;
  });
  list.replaceChildren(...rows);
  const rest = ordered.slice(NUM_FED), total = rest.reduce((sum, group) => sum + group.sum, 0);
  find('rest').textContent = rest.length ? fill(data.rest, rest.length, show(total)) : '';
}
function paintApart() {
  const {layer, place} = chosen, own = network.layers[layer];
  find('title').textContent = nameLayer(layer);
  find('place').textContent = describe(layer, place);
  find('sums').hidden = !own.weight;
  find('grids').hidden = find('fed-row').hidden = true;
  find('unsent').textContent = own.weight ? '' : fill(data.unsent, own.shape[1].toLocaleString());
  if (!own.weight) {
    find('said').textContent = show(values[layer].values[indexOf(values[layer].shape, place)], 4);
    return;
  }
  const apart = takeApart(own, given[layer], place);
  const isConv = isConvolution(own);
  const figures = [apart.sum - apart.bias, apart.bias, apart.sum, apart.activation];
  element.querySelectorAll('dd').forEach((cell, i) => { cell.textContent = show(figures[i], 4); });
  find('relu').hidden = isLast(layer);
  find('said').textContent = show(isLast(layer) ? apart.sum : apart.activation, 4);
  fedMap ??= apart.groups.reduce((best, one) =>
    Math.abs(one.sum) > Math.abs(best.sum) ? one : best).map;
  if (isConv) {
    const {inputs, weights, products, places} = apart.groups[fedMap];
    find('grids').hidden = false;
    find('grids').replaceChildren(
      paintNumbers(layer ? fill(data.patchOf, fedMap + 1) : data.patch, inputs, places, layer === 0),
      paintNumbers(data.kernel, weights, places, true),
      paintNumbers(data.products, products, places, true));
  }
  find('fed-row').hidden = apart.groups.length === 1;
  find('fed-title').textContent = isConv ? data.fedMaps : data.fedNeurons;
  if (apart.groups.length > 1) paintFed(apart.groups, values[layer - 1]);
}
function paintNote() {
  const {layer, place} = chosen;
  const notes = [layer === 0 ? data.paper : ''];
  if (isConvolution(network.layers[layer])) {
    const index = indexOf(values[layer].shape, place);
    const goes = given[layer + 1].from.includes(index);
    notes.push(goes ? data.largest : data.notLargest);
  }
  find('notes').replaceChildren(...notes.filter(Boolean).map((said) => make('p', '', said)));
}
function paint() {
  paintLayers();
  paintWhere();
  paintApart();
  paintNote();
}

function take() {
  if (!props.value) return;
  data = JSON.parse(props.value);
  find('hint').textContent = data.hint;
  find('body').hidden = Boolean(data.hint);
  if (data.hint) return;
  if (data.network) {
    network = decodeNetwork(data.network);
    chosen = null;
    buildLayers();
  }
  if (network?.key !== data.key) {
    asked = network = null;
    askSoon();
    return;
  }
  ({values, given} = decodeDrawing(data));
  if (!chosen) {
    const [first] = values;
    chosen = {layer: 0, place: placeOf(first.shape, first.values.indexOf(largestOf(first.values)))};
  }
  fedMap = null;
  for (const name of ['how', 'drawn', 'sum', 'bias', 'total', 'after'])
    find(name).textContent = data[name];
  paint();
}
const enlarged = element.querySelector('.where .map canvas');
enlarged.addEventListener('pointerdown', (event) => {
  const place = enlarged.at?.(event);
  if (place) pick(chosen.layer, place);
});
document.addEventListener('foundry-drawn', (event) => { drawing = event.detail; askSoon(); });
document.addEventListener('foundry-model', () => { asked = null; askSoon(); });
new IntersectionObserver((entries) => {
  isSeen = entries.at(-1).isIntersecting;
  askSoon();
}).observe(element);
watch('value', take);
take();
