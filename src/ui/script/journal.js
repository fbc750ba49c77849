// The journal: what is chosen as one types, what came since, and a pause while one reads.
'use strict';

(() => {
  const body = document.body;
  const filter = document.getElementById('filter');
  const list = document.getElementById('list');
  if (!filter || !list) return;

  const ask = () => body.dispatchEvent(new CustomEvent('journal:ask'));

  // ---- What is chosen ------------------------------------------------------------------------------------------------
  // The address says it, so that it can be shared, and shows the same when it is loaded again.

  const SOON = 150;
  let timer = null;

  const operation = filter.elements.namedItem('operation');
  const pack = filter.elements.namedItem('pack');
  // An operation is one of a pack: those of others are not offered.
  const offer = () => {
    if (!operation || !pack) return;
    for (const group of operation.querySelectorAll('optgroup')) {
      group.hidden = group.disabled = pack.value !== '' && group.label !== pack.value;
    }
    if (operation.selectedOptions[0]?.closest('optgroup')?.disabled) operation.value = '';
  };
  offer();

  const choose = () => {
    offer();
    const said = [...new FormData(filter)].filter(([, value]) => value !== '');
    const query = new URLSearchParams(said).toString();
    history.replaceState(history.state, '', query ? `${filter.action}?${query}` : filter.action);
    // What is chosen anew is shown from its newest on.
    list.removeAttribute('hx-vals');
    delete list.dataset.older;
    document.getElementById('problem').replaceChildren();
    clearTimeout(timer);
    timer = setTimeout(ask, SOON);
  };
  for (const kind of ['input', 'change']) filter.addEventListener(kind, choose);
  filter.addEventListener('submit', (event) => {
    event.preventDefault();
    choose();
  });

  // ---- What came since -----------------------------------------------------------------------------------------------

  const SHOWN = ['exchange', 'reload', 'undone', 'evicted'];
  const pause = document.getElementById('pause');
  let paused = false;
  let missed = false;

  const say = () => {
    if (!pause) return;
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = !paused ? 'Pause' : missed ? 'Go on: there is more' : 'Go on';
  };

  body.addEventListener('standin:change', (event) => {
    if (!event.detail.kinds.some((kind) => SHOWN.includes(kind))) return;
    // Older pages do not change but by what is undone.
    if ('older' in list.dataset && !event.detail.kinds.includes('undone')) return;
    missed = paused;
    if (!paused) ask();
    say();
  });

  if (pause) {
    pause.hidden = false;
    pause.addEventListener('click', () => {
      paused = !paused;
      if (!paused && missed) ask();
      missed = false;
      say();
    });
  }
})();
