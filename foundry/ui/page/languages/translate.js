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
  const SENTENCE_END = /[.!?]\s/;
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

  // A place may hold sentences, as a visitor's text in quotes does, but only if isLoose: handlers
  // put sentences after one another, and what ends with a place would take all that follow.
  function fill({regex, places, isStrict, other}, text, isLoose) {
    const found = regex.exec(text);
    if (!found) return null;
    const values = {};
    for (const [index, {name, isText}] of places.entries()) {
      const value = found[index + 1];
      if (!isLoose && SENTENCE_END.test(value)) return null;
      const translation = isText ? translate(value) : null;
      if (isStrict && isText && translation === null && /[A-Za-z]{2}/.test(value)) return null;
      values[name] = translation ?? value;
    }
    return other.replace(PLACE, (_, name) => values[name]);
  }

  function translateWhole(text, isLoose) {
    if (exact.has(text)) return exact.get(text);
    for (const template of templates) {
      const filled = fill(template, text, isLoose);
      if (filled !== null) return filled;
    }
    // Some sentences get their full stop where they are shown.
    const unended = text.endsWith('.') ? translateWhole(text.slice(0, -1), isLoose) : null;
    return unended === null ? null : `${unended}。`;
  }

  // Of the sentences from the first on, as many as one template holds; some hold two.
  function translateFirst(sentences, first, isLoose) {
    for (let last = sentences.length; last > first; last--) {
      const part = translateWhole(sentences.slice(first, last).join(' '), isLoose);
      if (part !== null) return {part, last};
    }
    return null;
  }

  function translateSentences(text, isLoose) {
    const sentences = text.split(/(?<=[.!?])\s+/);
    if (sentences.length < 2 || sentences.length > MAX_SENTENCES) return null;
    let joined = '', isAny = false;
    for (let first = 0; first < sentences.length;) {
      let found = translateFirst(sentences, first, false);
      if (found === null && !isLoose) return null;
      found ??= translateFirst(sentences, first, true);
      const {part, last} = found ?? {part: null, last: first + 1};
      isAny ||= part !== null;
      if (joined && !CJK.test(joined)) joined += ' ';
      joined += part ?? sentences[first];
      first = last;
    }
    return isAny ? joined : null;
  }

  const remembered = new Map();

  // Returns the translation, or null for a text that no template covers.
  function translate(text) {
    const key = text.trim().replace(/\s+/g, ' ');
    if (!remembered.has(key)) {
      const translation = translateWhole(key, false) ?? translateSentences(key, false)
        ?? (SENTENCE_END.test(key) ? translateWhole(key, true) ?? translateSentences(key, true)
          : null);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(key, translation);
    }
    return remembered.get(key);
  }
  return translate;
}
