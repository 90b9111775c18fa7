/** Loaded first into a process whose memory is measured: on SIGUSR2 it gives up all the memory it can spare. */
process.on('SIGUSR2', () => {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});
