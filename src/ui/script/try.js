// Sends what the form of an operation says, and shows what comes back: as text, whatever it is.
'use strict';

(() => {
  const form = document.getElementById('try-form');
  if (!form) return;
  const at = (id) => document.getElementById(id);
  const { method, base, path, root, page } = form.dataset;
  const command = at('try-curl').firstElementChild;
  // How much of an answer is shown: a page with much more of it would not move any more.
  const MOST = 200000;

  const request = () => {
    let target = path;
    const query = new URLSearchParams();
    const headers = [];
    for (const field of form.querySelectorAll('[data-in]')) {
      const { name, value } = field;
      if (field.dataset.in === 'path') target = target.replaceAll(`{${name}}`, encodeURIComponent(value));
      else if (value === '') continue;
      else if (field.dataset.in === 'query') query.append(name, value);
      else headers.push([name, value]);
    }
    const body = at('try-body')?.value || null;
    if (body !== null && at('try-media').value) headers.push(['content-type', at('try-media').value]);
    if (at('try-prefer').value) headers.push(['prefer', at('try-prefer').value]);
    const said = query.toString();
    return { url: `${base}${target}${said ? `?${said}` : ''}`, headers, body };
  };

  // The same command as the server writes for it.
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const curl = ({ url, headers, body }) => {
    const parts = [base.startsWith('https:') ? 'curl -s -k' : 'curl -s'];
    if (method === 'HEAD' && body === null) parts.push('-I');
    else if (method !== 'GET' || body !== null) parts.push(`-X ${method}`);
    for (const [name, value] of headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
    if (body !== null) parts.push(`--data-raw ${quoted(body)}`);
    if (/[[\]{}]/.test(url)) parts.push('-g');
    parts.push(quoted(url));
    return parts.join(' ');
  };

  const write = () => { command.textContent = curl(request()); };
  form.addEventListener('input', (event) => {
    const fills = event.target.dataset.fills;
    if (fills) at(fills).value = event.target.value;
    write();
  });
  at('try-body')?.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  const pretty = (text, type) => {
    if (!/json/.test(type ?? '') || text.includes('\n')) return text;
    // A number that JavaScript would change keeps the text as it is.
    try {
      const value = JSON.parse(text);
      return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
    } catch {
      return text;
    }
  };

  const show = (status, kind) => {
    at('try-answer').hidden = false;
    at('try-answer').scrollIntoView({ block: 'nearest' });
    at('try-status').textContent = status;
    at('try-status').className = `status status-${kind}`;
  };
  const fail = (words) => {
    show('not sent', '5xx');
    for (const id of ['try-contract', 'try-took', 'try-text', 'try-headers']) at(id).textContent = '';
    at('try-entry').hidden = true;
    at('try-problem').hidden = false;
    at('try-problem').textContent = words;
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { url, headers, body } = request();
    if (new URL(url).origin !== location.origin) {
      const own = new URL(url);
      fail(`A page may send to its own host only: open ${own.origin}${page}, or use the command.`);
      return;
    }
    if (body !== null && (method === 'GET' || method === 'HEAD')) {
      fail(`A browser sends no body with ${method}: use the command.`);
      return;
    }
    const button = form.querySelector('button.primary');
    button.disabled = true;
    const began = performance.now();
    try {
      const sent = new Headers();
      for (const [name, value] of headers) sent.append(name, value);
      // Without credentials of the browser: it would ask for a password by itself, and the API gets what the form says.
      const answer = await fetch(url, { method, headers: sent, body, credentials: 'omit', cache: 'no-store' });
      const text = await answer.text();
      show(`${answer.status}${answer.statusText ? ` ${answer.statusText}` : ''}`, `${Math.floor(answer.status / 100)}xx`);
      at('try-problem').hidden = true;
      const contract = answer.headers.get('standin-contract');
      at('try-contract').textContent = contract ?? '';
      at('try-contract').className = `pill ${contract === 'assumed' ? 'pill-assumed' : 'pill-documented'}`;
      at('try-took').textContent = `${Math.round(performance.now() - began)} ms`;
      const entry = answer.headers.get('standin-entry');
      at('try-entry').hidden = entry === null;
      if (entry !== null) at('try-entry').href = `${root}/journal/${encodeURIComponent(entry)}`;
      at('try-headers').textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      const whole = pretty(text, answer.headers.get('content-type'));
      at('try-text').textContent =
        whole.length > MOST ? `${whole.slice(0, MOST)}\n… and ${whole.length - MOST} characters more` : whole;
    } catch (error) {
      fail(`Nothing came back: ${error.message}. Does the server run, and is every header one that may be sent?`);
    } finally {
      button.disabled = false;
    }
  });

  form.hidden = false;
  write();
})();
