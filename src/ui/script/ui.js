// What the pages do in a browser besides being read. Everything here is a convenience: without it, reloading shows the same.
'use strict';

(() => {
  const body = document.body;
  const prefix = body.dataset.prefix;
  const plane = `${prefix}/_standin`;

  // ---- What happens, as it happens -------------------------------------------------------------------------------
  // One stream per page, which goes on from what the page was made of. What arrives together is told once: parts of the
  // page that show it ask for themselves again.

  const live = document.getElementById('live');
  const connection = document.getElementById('connection');

  const say = (state, text) => {
    if (!live) return;
    live.dataset.state = state;
    live.textContent = text;
  };

  const warn = (text, link) => {
    connection.hidden = false;
    connection.textContent = text;
    if (link) {
      const anchor = document.createElement('a');
      anchor.href = link.href;
      anchor.textContent = link.text;
      connection.append(' ', anchor);
    }
  };

  const QUIET = 100;
  let kinds = new Set();
  let told = 0;
  let timer = null;

  const tell = () => {
    timer = null;
    told = performance.now();
    const detail = { kinds: [...kinds] };
    kinds = new Set();
    body.dispatchEvent(new CustomEvent('standin:change', { detail }));
    for (const kind of detail.kinds) body.dispatchEvent(new CustomEvent(`standin:${kind}`, { detail }));
  };

  const changed = (kind) => {
    kinds.add(kind);
    if (timer === null) timer = setTimeout(tell, Math.max(0, QUIET - (performance.now() - told)));
  };

  const KINDS = ['exchange', 'clock', 'state', 'event', 'setting', 'attempt', 'outcome', 'reload', 'packs', 'undone', 'evicted'];

  // Whether the server was away, whichever stream it was that ended.
  let lost = false;

  const follow = () => {
    const stream = new EventSource(`${plane}/journal/stream?after=${body.dataset.seen}`);
    stream.onopen = async () => {
      say('on', 'live');
      if (!lost) return;
      lost = false;
      connection.hidden = true;
      document.getElementById('problem')?.replaceChildren();
      const index = await fetch(plane, { headers: { accept: 'application/json' } }).then((r) => r.json(), () => null);
      if (index && index.run !== body.dataset.run) {
        stream.close();
        say('off', 'not live');
        warn('The server was started again: what this page shows may be gone.', { href: location.href, text: 'Load it again' });
      } else {
        changed('exchange');
      }
    };
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) {
        // The server said that there is no such stream, so it is asked why.
        say('off', 'not live');
        fetch(`${plane}/clock`, { headers: { accept: 'application/json' } }).then(async (answer) => {
          if (answer.ok) return setTimeout(follow, 1000);
          if (answer.status === 401) {
            warn('This page is not logged in any more.', { href: location.href, text: 'Log in again' });
            return;
          }
          const problem = await answer.json();
          warn(problem.detail, { href: `${body.dataset.origin}/_standin/ui/sandboxes`, text: 'The sandboxes that there are' });
        }, () => setTimeout(follow, 1000));
        return;
      }
      lost = true;
      say('lost', 'connection lost');
      warn('The server does not answer. This page tries again by itself.');
    };
    stream.addEventListener('closed', () => {
      stream.close();
      say('off', 'sandbox closed');
      warn(`The sandbox ${body.dataset.sandbox} is closed: it was deleted, or nobody used it.`, {
        href: `${body.dataset.origin}/_standin/ui/sandboxes`,
        text: 'The sandboxes that there are',
      });
    });
    for (const kind of KINDS) stream.addEventListener(kind, () => changed(kind));
    addEventListener('pagehide', () => stream.close(), { once: true });
  };
  // A page that comes back out of the browser's memory has no stream any more, and may show what is over.
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  if (live) follow();

  // ---- The clock ---------------------------------------------------------------------------------------------------
  // A ticking clock ticks here, too; the server says where it is whenever somebody moves it.

  const clock = document.querySelector('[data-clock]');
  if (clock) {
    let start = Date.parse(clock.dataset.clock);
    let since = performance.now();
    const pad = (instant) => new Date(instant).toISOString().replace('T', ' ').replace(/\.\d+Z$/, '');
    const show = () => {
      if (Number.isNaN(start)) return;
      const ticks = clock.dataset.mode === 'ticking' ? performance.now() - since : 0;
      // Parts of the page that come later show it as well.
      for (const element of document.querySelectorAll('.clock-now')) element.textContent = pad(start + ticks);
    };
    setInterval(show, 1000);
    show();
    const ask = async () => {
      const answer = await fetch(`${plane}/clock`, { headers: { accept: 'application/json' } });
      if (!answer.ok) return;
      const { now, mode } = await answer.json();
      start = Date.parse(now);
      since = performance.now();
      clock.dataset.clock = now;
      clock.dataset.mode = mode;
      clock.querySelector('.pill').textContent = mode;
      show();
    };
    // What happens by itself moves a clock that stands, too: to its instant.
    for (const kind of ['clock', 'undone', 'event', 'attempt']) body.addEventListener(`standin:${kind}`, () => ask().catch(() => {}));
  }

  // ---- Copying -----------------------------------------------------------------------------------------------------
  // `data-copy` names the element whose text is copied, `data-copy-text` is the text itself.

  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  };

  body.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-text]');
    if (!button) return;
    const text = button.dataset.copyText ?? document.getElementById(button.dataset.copy)?.textContent ?? '';
    const label = button.dataset.label ?? button.textContent;
    const name = button.dataset.name ?? button.getAttribute('aria-label');
    button.dataset.label = label;
    if (name) button.dataset.name = name;
    // Whoever does not see the button hears what it says, and whose it is.
    const show = (said) => {
      button.textContent = said ?? label;
      if (name) button.setAttribute('aria-label', said ? `${said}: ${name}` : name);
    };
    try {
      await copy(text);
      show('Copied');
    } catch {
      show('Not copied');
    }
    setTimeout(show, 1500);
  });

  // ---- Menus and keys ----------------------------------------------------------------------------------------------

  body.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // On a narrow screen the pages stand in a row that is longer than the screen.
  document.querySelector('.side [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });

  const typing = (target) => target.closest('input, textarea, select, [contenteditable]');

  body.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      const menu = document.querySelector('details.menu[open]');
      if (menu) {
        menu.open = false;
        menu.querySelector('summary').focus();
      }
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === '/') {
      const field = document.querySelector('[data-search]');
      if (field) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    }
    if (event.key === 'j' || event.key === 'k') {
      const rows = [...document.querySelectorAll('[data-row]')];
      const at = rows.indexOf(document.activeElement);
      const next = rows[at + (event.key === 'j' ? 1 : -1)] ?? (at < 0 ? rows[0] : null);
      if (next) next.focus();
    }
  });

  // A form that asks first.
  body.addEventListener('submit', (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // What was wrong the last time is not wrong any more, and what was done is not what was done last.
  body.addEventListener('htmx:beforeRequest', (event) => {
    if (!event.target.closest('form')) return;
    document.getElementById('problem').replaceChildren();
    document.querySelector('.note')?.remove();
  });
  // Why a form was refused stands at the top of the page, wherever the form is.
  body.addEventListener('htmx:afterSwap', (event) => {
    if (event.target.id === 'problem') event.target.scrollIntoView({ block: 'nearest' });
  });
  // What is no HTML is no part of a page.
  body.addEventListener('htmx:beforeSwap', (event) => {
    const type = event.detail.xhr.getResponseHeader('content-type') ?? '';
    if (event.detail.xhr.response && !type.startsWith('text/html')) event.detail.shouldSwap = false;
  });
  body.addEventListener('htmx:sendError', (event) => {
    if (!event.target.closest('form')) return;
    const note = document.createElement('p');
    note.className = 'problem';
    note.textContent = 'The server does not answer: nothing was changed. Try again when it runs.';
    document.getElementById('problem').replaceChildren(note);
  });
})();
