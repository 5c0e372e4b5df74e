"""The page's end of Gradio's event stream, which never closes on an answer that is outstanding.

The server ends a page's stream when nothing is left to answer. What the page asks for while that
end is on its way would be answered where nobody reads, and the page would wait for ever. So the
page, which alone knows what it has asked for, keeps the end from Gradio's client and listens anew.
A stream that breaks off has lost its answers, as the server drops what nobody listens for: that is
reported to Gradio's client, which tells the visitor and connects again.
"""

HEAD = """<script>
(() => {
  const send = window.fetch.bind(window);
  const outstanding = new Set();
  // Answered before the page has heard what its question is called.
  const early = new Set();
  let numAsking = 0;

  async function ask(...request) {
    numAsking += 1;
    try {
      const answer = await send(...request);
      const {event_id: event} = await answer.clone().json().catch(() => ({}));
      if (event && !early.delete(event)) outstanding.add(event);
      return answer;
    } finally {
      numAsking -= 1;
    }
  }
  function cancel(...request) {
    try {
      outstanding.delete(JSON.parse(request[1].body).event_id);
    } catch { /* Then it ends as others do. */ }
    return send(...request);
  }
  // Passes messages on; tells whether to listen anew.
  async function pass(answer, controller) {
    const reader = answer.body.getReader();
    const decoder = new TextDecoder(), encoder = new TextEncoder();
    let rest = '';
    for (;;) {
      const {done, value} = await reader.read();
      if (done) {
        if (numAsking || outstanding.size) throw new Error('The event stream broke off.');
        return false;
      }
      const messages = (rest + decoder.decode(value, {stream: true})).split('\\n\\n');
      rest = messages.pop();
      for (const message of messages) {
        if (/"msg": ?"process_completed"/.test(message)) {
          const event = /"event_id": ?"(\\w+)"/.exec(message)?.[1];
          if (!outstanding.delete(event)) early.add(event);
        }
        // The server knows nothing of this page; Gradio's client hears it and connects again.
        if (/"msg": ?"unexpected_error"/.test(message)) outstanding.clear();
        const isEnd = /"msg": ?"close_stream"/.test(message);
        if (isEnd && (numAsking || outstanding.size)) return true;
        controller.enqueue(encoder.encode(`${message}\\n\\n`));
        if (isEnd) return false;
      }
    }
  }
  async function listen(...request) {
    const first = await send(...request);
    if (!first.ok || !first.body) return first;
    const body = new ReadableStream({
      async start(controller) {
        try {
          let answer = first;
          while (await pass(answer, controller)) answer = await send(...request);
          controller.close();
        } catch (error) {
          // Gradio ends it so where the page is left: nobody is to hear of it.
          if (error.name === 'AbortError') controller.close();
          else controller.error(error);
        }
      },
    });
    return new Response(body, {status: first.status, headers: first.headers});
  }
  const KINDS = {'/queue/join': ask, '/queue/data': listen, '/cancel': cancel};
  window.fetch = (...request) => {
    const {pathname} = new URL(request[0].url ?? request[0], location.href);
    const kind = Object.keys(KINDS).find((end) => pathname.endsWith(`/gradio_api${end}`));
    return (KINDS[kind] ?? send)(...request);
  };
})();
</script>"""
