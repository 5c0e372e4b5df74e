// Shows the page in the visitor's language, and follows it as it changes.
//
// Handlers speak English, and one page serves all visitors, so words are translated where they are
// shown. What they were is kept, so that the switch works at once and both ways.
//
// catalogues: by language, its dictionary, or the address of it, which only its readers fetch.
function foundryLanguages(catalogues) {
  const STORED = 'foundry-language';
  const ENGLISH = 'en';
  const ATTRIBUTES = ['placeholder', 'aria-label', 'title', 'alt'];
  const SHOWS_ATTRIBUTE = ATTRIBUTES.map((name) => `[${name}]`).join(',');
  // What belongs to visitors: our own marks, and where Gradio shows files, choices, captions, points.
  const APART = '[translate=no], .notranslate, .file-preview, '
    + '[role=listbox]:not(.our-choices *), .subtitle-display, .caption-label, .role-mark, script, style, code, pre, '
    + '[contenteditable]:not([contenteditable=false])';
  const TYPED = 'textarea, select';
  // Shows what was chosen in a drop-down whose choices are ours.
  const CHOSEN = '.our-choices input';
  const VALUE = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
  const LETTERS = /[A-Za-z]|[\u4e00-\u9fff]/;

  // Gradio has its own words in the browser's language, whatever the switch says.
  const gradiosWords = new Map();
  const translators = {[ENGLISH]: (text) => gradiosWords.get(text.trim()) ?? null};

  function learn(name, {Foundry, Composed, Gradio}) {
    translators[name] = foundryTranslator({...Gradio, ...Composed, ...Foundry});
    for (const [english, other] of Object.entries(Gradio)) gradiosWords.set(other, english);
  }

  const learning = {};
  function fetchOnce(name) {
    learning[name] ??= fetch(catalogues[name]).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status} for the dictionary of ${name}`);
      return answer.json();
    }).then((sections) => {
      learn(name, sections);
      showAll();
    }).catch((error) => {
      // Until it is asked for again, the page stays as it is.
      delete learning[name];
      console.warn(error);
    });
  }
  for (const [name, catalogue] of Object.entries(catalogues))
    if (typeof catalogue !== 'string') learn(name, catalogue);

  let language = ENGLISH;
  // Text node or attribute -> what it said, and what it says now.
  const texts = new WeakMap();
  const attributes = new WeakMap();

  function say(text) {
    if (!LETTERS.test(text)) return text;
    const translation = translators[language]?.(text) ?? null;
    if (translation === null) return text;
    const [before, after] = [text.match(/^\s*/)[0], text.match(/\s*$/)[0]];
    return before + translation + after;
  }

  function next(known, current) {
    const said = known?.says === current ? known.said : current;
    return {said, says: say(said)};
  }

  function showText(node) {
    const known = texts.get(node);
    if (!known && !LETTERS.test(node.data)) return;
    const now = next(known, node.data);
    texts.set(node, now);
    if (node.data !== now.says) node.data = now.says;
  }

  function showAttribute(element, name) {
    const current = element.getAttribute(name);
    if (!current) return;
    const known = attributes.get(element) ?? {};
    attributes.set(element, known);
    known[name] = next(known[name], current);
    if (current !== known[name].says) element.setAttribute(name, known[name].says);
  }

  // No observer sees what a field holds. Gradio goes on reading and writing English.
  function followChosen(input) {
    let known = {said: VALUE.get.call(input), says: null};
    Object.defineProperty(input, 'value', {
      configurable: true,
      get: () => {
        const shown = VALUE.get.call(input);
        return shown === known.says ? known.said : shown;
      },
      set: (said) => {
        known = {said, says: say(said)};
        VALUE.set.call(input, known.says);
      },
    });
  }

  function showChosen(input) {
    if (!Object.hasOwn(input, 'value')) followChosen(input);
    const {value} = input;
    if (VALUE.get.call(input) !== say(value)) input.value = value;
  }

  function showElement(element) {
    if (element.matches(CHOSEN)) showChosen(element);
    if (element.dataset?.language)
      element.setAttribute('aria-pressed', element.dataset.language === language);
    if (!element.matches(SHOWS_ATTRIBUTE)) return;
    for (const name of ATTRIBUTES) if (element.hasAttribute(name)) showAttribute(element, name);
  }

  function show(node) {
    if (node.nodeType === Node.ELEMENT_NODE) showElement(node);
    else if (!node.parentElement.matches(TYPED)) showText(node);
  }

  function showTree(root) {
    const element = root.nodeType === Node.ELEMENT_NODE ? root : root.parentElement;
    if (!element || element.closest(APART)) return;
    const walker = document.createTreeWalker(
      root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
      (node) => node.nodeType === Node.ELEMENT_NODE && node.matches(APART)
        ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    if (root.nodeType === Node.TEXT_NODE || root.nodeType === Node.ELEMENT_NODE) show(root);
    while (walker.nextNode()) show(walker.currentNode);
  }

  const observer = new MutationObserver((changes) => {
    for (const {type, target, addedNodes, attributeName} of changes) {
      if (type === 'childList') addedNodes.forEach(showTree);
      else if (type === 'characterData') showTree(target);
      else if (!target.closest(APART)) showAttribute(target, attributeName);
    }
    // Those are this function's own.
    observer.takeRecords();
  });

  function showAll() {
    showTree(document.body);
    observer.takeRecords();
    document.dispatchEvent(new Event('foundry-language'));
  }

  function isKnown(name) {
    return name === ENGLISH || name in catalogues;
  }

  function choose(chosen) {
    language = isKnown(chosen) ? chosen : ENGLISH;
    document.documentElement.lang = language;
    if (!(language in translators)) fetchOnce(language);
    showAll();
  }

  function read() {
    try {
      const stored = localStorage.getItem(STORED);
      if (isKnown(stored)) return stored;
    } catch { /* A browser that keeps nothing has its own language. */ }
    return findBrowsers() ?? ENGLISH;
  }

  function findBrowsers() {
    const wanted = navigator.language.split('-')[0];
    return Object.keys(catalogues).find((known) => known.split('-')[0] === wanted);
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('button[data-language]');
    if (!button) return;
    try {
      localStorage.setItem(STORED, button.dataset.language);
    } catch { /* Until the page is left, then. */ }
    choose(button.dataset.language);
  });
  // For what is drawn rather than written; 'foundry-language' tells when to draw it anew.
  window.foundrySay = say;
  observer.observe(document.body, {
    subtree: true, childList: true, characterData: true,
    attributes: true, attributeFilter: ATTRIBUTES,
  });
  choose(read());
  // There Gradio speaks it, also where English was chosen.
  const browsers = findBrowsers();
  if (browsers && !(browsers in translators)) fetchOnce(browsers);
}
