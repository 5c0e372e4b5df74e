// English text -> another language, by templates. Knows nothing of the page.
//
// A template is a text with places: {name} keeps what stands there, {name:number} takes numbers
// only, and what stands at {name:text} is translated too.
function foundryTranslator(catalogue) {
  const MAX_REMEMBERED = 2000;
  const MAX_SENTENCES = 12;
  const PLACE = /\{(\w+)(?::(\w+))?\}/g;
  const PATTERNS = {
    number: '([-+]?\\d(?:[\\d.,]*\\d)?(?:e[-+]?\\d+)?%?)',
    // Not past the end of a sentence.
    text: '((?:(?![.!?]\\s).)+?)',
  };
  const CJK = /[\u3000-\u9fff\uff00-\uffef]$/;

  function compile(english, other) {
    const places = [];
    let pattern = '', weight = 0, end = 0;
    for (const found of english.matchAll(PLACE)) {
      const literal = english.slice(end, found.index);
      pattern += literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + (PATTERNS[found[2]] ?? '(.+?)');
      // Of two that match, the one that says more; a number says more than anything.
      weight += 10 * literal.length + (found[2] === 'number' ? 5 : 0);
      places.push({name: found[1], isText: found[2] === 'text'});
      end = found.index + found[0].length;
    }
    const literal = english.slice(end);
    pattern += literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    weight += 10 * literal.length;
    // Without words of its own a template fits anything; then what stands in it has to be known.
    const isStrict = !/[A-Za-z]{2}/.test(english.replace(PLACE, ''));
    return {regex: new RegExp(`^${pattern}$`, 's'), weight, places, isStrict, other};
  }

  const exact = new Map();
  const templates = [];
  for (const [english, other] of Object.entries(catalogue)) {
    if (english.search(PLACE) < 0) exact.set(english, other);
    else templates.push(compile(english, other));
  }
  templates.sort((one, another) => another.weight - one.weight);

  function fill({regex, places, isStrict, other}, text) {
    const found = regex.exec(text);
    if (!found) return null;
    const values = {};
    for (const [index, {name, isText}] of places.entries()) {
      const value = found[index + 1];
      const translation = isText ? translate(value) : null;
      if (isStrict && isText && translation === null && /[A-Za-z]{2}/.test(value)) return null;
      values[name] = translation ?? value;
    }
    return other.replace(PLACE, (_, name) => values[name]);
  }

  function translateWhole(text) {
    if (exact.has(text)) return exact.get(text);
    for (const template of templates) {
      const filled = fill(template, text);
      if (filled !== null) return filled;
    }
    // Some sentences get their full stop where they are shown.
    const unended = text.endsWith('.') ? translateWhole(text.slice(0, -1)) : null;
    return unended === null ? null : `${unended}。`;
  }

  // Handlers put sentences after one another; some templates hold two.
  function translateSentences(text) {
    const sentences = text.split(/(?<=[.!?])\s+/);
    if (sentences.length < 2 || sentences.length > MAX_SENTENCES) return null;
    let joined = '', isAny = false;
    for (let first = 0; first < sentences.length;) {
      let last = sentences.length, part = null;
      for (; last > first; last--) {
        part = translateWhole(sentences.slice(first, last).join(' '));
        if (part !== null) break;
      }
      isAny ||= part !== null;
      if (joined && !CJK.test(joined)) joined += ' ';
      joined += part ?? sentences[first];
      first = part === null ? first + 1 : last;
    }
    return isAny ? joined : null;
  }

  const remembered = new Map();

  // Returns the translation, or null for a text that no template covers.
  function translate(text) {
    const key = text.trim().replace(/\s+/g, ' ');
    if (!remembered.has(key)) {
      const translation = translateWhole(key) ?? translateSentences(key);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(key, translation);
    }
    return remembered.get(key);
  }
  return translate;
}
