/**
 * For a sheet that may lie at the foot of the page: `--sheet` is as high as it is, so that notices find their place
 * above it.
 */
export function asSheet(node: HTMLElement): () => void {
  const { style } = document.documentElement;
  const observer = new ResizeObserver(() => {
    const lies = getComputedStyle(node).position === 'fixed';
    style.setProperty('--sheet', lies ? `${node.offsetHeight}px` : '0px');
  });
  observer.observe(node);
  return () => {
    observer.disconnect();
    style.removeProperty('--sheet');
  };
}
