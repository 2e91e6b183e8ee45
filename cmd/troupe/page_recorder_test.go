package main

// recorder runs in the page before its own scripts. It writes down what a person would see of each card, when, and what must not happen;
// and it finds things as a person does: a card by its prompt, a button by its words.
const recorder = `(() => {
	const r = window.recorded = { cards: [], clicks: [], violations: [], posters: [] };
	const now = () => performance.timeOrigin + performance.now();
	const last = new WeakMap(), numbers = new WeakMap();
	let count = 0;
	const look = () => {
		for (const card of document.querySelectorAll('.card')) {
			const status = card.dataset.status;
			const bar = card.querySelector('[role=progressbar]');
			const percent = bar ? Number(bar.getAttribute('aria-valuenow')) : status === 'completed' ? 100 : 0;
			if (last.get(card) === status + percent) continue;
			last.set(card, status + percent);
			if (!numbers.has(card)) numbers.set(card, ++count);
			r.cards.push({ card: numbers.get(card), title: card.querySelector('.prompt').textContent, status, percent, at: now() });
		}
	};
	new MutationObserver(look).observe(document,
		{ subtree: true, childList: true, attributes: true, attributeFilter: ['data-status', 'aria-valuenow'] });
	addEventListener('click', (e) => e.isTrusted && r.clicks.push(now()), true);
	document.addEventListener('securitypolicyviolation', (e) => r.violations.push(e.violatedDirective + ' ' + e.blockedURI));
	document.addEventListener('load', (e) => {
		if (e.target.matches('img.preview')) r.posters.push(e.target.closest('.card').dataset.status);
	}, true);
	window.card = (text) => [...document.querySelectorAll('.card')].find((c) => c.querySelector('.prompt').textContent.includes(text));
	window.button = (text, at = document) => at && [...at.querySelectorAll('button')].find((b) => b.innerText.startsWith(text) && b.checkVisibility());
	window.until = async (condition) => {
		for (;;) {
			const value = condition();
			if (value) return value;
			await new Promise((resolve) => setTimeout(resolve, 25));
		}
	};
})()`

// glimpse is one change of a card on the page. At is in milliseconds since 1970, by the clock that servers have, too.
type glimpse struct {
	Card          int // the same for the same element
	Title, Status string
	Percent       float64
	At            float64
}
