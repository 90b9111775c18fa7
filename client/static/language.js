/* global document */
// The prerendered page is in English. Readers of another language are spared the sight of it: the page shows
// itself once it speaks theirs (see app.css and +layout.svelte).
{
  let wanted = navigator.language;
  try {
    wanted = localStorage.getItem('stampede:language') ?? wanted;
  } catch {
    // Storage may be forbidden.
  }
  if (wanted.startsWith('ko')) document.documentElement.dataset.language = 'pending';
}
