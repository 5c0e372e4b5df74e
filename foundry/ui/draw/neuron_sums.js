// The arithmetic of one neuron, by itself: numbers in, numbers out.
//
// A network is a list of layers: `weight` and `bias`, Float32Array; `shape` of the weight;
// `padding`. Values are, for each layer, what it gives before ReLU, and its shape, [channels,
// height, width]. A convolution's go on as the largest of every 2x2, and below 0 as 0.

function decodeFloats(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function decodeNetwork({layers, key}) {
  return {key, layers: layers.map((layer) => ({...layer, bias: decodeFloats(layer.bias),
    weight: layer.weight === null ? null : decodeFloats(layer.weight)}))};
}
// What every layer gives, and what it is given: the drawing first.
function decodeDrawing(data) {
  const values = data.values.map(({floats, shape}) => ({values: decodeFloats(floats), shape}));
  const pixels = {values: decodeFloats(data.pixels), shape: [1, 28, 28], from: []};
  return {values, given: [pixels, ...values.map(goOn)]};
}

function isConvolution(layer) { return layer.shape.length === 4; }

// What the layer after one is given: its values, their shape, and the square of each.
function goOn({values, shape: [channels, height, width]}) {
  if (height === 1 && width === 1)
    return {values: values.map((value) => Math.max(0, value)), shape: [channels, 1, 1],
      from: [...values.keys()]};
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  const pooled = new Float32Array(channels * rows * columns), from = [];
  for (let i = 0; i < pooled.length; i++) {
    const channel = Math.floor(i / (rows * columns));
    const [y, x] = [2 * (Math.floor(i / columns) % rows), 2 * (i % columns)];
    const corner = (channel * height + y) * width + x;
    const four = [corner, corner + 1, corner + width, corner + width + 1];
    const largest = four.reduce((best, one) => values[one] > values[best] ? one : best);
    pooled[i] = Math.max(0, values[largest]);
    from.push(largest);
  }
  return {values: pooled, shape: [channels, rows, columns], from};
}

// One neuron: what it is given, times its weights, a group for each map that feeds it (of a linear
// layer a group for each number).
function takeApart(layer, given, [channel, y, x]) {
  const [, depth, size = 1] = layer.shape;
  const area = size * size, groups = [];
  const [, height, width] = given.shape;
  let sum = layer.bias[channel];
  for (let map = 0; map < depth; map++) {
    const group = {map, inputs: [], weights: [], products: [], places: [], sum: 0};
    for (let i = 0; i < area; i++) {
      const row = y - layer.padding + Math.floor(i / size), column = x - layer.padding + i % size;
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      const place = !isConvolution(layer) ? map
        : isInside ? (map * height + row) * width + column : null;
      const input = place === null ? 0 : given.values[place];
      const weight = layer.weight[(channel * depth + map) * area + i];
      group.inputs.push(input);
      group.weights.push(weight);
      group.products.push(input * weight);
      group.places.push(place);
      group.sum += input * weight;
    }
    sum += group.sum;
    groups.push(group);
  }
  return {groups, bias: layer.bias[channel], sum, activation: Math.max(0, sum)};
}

// The rows and columns of each earlier layer on which a square depends, the drawing first; null
// where it depends on all.
function reach(layers, index, [, y, x]) {
  let rows = [y, y], columns = [x, x];
  const seen = [];
  for (let i = index; i >= 0; i--) {
    if (!isConvolution(layers[i])) return Array(index + 1).fill(null);
    const [, , size] = layers[i].shape, {padding} = layers[i];
    const widen = ([first, last]) => [first - padding, last - padding + size - 1];
    rows = widen(rows);
    columns = widen(columns);
    if (i) [rows, columns] = [rows, columns].map(([first, last]) => [2 * first, 2 * last + 1]);
    seen.unshift({rows, columns});
  }
  return seen;
}
